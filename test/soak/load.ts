/** What people and GitHub do during a soak: issues live their lives, and deliveries come that nobody asked for. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ApiRefusal } from '../../src/api-client/api-client.ts';
import { OWNER } from '../../src/embedded/accounts.ts';
import type { Ready } from '../../src/embedded/data-directory.ts';
import type { BoundRepository, Scene } from '../e2e/support/scene.ts';
import { bodyOf, deliver, type Sent } from '../faults/support/deliveries.ts';
import type { Random } from '../faults/support/random.ts';

/** Issues that live at the same time. */
const LIVES = 5;
/** Milliseconds between deliveries that only load the webhook, on average. */
const DELIVERY_EVERY_MS = 120;
/** Milliseconds that a person waits for a run, and looks again. */
const PATIENCE_MS = 90_000;
const LOOK_EVERY_MS = 700;

export interface IssueRecord {
  readonly repo: string;
  readonly number: number;
}

export interface Load {
  readonly issues: readonly IssueRecord[];
  /** Deliveries that this process made and signed. */
  readonly sent: readonly Sent[];
  /** How often people did what. */
  readonly acts: ReadonlyMap<string, number>;
  /** Resolves when everybody has stopped. */
  readonly done: Promise<void>;
}

interface LoadOptions {
  readonly scene: Scene;
  readonly repositories: readonly BoundRepository[];
  readonly random: Random;
  /** Ends the load: nobody begins anything after it. */
  readonly signal: AbortSignal;
  /** Addresses stay, also while `up` itself is dead. */
  readonly ready: Ready;
}

/** Starts at once. Whatever fails because something was just killed is tried again, or given up: people do that too. */
export function startLoad(given: Omit<LoadOptions, 'ready'>): Load {
  const options = { ...given, ready: given.scene.stack.ready };
  const issues: IssueRecord[] = [];
  const sent: Sent[] = [];
  const acts = new Map<string, number>();
  const done = Promise.all([
    ...Array.from({ length: LIVES }, () => liveOnes(options, issues, acts)),
    sendDeliveries(options, sent),
    repeatDeliveries(options, acts),
  ]);
  return { issues, sent, acts, done: done.then(() => undefined) };
}

/** One issue after the other. */
async function liveOnes(
  { scene, repositories, random, signal }: LoadOptions,
  issues: IssueRecord[],
  acts: Map<string, number>,
): Promise<void> {
  const { person } = scene;
  const { octokit } = person;
  const act = async (name: string, what: () => Promise<unknown>): Promise<void> => {
    if (signal.aborted) return;
    acts.set(name, (acts.get(name) ?? 0) + 1);
    await insist(what, signal);
  };

  while (!signal.aborted) {
    const { name: repo } = random.pick(repositories);
    const number = await insist(
      () => person.openIssue(repo, { title: `Soak ${random.below(1_000_000)}`, body: '' }),
      signal,
    );
    if (number === undefined) continue;
    issues.push({ repo, number });
    const at = { owner: OWNER, repo, issue_number: number };
    const label = (): Promise<void> => act('label', () => person.label(repo, number, 'run:dev'));
    const pull = async (): Promise<number | undefined> =>
      (await scene.pullRequestsOf(repo, number).catch(() => []))[0]?.number;

    await label();
    for (let steps = random.below(4); steps >= 0 && !signal.aborted; steps -= 1) {
      const [choice] = random.shuffled([
        'wait',
        'wait',
        'review',
        'review',
        'relabel',
        'relabel',
        'unlabel',
        'cancel',
        'close',
      ]);
      if (choice === 'unlabel') {
        await sleep(random.between(0, 4000));
        await act('unlabel', async () => octokit.rest.issues.removeLabel({ ...at, name: 'run:dev' }).catch(unlessGone));
      } else if (choice === 'cancel') {
        await sleep(random.between(0, 4000));
        const [run] = (await scene.runsOf(repo, number).catch(() => [])).slice(-1);
        if (run)
          await act('cancel', () =>
            scene.platform.cancelRun(run.id, { actor: OWNER, reason: 'soak' }).catch(unlessOver),
          );
      } else if (choice === 'close') {
        await sleep(random.between(0, 4000));
        break;
      } else {
        await settled(scene, repo, number, signal);
        const pullRequest = choice === 'review' ? await pull() : undefined;
        if (choice === 'relabel') await label();
        if (pullRequest !== undefined)
          await act('review', () => person.requestChanges(repo, pullRequest, { body: 'Once more.', comments: [] }));
      }
    }
    if (random.next() < 0.8) await act('close', () => octokit.rest.issues.update({ ...at, state: 'closed' }));
  }
}

/** Waits until no run of the issue is under way, or patience ends. */
async function settled(scene: Scene, repo: string, issue: number, signal: AbortSignal): Promise<void> {
  const limit = performance.now() + PATIENCE_MS;
  while (!signal.aborted && performance.now() < limit) {
    const runs = await scene.runsOf(repo, issue).catch(() => undefined);
    if (runs && runs.length > 0 && runs.every(({ terminal }) => terminal)) return;
    await sleep(LOOK_EVERY_MS);
  }
}

/** Deliveries that mean nothing to anybody, each of them new: they load the webhook, and every answer is kept. */
async function sendDeliveries(
  { scene, repositories, random, signal, ready }: LoadOptions,
  sent: Sent[],
): Promise<void> {
  const [repository] = repositories;
  if (!repository) return;
  const body = await insist(() => bodyOf(scene, repository, 'issues', 'opened'), signal);
  if (body === undefined) return;
  const sending: Promise<unknown>[] = [];
  while (!signal.aborted) {
    sending.push(deliver({ ready }, { event: 'issues', body }).then((answer) => sent.push(answer)));
    await sleep(random.between(0, 2 * DELIVERY_EVERY_MS));
  }
  await Promise.all(sending);
}

/** Deliveries that come twice: by GitHub, and, under another number, by somebody who recorded them. */
async function repeatDeliveries(
  { scene, repositories, random, signal, ready }: LoadOptions,
  acts: Map<string, number>,
): Promise<void> {
  const { octokit } = scene.person;
  while (!signal.aborted) {
    await sleep(random.between(1000, 5000));
    const repository = random.pick(repositories);
    const hook = { owner: OWNER, repo: repository.name, hook_id: repository.hookId };
    const recent = await octokit.rest.repos.listWebhookDeliveries({ ...hook, per_page: 50 }).catch(() => undefined);
    const candidates = recent?.data.filter(({ event, action }) => event === 'issues' && action === 'labeled') ?? [];
    if (candidates.length === 0) continue;
    const { id } = random.pick(candidates);
    if (random.next() < 0.5) {
      acts.set('repeat', (acts.get('repeat') ?? 0) + 1);
      await octokit.rest.repos.redeliverWebhookDelivery({ ...hook, delivery_id: id }).catch(() => undefined);
    } else {
      acts.set('replay', (acts.get('replay') ?? 0) + 1);
      const recorded = await octokit.rest.repos.getWebhookDelivery({ ...hook, delivery_id: id }).catch(() => undefined);
      if (recorded) await deliver({ ready }, { event: 'issues', body: JSON.stringify(recorded.data.request.payload) });
    }
  }
}

/** Tries for a while; undefined when that does not help. */
async function insist<Value>(what: () => Promise<Value>, signal: AbortSignal): Promise<Value | undefined> {
  for (let attempt = 0; attempt < 30; attempt += 1) {
    try {
      return await what();
    } catch {
      if (signal.aborted && attempt > 3) return undefined;
      await sleep(500);
    }
  }
  return undefined;
}

function unlessGone(error: { status?: number }): void {
  if (error.status !== 404) throw error;
}

/** A run that is over cannot be canceled, and one that is not shown yet neither. */
function unlessOver(error: unknown): void {
  if (!(error instanceof ApiRefusal) || error.status >= 500) throw error;
}
