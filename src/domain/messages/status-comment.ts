/** The status comment of a run. It mirrors the workflow's state, so an edited or deleted comment can be restored. */
import type { AgentCliName } from '../stages/clis.ts';
import type { Failure, RunOutcome, RunStatus } from '../run/runs.ts';
import type { Trigger } from '../run/trigger.ts';
import type { Request } from '../run/requests.ts';
import type { WorkNotes } from '../run/work-notes.ts';
import { renderWorkNotes } from './work-notes.ts';
import type { RunWait } from '../run/waits.ts';
import { leavesWork, triggerLabel, type Stage, type TriggerTarget } from '../stages/stages.ts';
import type { IssueRef } from '../issue/facts.ts';
import { minute, workspaceEndMarker } from './workspace-removal.ts';
import { costMarker } from './costs.ts';
import { latestOutputMarker } from './latest-output.ts';
import { embedded, lineBy, plainBy, quoted } from './markdown.ts';
import { issueOfBranch } from '../issue/names.ts';
import { renderNextSteps, type Pages } from './next-steps.ts';
import type { Locale } from '../locale.ts';
import { commentTexts } from './comment-texts.ts';

/** Characters of names, of reasons and of an option that are shown. */
const NAME_LENGTH = 100;
const REASON_LENGTH = 1000;
const OPTION_LENGTH = 200;

/** A step of the timeline; `at` is ISO 8601. */
export interface TimelineStep {
  readonly step: RunStatus;
  readonly at: string;
}

/** The state of a run that the comment shows. */
export interface RunProgress {
  readonly runId: string;
  readonly target: TriggerTarget;
  readonly status: RunStatus;
  readonly requestedBy: string;
  /** Whether a review asked for the run. */
  readonly byReview: boolean;
  /** Set if the person who asked is the account of the platform's token: GitHub lets nobody request changes on their own work. */
  readonly byOwnAccount?: true;
  /** The position in a queue, from 1, while the run is queued. */
  readonly queuePosition: number | null;
  /** Set while the queue is that for permits of its project (src/domain/run/permits.ts). */
  readonly queueOf?: 'project';
  readonly timeline: readonly TimelineStep[];
  readonly branch: string;
  readonly workspace: string | null;
  readonly workspaceUntil: string | null;
  /** The agent's program; missing of a run that a version before 0.5.0 began. */
  readonly cli?: AgentCliName;
  readonly model: string | null;
  readonly reasoningEffort: string | null;
  readonly pullRequest: { readonly number: number; readonly url: string } | null;
  readonly summary: string | null;
  readonly failure: { readonly reason: Failure; readonly detail: string } | null;
  readonly canceled: { readonly actor: string; readonly reason: string } | null;
  /** Who merged the pull request while the agent still worked. */
  readonly mergedBy?: string;
  /** Of a rethink that is done: the stage that it goes back to. */
  readonly backTo?: Stage;
  /** Of a run that succeeded: what was not committed, and what the clone lacked. */
  readonly notes?: WorkNotes;
  /** Passages and characters that nobody sees on GitHub, and that were removed from what the agent is given. */
  readonly hidden?: number;
  /** Why the documents that `services.yaml` names were left out, as the end of a sentence about that file. */
  readonly documentsProblem?: string;
  /** Set while it waits for people. */
  readonly wait?: RunWait;
  /** The open question. */
  readonly question?: Pick<Request, 'question' | 'options'>;
}

/** The progress of a run that was just requested. `account`: the login of the platform's token. */
export function newRunProgress(
  run: { runId: string; target: TriggerTarget; trigger: Trigger; by: { login: string }; requestedAt: string },
  known: Pick<RunProgress, 'branch' | 'cli' | 'model' | 'reasoningEffort' | 'pullRequest'>,
  account?: string,
): RunProgress {
  return {
    runId: run.runId,
    target: run.target,
    status: 'queued',
    requestedBy: run.by.login,
    byReview: run.trigger.kind === 'review',
    ...(account?.toLowerCase() === run.by.login.toLowerCase() ? { byOwnAccount: true as const } : {}),
    queuePosition: null,
    timeline: [{ step: 'queued', at: run.requestedAt }],
    workspace: null,
    workspaceUntil: null,
    summary: null,
    failure: null,
    canceled: null,
    ...known,
  };
}

/** The progress after entering a step; entering the present one changes nothing. */
export function withStep(progress: RunProgress, step: RunStatus, at: string): RunProgress {
  return progress.status === step
    ? progress
    : { ...progress, status: step, timeline: [...progress.timeline, { step, at }] };
}

/** The progress after its end. */
export function withOutcome(progress: RunProgress, outcome: RunOutcome, at: string): RunProgress {
  const ended = withStep(progress, outcome.status, at);
  switch (outcome.status) {
    case 'succeeded':
      return {
        ...ended,
        summary: outcome.summary,
        pullRequest: outcome.pullRequest,
        ...(outcome.mergedBy === undefined ? {} : { mergedBy: outcome.mergedBy }),
        ...(outcome.backTo === undefined ? {} : { backTo: outcome.backTo }),
        ...(outcome.notes === undefined ? {} : { notes: outcome.notes }),
      };
    case 'failed':
      return { ...ended, failure: { reason: outcome.failure, detail: outcome.detail } };
    case 'canceled':
      return { ...ended, canceled: { actor: outcome.actor, reason: outcome.reason } };
  }
}

/** The issue or pull request for a run's comment: the pull request if a review or a label there asked for the run. */
export function commentSubject(
  issue: IssueRef,
  run: { readonly trigger: Trigger; readonly pullRequest?: number },
  pullRequest: { readonly number: number } | null,
): IssueRef {
  const number = run.pullRequest ?? (run.trigger.kind === 'review' ? pullRequest?.number : undefined);
  return number === undefined ? issue : { ...issue, number };
}

/** The hidden marker by which a comment is found again, however the rest was edited. */
export function statusMarker(runId: string): string {
  return `<!-- codex-k8s:run-status ${runId} -->`;
}

/** The hidden marker after it, which names the run's issue: the comment may be on a pull request. */
function issueMarker(issue: number): string {
  return `<!-- codex-k8s:issue ${issue} -->`;
}

/** The run and the issue of a status comment; undefined for any other text. Anybody can write such a text. */
export function readStatusMarkers(text: string): { readonly runId: string; readonly issue: number } | undefined {
  const [, runId, issue] = MARKERS.exec(text) ?? [];
  return runId === undefined ? undefined : { runId, issue: Number(issue) };
}

const MARKERS =
  /^<!-- codex-k8s:run-status ([\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}) -->\r?\n<!-- codex-k8s:issue ([1-9]\d{0,9}) -->/;

/** Renders the comment, with markers for its cost (costs.ts), the agent's output (latest-output.ts) and the end of the workspace (workspace-removal.ts). */
export function renderStatusComment(progress: RunProgress, locale: Locale, pages: Pages): string {
  const texts = commentTexts(locale);
  const parts = [
    markers(progress),
    `### ${texts.title(triggerLabel(progress.target))}`,
    headline(progress, texts, pages.run),
    ...(progress.failure ? [texts.failures[progress.failure.reason], quoted(progress.failure.detail)] : []),
    ...(progress.status === 'succeeded' && progress.summary ? [embedded(progress.summary)] : []),
    renderWorkNotes(progress.notes, locale),
    ...(progress.status === 'waiting' && progress.question ? [questionOf(progress.question)] : []),
    progress.hidden === undefined ? '' : texts.hidden(progress.hidden),
    progress.documentsProblem === undefined
      ? ''
      : texts.documentsProblem(plainBy(progress.documentsProblem, REASON_LENGTH)),
    timeline(progress, texts),
    facts(progress, texts, locale),
    costMarker(progress.status, locale),
    latestOutputMarker(progress.status, locale),
    progress.mergedBy === undefined ? renderNextSteps(progress, locale, pages) : '',
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}

/** The dashboard's pages that a comment links to; `dashboardUrl` without a slash at its end. */
export function pagesOf(dashboardUrl: string, issue: IssueRef, runId: string): Pages {
  return {
    issueNumber: issue.number,
    run: `${dashboardUrl}/runs/${runId}`,
    issue: `${dashboardUrl}/issues/${issue.owner}/${issue.name}/${issue.number}`,
  };
}

function markers({ runId, branch }: RunProgress): string {
  const issue = issueOfBranch(branch);
  return issue === undefined ? statusMarker(runId) : `${statusMarker(runId)}\n${issueMarker(issue)}`;
}

type Texts = ReturnType<typeof commentTexts>;

function headline(progress: RunProgress, texts: Texts, runUrl: string): string {
  const page = `[${texts.details}](${runUrl})`;
  if (progress.canceled)
    return `${texts.canceled(plainBy(progress.canceled.actor, NAME_LENGTH), lineBy(progress.canceled.reason, REASON_LENGTH))} ${page}`;
  if (progress.status === 'queued' && progress.queuePosition !== null)
    return `${texts.queued(progress.queuePosition, progress.queueOf)} ${page}`;
  if (progress.mergedBy !== undefined && progress.pullRequest)
    return `${texts.merged(progress.pullRequest.number, plainBy(progress.mergedBy, NAME_LENGTH))} ${page}`;
  if (progress.status === 'succeeded' && progress.pullRequest && leavesWork(progress.target))
    return `${texts.succeeded(progress.pullRequest.number)} ${page}`;
  if (progress.status === 'waiting' && progress.wait)
    return `${texts.waits[progress.wait.kind](minute(progress.wait.until))} ${page}`;
  return `${texts.states[progress.status]} ${page}`;
}

/** The question, for people who look here first; it has a comment of its own. */
function questionOf({ question, options }: Pick<Request, 'question' | 'options'>): string {
  const choices = options.map((option, index) => `${index + 1}. ${lineBy(option, OPTION_LENGTH)}`).join('\n');
  return [embedded(question), choices].filter((part) => part !== '').join('\n\n');
}

function timeline(progress: RunProgress, texts: Texts): string {
  const lines = progress.timeline.map(({ step, at }, index) => {
    const done = index < progress.timeline.length - 1 || progress.status === 'succeeded';
    const text = step === 'queued' && index > 0 ? texts.queuedAgain : texts.steps[step];
    const mark = step === 'failed' ? '❌' : step === 'canceled' ? '🚫' : done ? '✅' : '⏳';
    return `- ${mark} ${text} · ${at.slice(0, 19).replace('T', ' ')} UTC`;
  });
  return [`**${texts.timeline}**`, '', ...lines].join('\n');
}

/** A workspace is there from the first agent on: a run that ended before has none, and nothing to keep. */
function facts(progress: RunProgress, texts: Texts, locale: Locale): string {
  const { workspace, workspaceUntil } = progress.timeline.some(({ step }) => step === 'working')
    ? progress
    : { workspace: null, workspaceUntil: null };
  const rows: [string, string | null | undefined][] = [
    [texts.facts.run, `\`${progress.runId}\``],
    [texts.facts.requestedBy, plainBy(progress.requestedBy, NAME_LENGTH)],
    [texts.facts.branch, `\`${progress.branch}\``],
    [texts.facts.workspace, workspace && `\`${workspace}\``],
    [texts.facts.workspaceUntil, workspaceUntil && `${minute(workspaceUntil)}${workspaceEndMarker(locale)}`],
    [texts.facts.agent, progress.cli && texts.agents[progress.cli]],
    [texts.facts.model, progress.model && `${progress.model} (${progress.reasoningEffort ?? '-'})`],
    [texts.facts.pullRequest, progress.pullRequest && `#${progress.pullRequest.number}`],
  ];
  const known = rows.flatMap(([name, value]) => (value ? [`| ${name} | ${value} |`] : []));
  return [`| | |`, `|---|---|`, ...known].join('\n');
}
