/** Kills parts of a stack with SIGKILL, by chance, one every few seconds. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { placesOf } from '../e2e/support/agents.ts';
import type { Random } from '../faults/support/random.ts';
import type { Stack } from '../support/stack.ts';

/** Who dies, and how likely; `up` takes nothing along, and is started again. */
const LIKELY: Readonly<Record<string, number>> = {
  server: 6,
  worker: 6,
  temporal: 4,
  postgres: 4,
  agent: 4,
  emulators: 2,
  up: 1,
};
const VICTIMS = Object.entries(LIKELY).flatMap(([victim, times]) => Array.from({ length: times }, () => victim));
const LEAST_MS = 3000;
const MOST_MS = 10_000;

export interface Kills {
  /** How often each part was killed. */
  readonly count: ReadonlyMap<string, number>;
  /** How often an agent of each run was killed. */
  readonly agentsOf: ReadonlyMap<string, number>;
  readonly done: Promise<void>;
}

/** Goes on until the signal says so. `tell` hears of each kill. */
export function startKilling(stack: Stack, random: Random, signal: AbortSignal, tell: (what: string) => void): Kills {
  const count = new Map<string, number>();
  const agentsOf = new Map<string, number>();

  async function killOne(): Promise<void> {
    const victim = random.pick(VICTIMS);
    if (victim === 'up') {
      tell('up');
      count.set(victim, (count.get(victim) ?? 0) + 1);
      await stack.end('SIGKILL');
      return stack.start();
    }
    const agent = victim === 'agent' ? livingAgent(stack, random) : undefined;
    const pid = victim === 'agent' ? agent?.pid : stack.pids()[victim];
    if (pid === undefined || !kill(pid)) return;
    tell(victim);
    count.set(victim, (count.get(victim) ?? 0) + 1);
    if (agent) agentsOf.set(agent.run, (agentsOf.get(agent.run) ?? 0) + 1);
  }

  async function killMany(): Promise<void> {
    while (!signal.aborted) {
      await sleep(random.between(LEAST_MS, MOST_MS), undefined, { signal }).catch(() => undefined);
      if (!signal.aborted) await killOne();
    }
  }
  return { count, agentsOf, done: killMany() };
}

/** The agents that live now, found by what they left on the machine. */
export function livingAgents(directory: string): { run: string; pid: number; workspace: string }[] {
  const root = join(directory, 'workspaces');
  return namesIn(root).flatMap((workspace) =>
    namesIn(join(root, workspace, 'runs')).flatMap((name) => {
      const [, run = ''] = /^(.*)\.\d+$/.exec(name) ?? [];
      return placesOf(directory, workspace, run)
        .filter(({ lives, directory: place }) => lives && place.endsWith(name))
        .map(({ pid }) => ({ run, pid, workspace }));
    }),
  );
}

function livingAgent(stack: Stack, random: Random): { run: string; pid: number } | undefined {
  try {
    const agents = livingAgents(stack.directory);
    return agents.length === 0 ? undefined : random.pick(agents);
  } catch {
    return undefined; // a workspace was removed under this look
  }
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function kill(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch {
    return false;
  }
}
