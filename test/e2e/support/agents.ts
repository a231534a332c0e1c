/** Agents as the machine sees them: their places below the data directory, their processes, their beginnings in the log. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LogLineView } from '../../../ingress/api/views.ts';
import { isAlive, type ProcessIdentity } from '../../../src/adapters/process-identity.ts';
import { eventually } from '../../support/stack.ts';

/** Where one attempt of a run keeps its claim, its token and its output. */
export interface AgentPlace {
  readonly directory: string;
  readonly attempt: number;
  /** The process that claimed it. */
  readonly pid: number;
  readonly lives: boolean;
}

/** Every place that a run ever had, the first attempt first. */
export function placesOf(dataDirectory: string, workspace: string, runId: string): AgentPlace[] {
  const runs = join(dataDirectory, 'workspaces', workspace, 'runs');
  return readdirSync(runs)
    .filter((name) => name.startsWith(`${runId}.`))
    .toSorted()
    .flatMap((name) => {
      const directory = join(runs, name);
      if (!readdirSync(directory).includes('process.json')) return [];
      const record = JSON.parse(readFileSync(join(directory, 'process.json'), 'utf8')) as ProcessIdentity;
      return [{ directory, attempt: Number(name.split('.').at(-1)), pid: record.pid, lives: isAlive(record) }];
    });
}

/** What an agent's process says first, once for each process that began to work. */
export function beginnings(log: readonly LogLineView[]): LogLineView[] {
  return log.filter(({ kind, text }) => kind === 'runner' && /^Run \S+: (work|revise) on /.test(text));
}

/** What a second process of an attempt would have written. */
export function outputOf(place: AgentPlace): string {
  return readFileSync(join(place.directory, 'output.log'), 'utf8');
}

/** Waits until the agent of a run has claimed its place. */
export async function agentOf(dataDirectory: string, workspace: string, runId: string): Promise<AgentPlace> {
  return eventually(`the agent of ${runId}`, () => placesOf(dataDirectory, workspace, runId).at(-1));
}
