/** An issue on the reducer, over a GitHub of a few lines: what people do, what runs come to, and what was decided. */
import { withdrawalsIn } from '../../../src/domain/issue/confirmations.ts';
import { newIssueState, type Effect, type Read, type ResultFact } from '../../../src/domain/issue/decide.ts';
import type { FlowEvent } from '../../../src/domain/issue/effects.ts';
import type { Account, Fact, GoneReason, ObservedFact } from '../../../src/domain/issue/facts.ts';
import type { Candidates, PriorIssueState } from '../../../src/domain/issue/gates.ts';
import type { GitHubIssueState, GitHubReviewState, LabeledEvent } from '../../../src/domain/issue/reads.ts';
import type { PlannedRun } from '../../../src/domain/issue/state.ts';
import type { RunOutcome } from '../../../src/domain/run/runs.ts';
import type { RunSettings } from '../../../src/domain/stages/settings.ts';
import { triggerLabel, type Stage, type TriggerTarget } from '../../../src/domain/stages/stages.ts';
import { createIssue } from './issue.ts';
import { AT, ISSUE, OLIVIA } from './issues.ts';

type DeliveryFact = Extract<Fact, { delivery: string }>;
type Omitted<Facts> = Facts extends unknown ? Omit<Facts, 'delivery' | 'by' | 'at'> : never;
type Done = Extract<RunOutcome, { status: 'succeeded' }>;
type Of<Kind> = Extract<Effect, { kind: Kind }>;

const HOUR = 3_600_000;
export const DEV: TriggerTarget = { stage: 'dev', kind: 'work' };
export const TALK: TriggerTarget = { stage: 'intake', kind: 'discussion' };
export const work = (stage: Stage): TriggerTarget => ({ stage, kind: 'work' });

export type Scene = ReturnType<typeof createScene>;

export function createScene() {
  let now = Date.parse(AT);
  let seq = 0;
  const effects: Effect[] = [];
  const github = {
    open: true,
    /** Whether GitHub does not show the issue. */
    deleted: false,
    /** Whether it answers nothing but the issue and its labels. */
    refusesToShow: false,
    labels: [] as string[],
    clicks: [] as LabeledEvent[],
    pullRequest: { open: true, merged: false },
    reviews: new Map<number, Partial<GitHubReviewState>>(),
    candidates: undefined as Candidates | undefined,
    /** People who may not start runs any more, by account id. */
    refused: {} as Record<string, string>,
    repository: 'shown' as 'shown' | 'archived' | 'gone',
    prior: null as PriorIssueState | null,
  };
  const settings = {
    project: 'trial',
    locale: 'en',
    baseBranch: 'main',
    model: 'test-model',
    reasoningEffort: 'high',
    dashboardUrl: 'http://dashboard',
    workspaceHours: 24,
  } as const;
  const scene = {
    github,
    effects,
    /** What the project chooses; null for a repository that is bound to none. */
    settings: settings as RunSettings | null,
    /** What comes of removing the workspace. */
    removal: { removed: true } as Extract<ResultFact, { kind: 'workspace_removed' }>['result'],
    /** Why no run can be started. */
    startProblem: undefined as string | undefined,
    state: () => issue.state(),

    /** A fact from a delivery of its own, by olivia. */
    delivered(fact: Omitted<DeliveryFact>, by: Account = OLIVIA): ObservedFact {
      seq += 1;
      return { seq, fact: { ...fact, delivery: `delivery-${seq}`, by, at: scene.now() } };
    },
    /** Facts that arrive together, and are acted on. */
    tell(...facts: ObservedFact[]): void {
      issue.tell(...facts);
      issue.actOnAll();
    },
    learn(fact: Fact): void {
      issue.learn(fact);
      issue.actOnAll();
    },
    /** Somebody puts the label of a target on, and GitHub tells of it later. The run has the id of the click: `run-100` is the first. */
    click(target: TriggerTarget, onPullRequest?: number): ObservedFact {
      const label = triggerLabel(target);
      const id = 100 + github.clicks.length;
      github.clicks.push({ id, account: OLIVIA.id, at: scene.now(), clearedByPlatform: false, takenOffBy: null });
      if (!github.labels.includes(label)) github.labels.push(label);
      const pullRequest = onPullRequest === undefined ? {} : { pullRequest: onPullRequest };
      return scene.delivered({ kind: 'trigger_label_added', label, target, runId: `run-${id}`, ...pullRequest });
    },
    asks: (target: TriggerTarget, onPullRequest?: number): void => scene.tell(scene.click(target, onPullRequest)),
    /** Changes are requested on the pull request; the run has the id of the review: `run-900`. */
    reviewed: (review: number, more: { outdated?: true; labels?: string[] } = {}): ObservedFact =>
      scene.delivered({
        kind: 'changes_requested',
        pullRequest: 13,
        pullRequestUrl: 'pull/13',
        branch: 'codex/issue-7',
        review,
        labels: [],
        runId: `run-${review}`,
        ...more,
      }),
    closed: (gone?: 'deleted' | 'transferred'): ObservedFact =>
      scene.delivered({ kind: 'issue_closed', ...(gone && { gone }) }),
    pullRequestClosed: (merged: boolean): ObservedFact =>
      scene.delivered({ kind: 'pull_request_closed', pullRequest: 13, merged }),
    repositoryGone: (reason: GoneReason): ObservedFact => scene.delivered({ kind: 'repository_gone', reason }),
    removed: (label: string, by?: Account): ObservedFact =>
      scene.delivered({ kind: 'trigger_label_removed', label }, by),
    comment: (comment: number): ObservedFact =>
      scene.delivered({
        kind: 'comment_added',
        comment,
        sha256: `sha256 of ${comment}`,
        createdAt: scene.now(),
        runId: `run-${comment}`,
      }),

    /** GitHub's record: a click was taken back. */
    takenOff(click: number, by: Account): void {
      github.clicks = github.clicks.map((each) => (each.id === click ? { ...each, takenOffBy: by } : each));
    },
    /** The active run ends with its work. */
    ends(more: Partial<Done> = {}): void {
      scene.endsAs({
        status: 'succeeded',
        pullRequest: { number: 13, url: 'pull/13' },
        summary: 'Did it.',
        threadId: 'thread-1',
        headSha: 'a'.repeat(40),
        ...more,
      });
    },
    endsAs(outcome: RunOutcome): void {
      const { active } = issue.state();
      if (!active) throw new Error('no run is active');
      scene.learn({ kind: 'run_finished', runId: active.runId, outcome });
    },
    /** A stage is asked for and done. */
    does(stage: Stage, more: Partial<Done> = {}): void {
      scene.asks(work(stage));
      scene.ends(more);
    },
    now: (): string => new Date(now).toISOString(),
    /** Time passes, and the issue wakes. */
    passes(hours: number): void {
      now += hours * HOUR;
      issue.passTime();
    },

    /** What was decided, of one kind, in order. */
    all: <Kind extends Effect['kind']>(kind: Kind): Of<Kind>[] =>
      effects.filter((effect): effect is Of<Kind> => effect.kind === kind),
    started: (): PlannedRun[] => scene.all('start_run').map(({ start }) => start.plan),
    refusals: (): Of<'write_refusal'>['refusal'][] => scene.all('write_refusal').map(({ refusal }) => refusal),
    canceled: (): string[] =>
      scene.all('cancel_run').map(({ runId, actor, reason }) => `${runId} by ${actor}: ${reason}`),
    /** How runs ended that had no workflow any more, or none yet. */
    shownEnds: (): string[] =>
      scene.all('show_run').flatMap(({ plan, shown }) => {
        if (!('outcome' in shown) || shown.outcome.status !== 'canceled') return [];
        return [`${plan.runId} by ${shown.outcome.actor}: ${shown.outcome.reason}`];
      }),
    events: (type?: string): FlowEvent[] =>
      scene
        .all('record_issue')
        .flatMap(({ events }) => events)
        .filter((event) => type === undefined || event.type === type),
  };
  const issue = createIssue(newIssueState(ISSUE, 'Add a flag', 'issues/7', AT), {
    now: () => scene.now(),
    read: (read) => answer(read),
    perform,
  });

  function shown(): GitHubIssueState {
    if (github.deleted) throw new Error('gone');
    return { open: github.open, title: 'Add a flag', labels: [...github.labels], labeled: [...github.clicks] };
  }

  function answer(read: Read): unknown {
    if (github.refusesToShow && read.kind !== 'issue' && read.kind !== 'settings') throw new Error('not shown');
    switch (read.kind) {
      case 'trigger': {
        const { prior, refused, candidates } = github;
        return { issue: { ...shown(), prior, refused, ...(candidates && { candidates }) }, settings: scene.settings };
      }
      case 'issue':
        return { ...shown(), refused: github.refused };
      case 'review': {
        const asks = { pullRequestOpen: true, state: 'changes_requested', approvedSince: false, ofEarlierLife: false };
        return { ...asks, ...github.reviews.get(read.review) };
      }
      case 'withdrawals':
        return withdrawalsIn(shown(), read.events, read.people);
      case 'pull_request':
        return { ...github.pullRequest };
      case 'repository':
        if (github.repository === 'gone') throw new Error('gone');
        return { archived: github.repository === 'archived' };
      case 'settings':
        if (!scene.settings) throw new Error('not bound');
        return scene.settings;
    }
  }

  function perform(effect: Effect): ResultFact | undefined {
    effects.push(effect);
    if (effect.kind === 'move_labels') {
      github.labels = github.labels.filter((label) => label !== effect.remove);
      if (effect.add !== null) github.labels.push(effect.add);
    }
    if (effect.kind === 'start_run') {
      const { runId } = effect.start.plan;
      if (scene.startProblem === undefined) return { kind: 'run_started', runId };
      return { kind: 'run_not_started', runId, reason: scene.startProblem };
    }
    if (effect.kind === 'lease_slot')
      return { kind: 'slot_leased', runId: effect.runId, name: 'trial-dev-1', settings: effect.settings };
    if (effect.kind === 'remove_workspace') {
      const { workspace, reason } = effect;
      return { kind: 'workspace_removed', workspace, reason, result: scene.removal };
    }
    return undefined;
  }

  return scene;
}
