/**
 * Whatever people do on an issue, and however GitHub tells of it, one run works at a time, each stands for a click, a
 * review or a comment of somebody who may, nothing is lost and nothing is stuck. The decisions are performed by
 * workflows/issue/handlers.ts itself, without Temporal, over a GitHub of some lines.
 */
import * as fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import type { ObservedFact } from '../../src/domain/issue/facts.ts';
import { startsWorkflow } from '../../src/domain/issue/facts.ts';
import type { IssuePast } from '../../src/domain/issue/gates.ts';
import {
  isOver,
  newIssueState,
  receive,
  type IssueState,
  type LabelTruth,
  type PlannedRun,
} from '../../src/domain/issue/issue-life.ts';
import { withdrawalsIn } from '../../src/domain/issue/confirmations.ts';
import type { RunOutcome } from '../../src/domain/run/runs.ts';
import type { Sender, Standing } from '../../src/domain/triggers/senders.ts';
import { MODE_DISCUSSION, NEED_REVIEWER, triggerOfLabel } from '../../src/domain/stages/stages.ts';
import { judge } from '../../src/domain/triggers/triggers.ts';
import type { WebhookEvent } from '../../src/domain/triggers/webhooks.ts';
import { createIssueActs, type IssueActs } from '../../workflows/issue/handlers.ts';
import { knowing, MEMBER, REPOSITORY, STRANGER } from './events.ts';

/** The world that the workflow's effects reach; of the example that runs. */
const here = vi.hoisted((): { world: unknown } => ({ world: undefined }));

vi.mock('@temporalio/workflow', () => ({
  ParentClosePolicy: { ABANDON: 'ABANDON' },
  isCancellation: () => false,
  rootCause: (error: unknown) => String(error),
  log: { warn: () => undefined, error: () => undefined },
  defineSignal: (name: string) => name,
  defineQuery: (name: string) => name,
  defineUpdate: (name: string) => name,
  startChild: async (_workflow: unknown, { args: [run] }: { args: [Started] }) => world().startRun(run),
  getExternalWorkflowHandle: (id: string) => ({
    signal: async (name: string, request?: { merged?: { number: number; url: string } }) =>
      world().signalRun(id, name, request),
  }),
}));
vi.mock('../../workflows/run/workflow.ts', () => ({ runWorkflow: 'runWorkflow' }));
vi.mock('../../workflows/activities.ts', () => {
  const nothing = async (): Promise<void> => undefined;
  const settle = async ({
    issue,
    remove,
    add,
  }: Asked & { remove: string | null; add: string | null }): Promise<void> => {
    if (remove !== null) world().takeOff(PLATFORM, remove, issue.number);
    if (add !== null) world().putOn(PLATFORM, add, issue.number);
  };
  return {
    recordIssue: async ({ row }: { row: { past: IssuePast | null } }) => void (world().past = row.past),
    recordRun: async ({ row }: { row: { trigger: string } }) => void world().shown.add(row.trigger),
    acknowledge: nothing,
    restoreStatusComment: nothing,
    removeWorkspace: async () => ({}),
    stopAgent: nothing,
    writeStatusComment: async () => ({ id: 1, url: '' }),
    readSettings: async () => SETTINGS,
    readLabelTruth: async ({ issue, label }: Asked) => world().truth(issue.number, label),
    readTrigger: async ({ issue, label }: Asked) => ({
      truth: {
        ...world().truth(issue.number, label),
        past: world().past,
        refused: {},
        candidates: world().candidates(),
      },
      settings: SETTINGS,
    }),
    readWithdrawals: async ({ issue, label, triggers, people }: Asked & { triggers: string[]; people: number[] }) =>
      withdrawalsIn(world().truth(issue.number, label), triggers, people),
    readPullRequest: async ({ pullRequest }: { pullRequest: number }) => world().place(pullRequest),
    readReview: async ({ pullRequest, review }: { pullRequest: number; review: number }) =>
      world().reviewTruth(pullRequest, review),
    settleLabels: settle,
    markQuestion: settle,
    writeRefusal: async ({ refusal }: { refusal: Told }) => void world().told.push(refusal),
  };
});

interface Asked {
  readonly issue: { readonly number: number };
  readonly label: string;
}

/** What a run is started with. */
interface Started {
  readonly plan: PlannedRun;
  readonly branch: string;
}

interface Told {
  readonly reason: string;
  readonly by: string;
  readonly subject: string;
}

const ISSUE = 7;
const SETTINGS = {
  project: 'demo',
  locale: 'en' as const,
  baseBranch: 'main',
  model: 'gpt-5.5',
  reasoningEffort: 'high' as const,
  dashboardUrl: 'http://dashboard',
  workspaceHours: 24,
  waitHours: { question: 168, paused: 168 },
};

const PLATFORM: Sender = { id: 1, login: 'codex-k8s[bot]', type: 'Bot' };
const person = (id: number, login: string, type = 'User'): Sender => ({ id, login, type });
/** Two who may, one who may read, a stranger, a bot. */
const PEOPLE: readonly (readonly [Sender, Standing])[] = [
  [person(11, 'olivia'), MEMBER],
  [person(12, 'peter'), { ...MEMBER, projectRole: 'admin' }],
  [person(13, 'rita'), { ...MEMBER, projectRole: 'read' }],
  [person(14, 'mallory'), STRANGER],
  [person(15, 'helper[bot]', 'Bot'), MEMBER],
];
const MAY = new Set([11, 12]);
const KNOWN = new Set(['olivia', 'peter', 'rita']);

const LABELS = ['run:dev', 'run:dev:revise', 'run:qa', 'run:self-improve', MODE_DISCUSSION, 'state:blocked', 'bug'];

interface Happened {
  readonly id: number;
  readonly event: 'labeled' | 'unlabeled' | 'closed' | 'reopened';
  readonly label: string | null;
  readonly by: Sender;
  readonly at: string;
}

/** An issue or a pull request, as GitHub shows it. */
interface Place {
  open: boolean;
  merged: boolean;
  /** That a pull request brings. */
  readonly branch?: string;
  labels: string[];
  readonly history: Happened[];
}

interface Delivery {
  readonly event: WebhookEvent;
  readonly standing: Standing;
  /** What happened, by GitHub's number. */
  readonly about: number;
  arrivals: number;
}

interface Working extends Started {
  end(outcome: RunOutcome): void;
  canceled: { merged: { number: number; url: string } | null } | null;
}

/** GitHub, the inbox, the issue's workflow and its runs. */
class World {
  readonly deliveries: Delivery[] = [];
  /** Triggers of all runs that were ever started, in order. */
  readonly started: string[] = [];
  /** Triggers of all runs that have a row in the read model. */
  readonly shown = new Set<string>();
  readonly told: Told[] = [];
  past: IssuePast | null = null;
  workflow: { readonly state: IssueState; readonly acts: IssueActs } | null = null;
  working: Working | null = null;
  readonly faults: string[] = [];
  readonly #places = new Map<number, Place>();
  readonly #reviews = new Map<number, { by: number; pull: number; state: string; at: number }>();
  readonly #comments = new Map<number, number>();
  readonly #arrived = new Set<string>();
  /** Who made the clicks that the edge has refused, by GitHub's number. */
  readonly #refusedAtTheEdge = new Map<number, string>();
  #ids = 100;
  #seq = 0;
  #seconds = Date.parse('2026-11-21T10:00:00Z') / 1000;
  #pull: number | null = null;

  constructor() {
    this.#places.set(ISSUE, { open: true, merged: false, labels: [], history: [] });
  }

  place(number: number): Place {
    const found = this.#places.get(number);
    if (!found) throw new Error(`nothing has the number ${number}`);
    return found;
  }

  get pull(): number | null {
    return this.#pull;
  }

  // What people do on GitHub.

  putOn(by: Sender, label: string, number = ISSUE): void {
    const place = this.place(number);
    if (place.labels.includes(label)) return;
    place.labels.push(label);
    this.#happens(number, 'labeled', label, by);
  }

  takeOff(by: Sender, label: string, number = ISSUE): void {
    const place = this.place(number);
    if (!place.labels.includes(label)) return;
    place.labels = place.labels.filter((each) => each !== label);
    this.#happens(number, 'unlabeled', label, by);
  }

  turn(by: Sender, open: boolean): void {
    const place = this.place(ISSUE);
    if (place.open === open) return;
    place.open = open;
    this.#happens(ISSUE, open ? 'reopened' : 'closed', null, by);
  }

  closePull(by: Sender, merged: boolean): void {
    if (this.#pull === null) return;
    const place = this.place(this.#pull);
    Object.assign(place, { open: false, merged });
    this.#happens(this.#pull, 'closed', null, by);
    this.#pull = null;
  }

  review(by: Sender): void {
    if (this.#pull === null) return;
    this.#ids += 1;
    this.#seconds += 1;
    this.#reviews.set(this.#ids, { by: by.id, pull: this.#pull, state: 'changes_requested', at: this.#ids });
    this.#tells(by, {
      name: 'pull_request_review',
      action: 'submitted',
      repository: REPOSITORY,
      sender: by,
      pullRequest: this.#pullFacts(this.#pull),
      review: { id: this.#ids, state: 'changes_requested' },
    });
  }

  dismiss(): void {
    const [last] = [...this.#reviews.values()].slice(-1);
    if (last) last.state = 'dismissed';
  }

  comment(by: Sender): void {
    this.#ids += 1;
    this.#comments.set(this.#ids, by.id);
    const { labels } = this.place(ISSUE);
    this.#tells(by, {
      name: 'issue_comment',
      action: 'created',
      repository: REPOSITORY,
      sender: by,
      issue: { number: ISSUE, title: 'Count words', url: '', labels: [...labels], isPullRequest: false },
      comment: { id: this.#ids, body: 'Well?', author: by.id, before: null, at: this.#now() },
    });
  }

  #happens(number: number, event: Happened['event'], label: string | null, by: Sender): void {
    this.#ids += 1;
    this.#seconds += 1;
    this.place(number).history.push({ id: this.#ids, event, label, by, at: this.#now() });
    const common = { action: event, repository: REPOSITORY, sender: by, label };
    const issue = { number, title: 'Count words', url: '', labels: [...this.place(ISSUE).labels] };
    this.#tells(
      by,
      number === ISSUE
        ? { ...common, name: 'issues', issue }
        : { ...common, name: 'pull_request', pullRequest: this.#pullFacts(number) },
    );
  }

  #pullFacts(number: number): Extract<WebhookEvent, { name: 'pull_request' }>['pullRequest'] {
    const { labels, merged, branch: headRef = '' } = this.place(number);
    return { number, url: `pull/${number}`, headRef, headRepositoryId: REPOSITORY.id, labels: [...labels], merged };
  }

  #tells(by: Sender, event: WebhookEvent): void {
    const standing = PEOPLE.find(([{ id }]) => id === by.id)?.[1] ?? STRANGER;
    this.deliveries.push({ event, standing, about: this.#ids, arrivals: 0 });
  }

  #now(): string {
    return new Date(this.#seconds * 1000).toISOString();
  }

  // What GitHub says when it is asked.

  truth(number: number, label: string): LabelTruth {
    const { open, labels, history } = this.place(number);
    const lastTurn = Math.max(
      0,
      ...history.filter(({ event }) => event === 'closed' || event === 'reopened').map(({ id }) => id),
    );
    const changes = history.filter((each) => each.label === label && each.id > lastTurn);
    return {
      open,
      title: 'Count words',
      labels: [...labels],
      labeled: changes.flatMap(({ id, event, by, at }, index) => {
        if (event !== 'labeled') return [];
        const next = changes[index + 1]?.by;
        const takenOffBy = next ? { id: next.id, login: next.login } : null;
        return [{ id, by: by.id, at, takenOffBy, clearedByPlatform: takenOffBy?.id === PLATFORM.id }];
      }),
    };
  }

  candidates(): { open: boolean; merged: boolean } {
    const pulls = [...this.#places].filter(([number]) => number !== ISSUE).map(([, place]) => place);
    return { open: pulls.some(({ open }) => open), merged: pulls.some(({ merged }) => merged) };
  }

  reviewTruth(pull: number, id: number) {
    const review = this.#reviews.get(id);
    const lastTurn = this.place(ISSUE).history.findLast(({ event }) => event === 'closed' || event === 'reopened');
    return {
      pullRequestOpen: this.place(pull).open,
      state: review?.pull === pull ? review.state : null,
      approvedSince: false,
      ofEarlierLife: id < (lastTurn?.id ?? 0),
    };
  }

  // What the platform does.

  /** Hands a delivery over. Each hook has ids of its own; one that has arrived is not learned again. */
  deliver(index: number, hook = 0): void {
    const delivery = this.deliveries[index];
    if (!delivery) return;
    delivery.arrivals += 1;
    const id = `delivery-${index}-${hook}`;
    if (this.#arrived.has(id)) return;
    this.#arrived.add(id);
    const identity = { delivery: id, receivedAt: this.#now(), runId: `run-of-${id}` };
    const { fact } = judge(delivery.event, knowing(delivery.standing, true), identity);
    if (!fact) return;
    if (fact.kind === 'trigger_refused') this.#refusedAtTheEdge.set(delivery.about, fact.by.login);
    if (!this.workflow) {
      if (!startsWorkflow(fact)) return;
      const state = newIssueState('Count words', '', this.#now());
      const issue = { repositoryId: REPOSITORY.id, owner: 'acme', name: 'demo', number: ISSUE };
      this.workflow = { state, acts: createIssueActs(issue, state) };
    }
    this.#seq += 1;
    receive(this.workflow.state, [{ seq: this.#seq, fact }]);
  }

  /** From within: not by a delivery. */
  tell(fact: ObservedFact['fact']): void {
    if (this.workflow) receive(this.workflow.state, [{ seq: null, fact }]);
  }

  /** The workflow acts on one fact, if one is unread. */
  async act(): Promise<void> {
    if (!this.workflow || this.workflow.state.unread.length === 0) return;
    const { state, acts } = this.workflow;
    await acts.next();
    const { active, queue, unread } = state;
    if (active && active.runId !== this.working?.plan.runId && !unread.some(({ seq }) => seq === null))
      this.faults.push(`${active.trigger} is held for active, and does not work`);
    if (!active && queue.length > 0 && unread.length === 0)
      this.faults.push(`${queue.map(({ trigger }) => trigger).join()} wait, and nobody works`);
    if (!isOver(state)) return;
    this.workflow = null;
  }

  startRun({ plan, branch }: Started): { result(): Promise<RunOutcome> } {
    if (this.working) this.faults.push(`${plan.trigger} is started while ${this.working.plan.trigger} works`);
    if (this.started.includes(plan.trigger)) this.faults.push(`${plan.trigger} is started twice`);
    const without = this.#whyNothingStandsBehind(plan);
    if (without !== undefined) this.faults.push(`${plan.trigger} is started, and ${without}`);
    this.started.push(plan.trigger);
    const { promise, resolve } = Promise.withResolvers<RunOutcome>();
    this.working = { plan, branch, end: resolve, canceled: null };
    return { result: () => promise };
  }

  #whyNothingStandsBehind({ trigger, target, pullRequest }: PlannedRun): string | undefined {
    const [kind, id] = [trigger.split(':')[0], Number(trigger.split(':')[1])];
    // The next turn of a conversation does not wait for GitHub's word: it goes on until the close is heard of.
    if (kind === 'comment' && !this.workflow?.state.closed)
      return MAY.has(this.#comments.get(id) ?? 0) ? undefined : 'who said that may not';
    if (!this.place(ISSUE).open) return 'the issue is closed';
    if (kind === 'review') {
      const review = this.#reviews.get(id);
      if (!review || !MAY.has(review.by)) return 'who reviewed may not';
      return review.state === 'changes_requested' && this.place(review.pull).open
        ? undefined
        : 'the review does not stand';
    }
    const history = this.place(pullRequest ?? ISSUE).history;
    const click = history.find((each) => each.id === id && each.event === 'labeled');
    if (!click || !MAY.has(click.by.id)) return 'who clicked may not';
    const wanted = triggerOfLabel(click.label ?? '') ?? {
      stage: click.label === NEED_REVIEWER ? 'dev' : 'intake',
      kind: click.label === NEED_REVIEWER ? 'review' : 'discussion',
    };
    if (wanted.stage !== target.stage || wanted.kind !== target.kind) return `the click was on ${click.label}`;
    // Of clicks before the last close or reopening GitHub is not asked: while the label stands there, and nobody has put it on
    // since, it is taken for that of the run that waited.
    const { labels, labeled } = this.truth(pullRequest ?? ISSUE, click.label ?? '');
    if (labeled.length === 0 && labels.includes(click.label ?? '')) return undefined;
    const next = history.find((each) => each.id > id && each.label === click.label);
    return next && next.by.id !== PLATFORM.id ? 'the click was taken back' : undefined;
  }

  signalRun(workflowId: string, name: string, request?: { merged?: { number: number; url: string } }): void {
    if (workflowId !== `run:${this.working?.plan.runId}`) throw new Error('there is no such run');
    if (name === 'cancelRun' && this.working) this.working.canceled ??= { merged: request?.merged ?? null };
  }

  /** The run that works comes to its end: as it was asked to, or by itself. */
  async endRun(succeeds: boolean): Promise<void> {
    const run = this.working;
    if (!run) return;
    this.working = null;
    run.end(this.#outcomeOf(run, succeeds));
    for (let turns = 0; turns < 4; turns += 1) await Promise.resolve();
  }

  #outcomeOf({ plan, branch, canceled }: Working, succeeds: boolean): RunOutcome {
    const done = { status: 'succeeded' as const, summary: '', threadId: `thread-${plan.runId}` };
    if (canceled?.merged) return { ...done, pullRequest: canceled.merged, mergedBy: 'olivia' };
    if (canceled) return { status: 'canceled', by: 'olivia', reason: '' };
    if (!succeeds) return { status: 'failed', failure: 'agent_failed', detail: '' };
    if (plan.target.kind === 'review' || plan.target.kind === 'discussion') return { ...done, pullRequest: null };
    if (this.#pull === null) {
      this.#ids += 1;
      this.#pull = this.#ids;
      this.#places.set(this.#pull, { open: true, merged: false, branch, labels: [], history: [] });
    }
    return { ...done, pullRequest: { number: this.#pull, url: `pull/${this.#pull}` } };
  }

  // What must hold in the end.

  /** Everything is told, and acted on. */
  async settle(): Promise<void> {
    for (let index = 0; index < this.deliveries.length; index += 1) {
      if (this.deliveries[index]?.arrivals === 0) this.deliver(index);
      await this.actOnAll();
    }
  }

  /** What is not told yet of clicks that do not stand any more never will be. */
  loseWhatWasTakenBack(): void {
    for (const delivery of this.deliveries) {
      const { event, about } = delivery;
      if (event.name !== 'issues' || event.action !== 'labeled' || event.label === null) continue;
      const stands = this.place(ISSUE).labels.includes(event.label);
      if (!stands || this.truth(ISSUE, event.label).labeled.at(-1)?.id !== about) delivery.arrivals += 1;
    }
  }

  /** Clicks that stand, by people who may, on an open issue, that came to nothing and were not refused either. */
  lost(): string[] {
    const { open, labels } = this.place(ISSUE);
    return labels
      .filter((label) => open && (triggerOfLabel(label) !== undefined || label === MODE_DISCUSSION))
      .flatMap((label) => {
        const click = this.truth(ISSUE, label).labeled.at(-1);
        if (!click || !MAY.has(click.by)) return [];
        // The run may stand for an earlier click of the same person, which nobody has told of.
        const alike = this.truth(ISSUE, label).labeled.filter(({ by }) => by === click.by);
        const wanted = this.wanted();
        const hasRun =
          this.started.includes(`label:${click.id}`) ||
          this.shown.has(`label:${click.id}`) ||
          alike.some(({ id }) => wanted.includes(`label:${id}`));
        // What is refused at the edge does not say which click it means: people are told of some click of theirs.
        const atTheEdge = this.#refusedAtTheEdge.get(click.id);
        const isTold = this.told.some(({ subject, by }) => subject === `event-${click.id}` || by === atTheEdge);
        return hasRun || isTold ? [] : [`${label} of ${click.id}`];
      });
  }

  /**
   * Clicks that have a run, and of which people were told that there is none. Of somebody who clicked on a label more than
   * once, a webhook does not say which click it means.
   */
  toldWrongly(): string[] {
    const history = [...this.#places.values()].flatMap((place) => place.history);
    const clicks = history.filter(({ event }) => event === 'labeled');
    return this.started.filter((trigger) => {
      const subject = trigger.replace('label:', 'event-').replace(':', '-');
      const click = clicks.find(({ id }) => subject === `event-${id}`);
      const alike = clicks.filter(({ label: name, by }) => name === click?.label && by.id === click?.by.id);
      return alike.length <= 1 && this.told.some((refusal) => refusal.subject === subject);
    });
  }

  /** Triggers of the runs that work or wait, and that nobody has ended. */
  wanted(): string[] {
    const works = this.working && !this.working.canceled ? [this.working.plan.trigger] : [];
    return [...works, ...(this.workflow?.state.queue ?? []).map(({ trigger }) => trigger)].toSorted();
  }

  /** Acts on all that is unread. */
  async actOnAll(): Promise<void> {
    while (this.workflow && this.workflow.state.unread.length > 0) await this.act();
  }
}

function world(): World {
  return here.world as World;
}

type Step =
  | readonly ['put' | 'take', who: number, label: string]
  | readonly ['close' | 'reopen' | 'review' | 'comment' | 'ask for a reviewer' | 'let the reviewer go', who: number]
  | readonly ['close the pull request', who: number, merged: boolean]
  /** Somebody puts a label on, and the platform hears of it and acts. */
  | readonly ['ask', who: number, label: string]
  | readonly ['dismiss' | 'cancel' | 'act' | 'hear of it']
  | readonly ['deliver', which: number, hook: number]
  | readonly ['end', succeeds: boolean];

async function take(step: Step): Promise<void> {
  const github = world();
  const by = (who: number): Sender => PEOPLE[who]?.[0] ?? PLATFORM;
  const run = github.working?.plan.runId;
  switch (step[0]) {
    case 'put':
      return github.putOn(by(step[1]), step[2]);
    case 'ask':
      github.putOn(by(step[1]), step[2]);
      return hear();
    case 'hear of it':
      return hear();
    case 'take':
      return github.takeOff(by(step[1]), step[2]);
    case 'close':
    case 'reopen':
      return github.turn(by(step[1]), step[0] === 'reopen');
    case 'review':
      return github.review(by(step[1]));
    case 'comment':
      return github.comment(by(step[1]));
    case 'ask for a reviewer':
      return github.pull === null ? undefined : github.putOn(by(step[1]), NEED_REVIEWER, github.pull);
    case 'let the reviewer go':
      return github.pull === null ? undefined : github.takeOff(by(step[1]), NEED_REVIEWER, github.pull);
    case 'close the pull request':
      return github.closePull(by(step[1]), step[2]);
    case 'dismiss':
      return github.dismiss();
    case 'cancel':
      return run === undefined
        ? undefined
        : github.tell({ kind: 'cancel_requested', runId: run, by: 'olivia', reason: '' });
    case 'act':
      return github.act();
    case 'deliver':
      // Counted from the newest, so that what has just happened is told of most of the time.
      return github.deliver(github.deliveries.length - 1 - step[1], step[2]);
    case 'end':
      await github.endRun(step[1]);
      return github.act();
  }
}

/** The newest delivery arrives, and all that is unread is acted on. */
async function hear(): Promise<void> {
  world().deliver(world().deliveries.length - 1);
  await world().actOnAll();
}

const who = fc.oneof({ weight: 6, arbitrary: fc.nat(1) }, { weight: 1, arbitrary: fc.nat(4) });
const label = fc.constantFrom(...LABELS);
const seldom = <T>(arbitrary: fc.Arbitrary<T>) => ({ weight: 1, arbitrary });
const often = <T>(arbitrary: fc.Arbitrary<T>) => ({ weight: 4, arbitrary });
const onTheIssue = [
  seldom(fc.tuple(fc.constant('put' as const), who, label)),
  often(fc.tuple(fc.constantFrom('put' as const, 'take' as const), who, fc.constant('run:dev'))),
  often(fc.tuple(fc.constant('take' as const), who, label)),
  seldom(fc.tuple(fc.constantFrom('close' as const, 'reopen' as const, 'reopen' as const), who)),
];
const onThePullRequest = [
  often(fc.tuple(fc.constant('review' as const), who)),
  seldom(fc.tuple(fc.constantFrom('ask for a reviewer' as const, 'let the reviewer go' as const), who)),
  seldom(fc.tuple(fc.constant('close the pull request' as const), who, fc.boolean())),
  seldom(fc.constant(['dismiss'] as const)),
];
const inThePlatform = [
  often(fc.tuple(fc.constant('ask' as const), who, fc.constantFrom('run:dev', 'run:dev:revise', 'run:self-improve'))),
  often(fc.tuple(fc.constant('deliver' as const), fc.oneof(fc.constant(0), fc.nat(8)), fc.nat(1))),
  often(fc.constant(['act'] as const)),
  often(fc.constant(['hear of it'] as const)),
  { weight: 3, arbitrary: fc.tuple(fc.constant('end' as const), fc.boolean()) },
  seldom(fc.constant(['cancel'] as const)),
  seldom(fc.tuple(fc.constant('comment' as const), who)),
];

const DELIVERED: readonly Step[] = [
  ['ask', 0, 'run:dev'],
  ['end', true],
];

/** On a fresh issue, one whose first run has left a pull request, or one where people talk. */
const life: fc.Arbitrary<Step[]> = fc
  .tuple(
    fc.constantFrom<readonly Step[]>([], DELIVERED, DELIVERED, [['ask', 0, MODE_DISCUSSION]]),
    fc.array(fc.oneof(...onTheIssue, ...onThePullRequest, ...inThePlatform) as fc.Arbitrary<Step>, {
      maxLength: 40,
      size: 'max',
    }),
  )
  .map(([before, steps]) => [...before, ...steps]);

/** Lives the life, and tells everything that is not told yet. */
async function live(steps: readonly Step[]): Promise<World> {
  here.world = new World();
  for (const step of steps) await take(step);
  await world().settle();
  return world();
}

/** All that works and waits comes to its end, one after the other. */
async function finish(github: World): Promise<void> {
  for (let ends = 0; github.working && ends < 100; ends += 1) {
    await github.endRun(true);
    await github.settle();
  }
}

const RUNS = 1000;

function always(what: (steps: Step[]) => Promise<void>): Promise<void> {
  return fc.assert(fc.asyncProperty(life, what), { numRuns: RUNS });
}

describe('whatever people do, and however GitHub tells of it', () => {
  test('one run works at a time, and behind each stands a click, a review or a comment of somebody who may', () =>
    always(async (steps) => {
      const github = await live(steps);
      await finish(github);
      expect(github.faults).toEqual([]);
    }));

  test('no click that stands is lost: it has its run, or people were told why not', () =>
    always(async (steps) => {
      const github = await live(steps);
      expect(github.lost()).toEqual([]);
      await finish(github);
      expect(github.lost()).toEqual([]);
    }));

  test('nor is it lost when nobody ever tells of the clicks before it', () =>
    always(async (steps) => {
      here.world = new World();
      for (const step of steps) await take(step);
      world().loseWhatWasTakenBack();
      await world().settle();
      expect(world().lost()).toEqual([]);
    }));

  test('nobody is told that a click has no run that has one', () =>
    always(async (steps) => {
      const github = await live(steps);
      await finish(github);
      expect(github.toldWrongly()).toEqual([]);
    }));

  test('only people whom the platform knows are answered', () =>
    always(async (steps) => {
      const github = await live(steps);
      expect(github.told.map(({ by }) => by).filter((by) => !KNOWN.has(by))).toEqual([]);
    }));

  test('an issue that is closed comes to rest when its run has ended', () =>
    always(async (steps) => {
      const github = await live(steps);
      github.turn(PEOPLE[0]![0], true);
      github.turn(PEOPLE[0]![0], false);
      await github.settle();
      await github.endRun(false);
      await github.settle();
      expect(github.workflow).toBeNull();
      expect(github.working).toBeNull();
    }));
});

/** Steps that the properties have found, each the shortest. */
const HEARD: Step = ['hear of it'];
const CLOSED_AND_HEARD: readonly Step[] = [...DELIVERED, ['close', 0], HEARD];
const REVIEW_WAITS: readonly Step[] = [...DELIVERED, ['ask', 0, 'run:dev'], ['review', 1], HEARD];

describe('found by these', () => {
  /** Plays the steps, and nothing else is told of. */
  async function play(...steps: readonly Step[]): Promise<World> {
    here.world = new World();
    for (const step of steps) await take(step);
    return world();
  }

  test('a review on an issue that is closed starts no revise', async () => {
    const github = await play(...CLOSED_AND_HEARD, ['review', 0], HEARD);
    expect(github.started.slice(1)).toEqual([]);
  });

  test('a reviewer is not launched on the pull request of an issue that is closed', async () => {
    const github = await play(...CLOSED_AND_HEARD, ['ask for a reviewer', 0], HEARD);
    expect(github.started.slice(1)).toEqual([]);
  });

  test('a reviewer is not launched when the issue was closed and nobody told yet', async () => {
    const github = await play(...DELIVERED, ['close', 0], ['ask for a reviewer', 0], HEARD);
    expect(github.faults).toEqual([]);
  });

  test('a reviewer who waits is not launched when the issue was closed meanwhile and nobody told', async () => {
    const github = await play(
      ...DELIVERED,
      ['ask', 0, 'run:dev'],
      ['ask for a reviewer', 1],
      HEARD,
      ['close', 0],
      ['end', true],
    );
    expect(github.faults).toEqual([]);
  });

  test('a reviewer who is asked for while the run of a closed issue ends does not wait for ever', async () => {
    const github = await play(
      ...DELIVERED,
      ['ask', 0, 'run:dev'],
      ['close', 0],
      HEARD,
      ['ask for a reviewer', 0],
      HEARD,
      ['end', false],
    );
    expect(github.faults).toEqual([]);
    expect(github.workflow).toBeNull();
  });

  test('a run that waits does not wait for ever when a click says first that the issue is closed', async () => {
    const github = await play(...REVIEW_WAITS, ['close', 0], ['ask', 0, 'run:self-improve'], ['end', false]);
    expect(github.faults).toEqual([]);
  });

  test('nor does it hold up what is asked for after the issue was reopened', async () => {
    const github = await play(
      ...REVIEW_WAITS,
      ['close', 0],
      ['ask', 0, 'run:self-improve'],
      ['end', false],
      ['reopen', 0],
      HEARD,
      ['take', 0, 'run:self-improve'],
      ['ask', 0, 'run:dev'],
    );
    await github.settle();
    expect(github.working?.plan.label).toBe('run:dev');
  });

  test('a click for a reviewer is not taken for one that an earlier life of the issue has taken up', async () => {
    const github = await play(
      ...DELIVERED,
      ['ask for a reviewer', 0],
      HEARD,
      ['close', 0],
      ['ask', 0, 'run:dev'],
      ['end', false],
      ['ask for a reviewer', 0],
      ['reopen', 0],
      ['ask', 0, 'run:dev:revise'],
    );
    await github.settle();
    expect(github.faults).toEqual([]);
    expect(github.started).toHaveLength(3);
  });

  test('a comment on an issue that is known to be closed starts no turn', async () => {
    const github = await play(
      ['ask', 0, MODE_DISCUSSION],
      ['end', true],
      ['close', 0],
      ['ask', 0, 'run:dev'],
      ['comment', 0],
      HEARD,
    );
    expect(github.faults).toEqual([]);
  });

  test('a comment that two hooks tell of is answered by one turn, also when the second tells after the first is over', async () => {
    const github = await play(
      ['ask', 0, MODE_DISCUSSION],
      ['end', true],
      ['comment', 0],
      HEARD,
      ['end', true],
      ['deliver', 0, 1],
      ['act'],
    );
    expect(github.faults).toEqual([]);
  });

  test('a click that has its run is not told to be refused when a second hook tells of it beside a second label', async () => {
    const github = await play(['ask', 0, 'run:dev'], ['put', 1, 'run:qa'], ['deliver', 1, 1], ['act']);
    expect(github.told).toEqual([]);
  });

  test('a click that was refused at the edge is not told of again by a second hook, once the next one has its run', async () => {
    const github = await play(
      ['put', 1, 'run:self-improve'],
      ['ask', 0, 'run:dev'],
      ['take', 0, 'run:dev'],
      ['take', 1, 'run:self-improve'],
      ['ask', 0, 'run:dev'],
    );
    expect([github.started.length, github.told.length]).toEqual([1, 1]);
    github.deliver(1, 1);
    await github.actOnAll();
    expect(github.told).toHaveLength(1);
  });

  test('a click that was refused at the edge is not told of on an issue that is closed', async () => {
    const github = await play(
      ['put', 1, 'run:self-improve'],
      ['put', 0, 'run:dev'],
      ['close', 0],
      ['deliver', 1, 0],
      ['act'],
    );
    expect(github.told).toEqual([]);
  });

  test('a review that was refused starts nothing when a second hook tells of it later', async () => {
    const github = await play(
      ...DELIVERED,
      ['put', 0, 'state:blocked'],
      ['review', 0],
      HEARD,
      ['take', 0, 'state:blocked'],
      ['deliver', 1, 1],
      ['act'],
    );
    expect(github.told.map(({ reason }) => reason)).toEqual(['state_blocked']);
    expect(github.started.slice(1)).toEqual([]);
  });

  test('a run that waits does not start when its click was taken back before the issue was reopened', async () => {
    const github = await play(
      ['ask', 0, MODE_DISCUSSION],
      ['ask', 0, 'run:dev'],
      ['take', 0, 'run:dev'],
      ['close', 0],
      ['reopen', 0],
      ['ask', 1, 'run:dev'],
      ['end', false],
    );
    expect(github.faults).toEqual([]);
  });

  test('what the platform asked is not held against the issue when it is reopened', async () => {
    const github = await play(
      ['put', 1, 'run:self-improve'],
      ['ask', 0, 'run:dev'],
      ['close', 0],
      HEARD,
      ['reopen', 0],
      HEARD,
      ['take', 0, 'run:dev'],
      ['take', 1, 'run:self-improve'],
      ['ask', 0, 'run:dev'],
    );
    expect(github.started).toHaveLength(1);
  });

  test('a label that is taken off ends the run under it, though nobody told of an earlier click of the same person', async () => {
    const github = await play(
      ['ask', 0, 'run:dev'],
      ['take', 0, 'run:dev'],
      ['put', 1, 'run:dev'],
      ['end', false],
      ['ask', 1, 'run:dev'],
      ['take', 1, 'run:dev'],
      HEARD,
    );
    expect(github.working?.canceled).not.toBeNull();
  });

  test('a reviewer who is let go is let go, though another pull request is told of first', async () => {
    const github = await play(...DELIVERED, ['ask for a reviewer', 0], HEARD);
    const other = github.pull ?? 0;
    await take(['close the pull request', 0, true]);
    await take(HEARD);
    await take(['end', true]);
    await take(['ask', 0, 'run:dev']);
    await take(['end', true]);
    github.putOn(PEOPLE[0]![0], NEED_REVIEWER, other);
    await take(['ask for a reviewer', 0]);
    await take(HEARD);
    github.takeOff(PEOPLE[0]![0], NEED_REVIEWER, other);
    await take(['deliver', 0, 0]);
    await take(['let the reviewer go', 0]);
    await take(HEARD);
    expect(github.working?.canceled).not.toBeNull();
  });

  /** Delivers all that is left, these in this order and last, and says which runs there are then. */
  async function runsWhenToldLast(steps: readonly Step[], ...last: readonly number[]): Promise<string[]> {
    const github = await play(...steps);
    for (const index of github.deliveries.keys()) if (!last.includes(index)) github.deliver(index);
    await github.actOnAll();
    for (const [times, index] of last.entries()) {
      github.deliver(index, last.indexOf(index) === times ? 0 : 1);
      await github.actOnAll();
    }
    return github.wanted();
  }

  /** Refused beside another label, taken back, and made again alone. */
  const AGAIN: readonly Step[] = [
    ['put', 0, 'run:qa'],
    ['put', 0, 'run:dev'],
    ['take', 0, 'run:dev'],
    ['take', 0, 'run:qa'],
    ['put', 0, 'run:dev'],
  ];

  test.each<[string, number[]]>([
    ['before the click that is like it', [1, 1, 4]],
    ['around the click that is like it', [1, 4, 1]],
    ['after the click that is like it', [4, 1, 1]],
  ])('a click that was refused at the edge and that two hooks tell of %s takes no run from it', async (_when, told) => {
    expect(await runsWhenToldLast(AGAIN, ...told)).toHaveLength(1);
  });

  /** The platform takes the label off, at the end of the run before, and nobody ever tells of the click. */
  const CLEARED_UNTOLD: readonly Step[] = [
    ['ask', 0, 'run:dev'],
    ['take', 0, 'run:dev'],
    ['put', 1, 'run:dev'],
    ['end', false],
  ];

  test('a click that is told of is meant, and not one before it whose label the platform took off', async () => {
    const github = await play(...CLEARED_UNTOLD, ['ask', 1, 'run:dev']);
    const click = github.truth(ISSUE, 'run:dev').labeled.at(-1)?.id;
    expect(github.started.slice(1)).toEqual([`label:${click}`]);
    github.deliver(github.deliveries.length - 1, 1);
    await github.actOnAll();
    expect(github.wanted()).toEqual([`label:${click}`]);
  });

  test('its refusal is told under its own event, and not under that of the one before it', async () => {
    const github = await play(...CLEARED_UNTOLD, ['put', 1, 'state:blocked'], ['ask', 1, 'run:dev']);
    const click = github.truth(ISSUE, 'run:dev').labeled.at(-1)?.id;
    expect(github.told.map(({ reason, subject }) => [reason, subject])).toEqual([['state_blocked', `event-${click}`]]);
  });

  /** Taken back, and made again beside another label that is gone now. */
  const AGAIN_BESIDE: readonly Step[] = [
    ['put', 0, 'run:dev'],
    ['take', 0, 'run:dev'],
    ['put', 0, 'run:qa'],
    ['put', 0, 'run:dev'],
    ['take', 0, 'run:qa'],
  ];

  test.each<[string, number[]]>([
    ['first', [0, 3, 3]],
    ['in between', [3, 0, 3]],
    ['last', [3, 3, 0]],
  ])('a label that stands is a run when the click that was not refused is told of %s', async (_when, told) => {
    expect(await runsWhenToldLast(AGAIN_BESIDE, ...told)).toHaveLength(1);
  });
});

describe('in whatever order GitHub tells', () => {
  const onGitHub = fc.array(
    fc.oneof(
      often(fc.tuple(fc.constantFrom('put' as const, 'take' as const), who, fc.constant('run:dev'))),
      seldom(
        fc.tuple(
          fc.constantFrom('put' as const, 'take' as const),
          who,
          label.filter((name) => name !== MODE_DISCUSSION),
        ),
      ),
      seldom(fc.tuple(fc.constantFrom('close' as const, 'reopen' as const, 'reopen' as const), who)),
      ...onThePullRequest.slice(0, 2),
    ),
    // So that the queue is never full: of more than it holds, those are refused that are told of last.
    { maxLength: 10, size: 'max' },
  );
  /** Where a delivery comes, whether two hooks tell of it, and whether the workflow acts before the next one arrives. */
  const order = fc.array(fc.record({ place: fc.nat(1000), twice: fc.boolean(), acts: fc.boolean() }), {
    minLength: 30,
    maxLength: 30,
  });

  test('the same things that happened lead to the same runs', () =>
    fc.assert(
      fc.asyncProperty(onGitHub, order, order, async (steps, one, other) => {
        const runs: string[][] = [];
        for (const told of [one, other]) {
          here.world = new World();
          for (const step of [...DELIVERED, ...steps]) await take(step);
          const github = world();
          const left = github.deliveries.flatMap(({ arrivals }, index) => (arrivals === 0 ? [index] : []));
          const placeOf = (index: number): number => told[index % told.length]?.place ?? 0;
          for (const index of left.toSorted((a, b) => placeOf(a) - placeOf(b))) {
            github.deliver(index);
            if (told[index % told.length]?.twice) github.deliver(index, 1);
            if (told[index % told.length]?.acts) await github.actOnAll();
          }
          await github.actOnAll();
          runs.push(github.wanted());
        }
        expect(runs[0]).toEqual(runs[1]);
      }),
      { numRuns: RUNS },
    ));
});
