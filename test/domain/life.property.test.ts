/**
 * Whatever people do on an issue, and however GitHub tells of it, one run works at a time, each stands for a click, a
 * review or a comment of somebody who may, nothing is lost and nothing is stuck. The reducer decides, over a GitHub of some
 * lines.
 */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { startsWorkflow, type Fact } from '../../src/domain/issue/facts.ts';
import type { PriorIssueState } from '../../src/domain/issue/gates.ts';
import {
  isOver,
  newIssueState,
  type Effect,
  type Read,
  type ReadValues,
  type ResultFact,
} from '../../src/domain/issue/decide.ts';
import type { GitHubIssueState } from '../../src/domain/issue/reads.ts';
import type { PlannedRun } from '../../src/domain/issue/state.ts';
import { renderTrigger } from '../../src/domain/run/trigger.ts';
import { withdrawalsIn } from '../../src/domain/issue/confirmations.ts';
import type { RunOutcome } from '../../src/domain/run/runs.ts';
import type { Sender, Membership } from '../../src/domain/triggers/senders.ts';
import { MODE_DISCUSSION, NEED_REVIEWER, triggerOfLabel } from '../../src/domain/stages/stages.ts';
import { evaluate } from '../../src/domain/triggers/triggers.ts';
import type { WebhookEvent } from '../../src/domain/triggers/webhooks.ts';
import { knowing, MEMBER, REPOSITORY, STRANGER } from './events.ts';
import { createIssue, type Issue } from './support/issue.ts';

/** The world of the example that runs. */
const here: { world: World | undefined } = { world: undefined };

/** What a run is started with. */
interface Started {
  readonly plan: PlannedRun;
  readonly branch: string;
}

interface RefusalComment {
  readonly reason: string;
  readonly actor: string;
  readonly labels: readonly string[];
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
const PEOPLE: readonly (readonly [Sender, Membership])[] = [
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
  readonly membership: Membership;
  /** What happened, by GitHub's number. */
  readonly about: number;
  arrivals: number;
}

interface Working extends Started {
  canceled: { merged: { number: number; url: string } | null } | null;
}

/** GitHub, the inbox, the issue's workflow and its runs. */
class World {
  readonly deliveries: Delivery[] = [];
  /** Triggers of all runs that were ever started, in order. */
  readonly started: string[] = [];
  /** Triggers of all runs that have a row in the read model. */
  readonly shown = new Set<string>();
  readonly told: RefusalComment[] = [];
  prior: PriorIssueState | null = null;
  workflow: Issue | null = null;
  working: Working | null = null;
  readonly faults: string[] = [];
  readonly #places = new Map<number, Place>();
  readonly #reviews = new Map<number, { account: number; pull: number; state: string; at: number }>();
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
    this.#reviews.set(this.#ids, { account: by.id, pull: this.#pull, state: 'changes_requested', at: this.#ids });
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
      comment: { id: this.#ids, body: 'Well?', sha256: '', author: by.id, before: null, at: this.#now() },
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
    const membership = PEOPLE.find(([{ id }]) => id === by.id)?.[1] ?? STRANGER;
    this.deliveries.push({ event, membership, about: this.#ids, arrivals: 0 });
  }

  #now(): string {
    return new Date(this.#seconds * 1000).toISOString();
  }

  // What GitHub says when it is asked.

  github(number: number, label: string): GitHubIssueState {
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
        return [{ id, account: by.id, at, takenOffBy, clearedByPlatform: takenOffBy?.id === PLATFORM.id }];
      }),
    };
  }

  candidates(): { open: boolean; merged: boolean } {
    const pulls = [...this.#places].filter(([number]) => number !== ISSUE).map(([, place]) => place);
    return { open: pulls.some(({ open }) => open), merged: pulls.some(({ merged }) => merged) };
  }

  reviewState(pull: number, id: number) {
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
    const { fact } = evaluate(delivery.event, knowing(delivery.membership, true), identity);
    if (!fact) return;
    if (fact.kind === 'trigger_refused') this.#refusedAtTheEdge.set(delivery.about, fact.by.login);
    if (!this.workflow) {
      if (!startsWorkflow(fact)) return;
      const issue = { repositoryId: REPOSITORY.id, owner: 'acme', name: 'demo', number: ISSUE };
      this.workflow = createIssue(newIssueState(issue, 'Count words', '', this.#now()), {
        now: () => this.#now(),
        read: (read) => this.#read(read),
        perform: (effect) => this.#perform(effect),
      });
    }
    this.#seq += 1;
    this.workflow.tell({ seq: this.#seq, fact });
  }

  /** What a decision asks for. */
  #read(read: Read): ReadValues[keyof ReadValues] {
    switch (read.kind) {
      case 'trigger': {
        const shown = this.github(read.issue.number, read.label);
        return {
          issue: { ...shown, prior: this.prior, refused: {}, candidates: this.candidates() },
          settings: SETTINGS,
        };
      }
      case 'issue':
        return this.github(read.issue.number, read.label);
      case 'review':
        return this.reviewState(read.pullRequest, read.review);
      case 'withdrawals':
        return withdrawalsIn(this.github(read.issue.number, read.label), read.events, read.people);
      case 'pull_request': {
        const { open, merged } = this.place(read.pullRequest);
        return { open, merged };
      }
      case 'settings':
        return SETTINGS;
      case 'repository':
        throw new Error('nobody says that the repository is gone');
    }
  }

  /** What was decided. */
  #perform(effect: Effect): ResultFact | undefined {
    switch (effect.kind) {
      case 'record_issue':
        this.prior = effect.row.past;
        return undefined;
      case 'show_run':
        this.shown.add(renderTrigger(effect.plan.trigger));
        return undefined;
      case 'write_refusal':
        this.told.push(effect.refusal);
        return undefined;
      case 'move_labels':
        if (effect.remove !== null) this.takeOff(PLATFORM, effect.remove, effect.issue.number);
        if (effect.add !== null) this.putOn(PLATFORM, effect.add, effect.issue.number);
        return undefined;
      case 'cancel_run':
        return this.#cancelRun(effect);
      case 'start_run':
        this.#startRun(effect.start);
        return { kind: 'run_started', runId: effect.start.plan.runId };
      case 'remove_workspace': {
        const { workspace, reason } = effect;
        return { kind: 'workspace_removed', workspace, reason, result: { removed: true } };
      }
      case 'at_once':
      case 'comment_answers':
      case 'end_run':
      case 'go_on':
      case 'lease_slot':
      case 'end_review':
      case 'react':
      case 'release_slot':
      case 'restore_status_comment':
      case 'show_workspace_end':
      case 'stop_agent':
        return undefined;
    }
  }

  /** From within: not by a delivery. */
  tell(fact: Fact): void {
    this.workflow?.learn(fact);
  }

  /** The workflow acts on one fact, if one is unread. */
  act(): void {
    if (!this.workflow || this.workflow.state().unread.length === 0) return;
    this.workflow.act();
    const state = this.workflow.state();
    const { active, queue, unread } = state;
    if (active && active.runId !== this.working?.plan.runId && !unread.some(({ seq }) => seq === null))
      this.faults.push(`${renderTrigger(active.trigger)} is held for active, and does not work`);
    if (!active && queue.length > 0 && unread.length === 0)
      this.faults.push(`${queue.map(({ trigger }) => renderTrigger(trigger)).join()} wait, and nobody works`);
    if (isOver(state)) this.workflow = null;
  }

  #startRun({ plan, branch }: Started): void {
    const trigger = renderTrigger(plan.trigger);
    if (this.working) this.faults.push(`${trigger} is started while ${this.working.plan.runId} works`);
    if (this.started.includes(trigger)) this.faults.push(`${trigger} is started twice`);
    const without = this.#whyNothingStandsBehind(plan);
    if (without !== undefined) this.faults.push(`${trigger} is started, and ${without}`);
    this.started.push(trigger);
    this.working = { plan, branch, canceled: null };
  }

  #cancelRun({ runId, actor, reason, merged }: Extract<Effect, { kind: 'cancel_run' }>): undefined {
    if (runId !== this.working?.plan.runId)
      return this.workflow?.learn({
        kind: 'run_lost',
        runId,
        outcome: { status: 'canceled', actor, reason },
      }) as undefined;
    this.working.canceled ??= { merged };
  }

  #whyNothingStandsBehind({ trigger, target, pullRequest }: PlannedRun): string | undefined {
    const { kind } = trigger;
    const id = kind === 'label' ? trigger.event : kind === 'review' ? trigger.review : trigger.comment;
    // The next turn of a conversation does not wait for GitHub's word: it goes on until the close is heard of.
    if (kind === 'comment' && !this.workflow?.state().closed)
      return MAY.has(this.#comments.get(id) ?? 0) ? undefined : 'who said that may not';
    if (!this.place(ISSUE).open) return 'the issue is closed';
    if (kind === 'review') {
      const review = this.#reviews.get(id);
      if (!review || !MAY.has(review.account)) return 'who reviewed may not';
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
    const { labels, labeled } = this.github(pullRequest ?? ISSUE, click.label ?? '');
    if (labeled.length === 0 && labels.includes(click.label ?? '')) return undefined;
    const next = history.find((each) => each.id > id && each.label === click.label);
    return next && next.by.id !== PLATFORM.id ? 'the click was taken back' : undefined;
  }

  /** The run that works comes to its end: as it was asked to, or by itself. */
  endRun(succeeds: boolean): void {
    const run = this.working;
    if (!run) return;
    this.working = null;
    const outcome = this.#outcomeOf(run, succeeds);
    const { runId } = run.plan;
    if (this.workflow?.state().active?.runId === runId) this.tell({ kind: 'run_finished', runId, outcome });
  }

  #outcomeOf({ plan, branch, canceled }: Working, succeeds: boolean): RunOutcome {
    const done = { status: 'succeeded' as const, summary: '', threadId: `thread-${plan.runId}` };
    if (canceled?.merged) return { ...done, pullRequest: canceled.merged, mergedBy: 'olivia' };
    if (canceled) return { status: 'canceled', actor: 'olivia', reason: '' };
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
  settle(): void {
    for (let index = 0; index < this.deliveries.length; index += 1) {
      if (this.deliveries[index]?.arrivals === 0) this.deliver(index);
      this.actOnAll();
    }
  }

  /** What is not told yet of clicks that do not stand any more never will be. */
  loseWhatWasTakenBack(): void {
    for (const delivery of this.deliveries) {
      const { event, about } = delivery;
      if (event.name !== 'issues' || event.action !== 'labeled' || event.label === null) continue;
      const stands = this.place(ISSUE).labels.includes(event.label);
      if (!stands || this.github(ISSUE, event.label).labeled.at(-1)?.id !== about) delivery.arrivals += 1;
    }
  }

  /** Clicks that stand, by people who may, on an open issue, that came to nothing and were not refused either. */
  lost(): string[] {
    const { open, labels } = this.place(ISSUE);
    return labels
      .filter((label) => open && (triggerOfLabel(label) !== undefined || label === MODE_DISCUSSION))
      .flatMap((label) => {
        const click = this.github(ISSUE, label).labeled.at(-1);
        if (!click || !MAY.has(click.account)) return [];
        // The run may stand for an earlier click of the same person, which nobody has told of.
        const alike = this.github(ISSUE, label).labeled.filter(({ account }) => account === click.account);
        const wanted = this.wanted();
        const hasRun =
          this.started.includes(`label:${click.id}`) ||
          this.shown.has(`label:${click.id}`) ||
          alike.some(({ id }) => wanted.includes(`label:${id}`));
        // What is refused at the edge does not say which click it means: people are told of some click of theirs.
        const atTheEdge = this.#refusedAtTheEdge.get(click.id);
        const { login } = this.place(ISSUE).history.find(({ id }) => id === click.id)?.by ?? {};
        // One explanation names all labels of a conflict.
        const isTold = this.told.some(
          ({ subject, actor, labels: named }) =>
            subject === `event-${click.id}` || actor === atTheEdge || (actor === login && named.includes(label)),
        );
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
    const works = this.working && !this.working.canceled ? [renderTrigger(this.working.plan.trigger)] : [];
    return [...works, ...(this.workflow?.state().queue ?? []).map(({ trigger }) => renderTrigger(trigger))].toSorted();
  }

  /** Acts on all that is unread. */
  actOnAll(): void {
    while (this.workflow && this.workflow.state().unread.length > 0) this.act();
  }
}

function world(): World {
  if (!here.world) throw new Error('no example runs');
  return here.world;
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

function take(step: Step): void {
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
        : github.tell({ kind: 'cancel_requested', runId: run, actor: 'olivia', reason: '' });
    case 'act':
      return github.act();
    case 'deliver':
      // Counted from the newest, so that what has just happened is told of most of the time.
      return github.deliver(github.deliveries.length - 1 - step[1], step[2]);
    case 'end':
      github.endRun(step[1]);
      return github.act();
  }
}

/** The newest delivery arrives, and all that is unread is acted on. */
function hear(): void {
  world().deliver(world().deliveries.length - 1);
  world().actOnAll();
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
function live(steps: readonly Step[]): World {
  here.world = new World();
  for (const step of steps) take(step);
  world().settle();
  return world();
}

/** All that works and waits comes to its end, one after the other. */
function finish(github: World): void {
  for (let ends = 0; github.working && ends < 100; ends += 1) {
    github.endRun(true);
    github.settle();
  }
}

const RUNS = 1000;

function always(what: (steps: Step[]) => void): void {
  // A failure prints the seed and the path, which repeat it when they are given here, and the shortest life that fails.
  fc.assert(fc.property(life, what), { numRuns: RUNS });
}

describe('whatever people do, and however GitHub tells of it', () => {
  test('one run works at a time, and behind each stands a click, a review or a comment of somebody who may', () =>
    always((steps) => {
      const github = live(steps);
      finish(github);
      expect(github.faults).toEqual([]);
    }));

  test('no valid label is lost: it has its run, or a comment says why not', () =>
    always((steps) => {
      const github = live(steps);
      expect(github.lost()).toEqual([]);
      finish(github);
      expect(github.lost()).toEqual([]);
    }));

  test('nor is it lost when nobody ever tells of the clicks before it', () =>
    always((steps) => {
      here.world = new World();
      for (const step of steps) take(step);
      world().loseWhatWasTakenBack();
      world().settle();
      expect(world().lost()).toEqual([]);
    }));

  test('no comment says that a label has no run when it has one', () =>
    always((steps) => {
      const github = live(steps);
      finish(github);
      expect(github.toldWrongly()).toEqual([]);
    }));

  test('only people whom the platform knows are answered', () =>
    always((steps) => {
      const github = live(steps);
      expect(github.told.map(({ actor }) => actor).filter((actor) => !KNOWN.has(actor))).toEqual([]);
    }));

  test('an issue that is closed comes to rest when its run has ended', () =>
    always((steps) => {
      const github = live(steps);
      github.turn(PEOPLE[0]![0], true);
      github.turn(PEOPLE[0]![0], false);
      github.settle();
      github.endRun(false);
      github.settle();
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
  function play(...steps: readonly Step[]): World {
    here.world = new World();
    for (const step of steps) take(step);
    return world();
  }

  test('a review on an issue that is closed starts no revise', () => {
    const github = play(...CLOSED_AND_HEARD, ['review', 0], HEARD);
    expect(github.started.slice(1)).toEqual([]);
  });

  test('a reviewer is not launched on the pull request of an issue that is closed', () => {
    const github = play(...CLOSED_AND_HEARD, ['ask for a reviewer', 0], HEARD);
    expect(github.started.slice(1)).toEqual([]);
  });

  test('a reviewer is not launched when the issue was closed and no webhook reported it yet', () => {
    const github = play(...DELIVERED, ['close', 0], ['ask for a reviewer', 0], HEARD);
    expect(github.faults).toEqual([]);
  });

  test('a reviewer who waits is not launched when the issue was closed meanwhile and no delivery says so', () => {
    const github = play(
      ...DELIVERED,
      ['ask', 0, 'run:dev'],
      ['ask for a reviewer', 1],
      HEARD,
      ['close', 0],
      ['end', true],
    );
    expect(github.faults).toEqual([]);
  });

  test('a reviewer who is asked for while the run of a closed issue ends does not wait for ever', () => {
    const github = play(...DELIVERED, ['ask', 0, 'run:dev'], ['close', 0], HEARD, ['ask for a reviewer', 0], HEARD, [
      'end',
      false,
    ]);
    expect(github.faults).toEqual([]);
    expect(github.workflow).toBeNull();
  });

  test('a reviewer who is asked for does not wait for ever when no delivery says that the issue was reopened', () => {
    const github = play(
      ...DELIVERED,
      ['ask', 0, 'run:dev'],
      ['close', 0],
      HEARD,
      ['reopen', 0],
      ['ask for a reviewer', 0],
      HEARD,
      ['end', false],
    );
    expect(github.faults).toEqual([]);
    expect(github.started).toHaveLength(3);
  });

  test('a run that waits does not wait for ever when a click says first that the issue is closed', () => {
    const github = play(...REVIEW_WAITS, ['close', 0], ['ask', 0, 'run:self-improve'], ['end', false]);
    expect(github.faults).toEqual([]);
  });

  test('nor does it hold up what is asked for after the issue was reopened', () => {
    const github = play(
      ...REVIEW_WAITS,
      ['close', 0],
      ['ask', 0, 'run:self-improve'],
      ['end', false],
      ['reopen', 0],
      HEARD,
      ['take', 0, 'run:self-improve'],
      ['ask', 0, 'run:dev'],
    );
    github.settle();
    expect(github.working?.plan.label).toBe('run:dev');
  });

  test('a click for a reviewer is not taken for one that an earlier life of the issue has taken up', () => {
    const github = play(
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
    github.settle();
    expect(github.faults).toEqual([]);
    expect(github.started).toHaveLength(3);
  });

  test('a comment on an issue that is known to be closed starts no turn', () => {
    const github = play(
      ['ask', 0, MODE_DISCUSSION],
      ['end', true],
      ['close', 0],
      ['ask', 0, 'run:dev'],
      ['comment', 0],
      HEARD,
    );
    expect(github.faults).toEqual([]);
  });

  test('a comment that two hooks tell of is answered by one turn, also when the second tells after the first is over', () => {
    const github = play(
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

  test('a label that has its run is not refused in a comment when a second webhook delivers it beside a second label', () => {
    const github = play(['ask', 0, 'run:dev'], ['put', 1, 'run:qa'], ['deliver', 1, 1], ['act']);
    expect(github.told).toEqual([]);
  });

  test('a label that was refused by the webhook route has no second comment through a second webhook, once the next one has its run', () => {
    const github = play(
      ['put', 1, 'run:self-improve'],
      ['ask', 0, 'run:dev'],
      ['take', 0, 'run:dev'],
      ['take', 1, 'run:self-improve'],
      ['ask', 0, 'run:dev'],
    );
    expect([github.started.length, github.told.length]).toEqual([1, 1]);
    github.deliver(1, 1);
    github.actOnAll();
    expect(github.told).toHaveLength(1);
  });

  test('a label that was refused by the webhook route has no comment on an issue that is closed', () => {
    const github = play(
      ['put', 1, 'run:self-improve'],
      ['put', 0, 'run:dev'],
      ['close', 0],
      ['deliver', 1, 0],
      ['act'],
    );
    expect(github.told).toEqual([]);
  });

  test('a review that was refused starts nothing when a second hook tells of it later', () => {
    const github = play(
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

  test('a run that waits does not start when its click was taken back before the issue was reopened', () => {
    const github = play(
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

  test('what the platform asked is not held against the issue when it is reopened', () => {
    const github = play(
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

  test('a label that is taken off ends the run under it, though an earlier label event of the same person was never delivered', () => {
    const github = play(
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

  test('a reviewer who is dropped is dropped, though another pull request is reported first', () => {
    const github = play(...DELIVERED, ['ask for a reviewer', 0], HEARD);
    const other = github.pull ?? 0;
    take(['close the pull request', 0, true]);
    take(HEARD);
    take(['end', true]);
    take(['ask', 0, 'run:dev']);
    take(['end', true]);
    github.putOn(PEOPLE[0]![0], NEED_REVIEWER, other);
    take(['ask for a reviewer', 0]);
    take(HEARD);
    github.takeOff(PEOPLE[0]![0], NEED_REVIEWER, other);
    take(['deliver', 0, 0]);
    take(['let the reviewer go', 0]);
    take(HEARD);
    expect(github.working?.canceled).not.toBeNull();
  });

  /** Delivers all that is left, these in this order and last, and says which runs there are then. */
  function runsWhenToldLast(steps: readonly Step[], ...last: readonly number[]): string[] {
    const github = play(...steps);
    for (const index of github.deliveries.keys()) if (!last.includes(index)) github.deliver(index);
    github.actOnAll();
    for (const [times, index] of last.entries()) {
      github.deliver(index, last.indexOf(index) === times ? 0 : 1);
      github.actOnAll();
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
  ])('a click that was refused at the edge and that two hooks tell of %s takes no run from it', (_when, told) => {
    expect(runsWhenToldLast(AGAIN, ...told)).toHaveLength(1);
  });

  /** The platform takes the label off, at the end of the run before, and nobody ever tells of the click. */
  const CLEARED_UNTOLD: readonly Step[] = [
    ['ask', 0, 'run:dev'],
    ['take', 0, 'run:dev'],
    ['put', 1, 'run:dev'],
    ['end', false],
  ];

  test('a label event that is delivered is meant, and not one before it whose label the platform took off', () => {
    const github = play(...CLEARED_UNTOLD, ['ask', 1, 'run:dev']);
    const click = github.github(ISSUE, 'run:dev').labeled.at(-1)?.id;
    expect(github.started.slice(1)).toEqual([`label:${click}`]);
    github.deliver(github.deliveries.length - 1, 1);
    github.actOnAll();
    expect(github.wanted()).toEqual([`label:${click}`]);
  });

  test('its refusal is recorded under its own event, and not under that of the one before it', () => {
    const github = play(...CLEARED_UNTOLD, ['put', 1, 'state:blocked'], ['ask', 1, 'run:dev']);
    const click = github.github(ISSUE, 'run:dev').labeled.at(-1)?.id;
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
  ])('a label that stands is a run when the click that was not refused is told of %s', (_when, told) => {
    expect(runsWhenToldLast(AGAIN_BESIDE, ...told)).toHaveLength(1);
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
      fc.property(onGitHub, order, order, (steps, one, other) => {
        const runs: string[][] = [];
        for (const told of [one, other]) {
          here.world = new World();
          for (const step of [...DELIVERED, ...steps]) take(step);
          const github = world();
          const left = github.deliveries.flatMap(({ arrivals }, index) => (arrivals === 0 ? [index] : []));
          const placeOf = (index: number): number => told[index % told.length]?.place ?? 0;
          for (const index of left.toSorted((a, b) => placeOf(a) - placeOf(b))) {
            github.deliver(index);
            if (told[index % told.length]?.twice) github.deliver(index, 1);
            if (told[index % told.length]?.acts) github.actOnAll();
          }
          github.actOnAll();
          runs.push(github.wanted());
        }
        expect(runs[0]).toEqual(runs[1]);
      }),
      { numRuns: RUNS },
    ));
});
