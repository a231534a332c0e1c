/**
 * The status comment of a run. The workflow holds the state; the comment only mirrors it, so that
 * an edited or deleted comment comes back right.
 */
import type { Failure, RunOutcome, RunStatus } from '../run/runs.ts';
import type { Trigger } from '../run/trigger.ts';
import type { Request } from '../run/requests.ts';
import type { RunWait } from '../run/waits.ts';
import { leavesWork, triggerLabel, type Stage, type TriggerTarget } from '../stages/stages.ts';
import type { IssueRef } from '../issue/facts.ts';
import { minute, placeForWorkspaceEnd } from './workspace-removal.ts';
import { placeForLastWords } from './recent-output.ts';
import { embedded, quoted } from './markdown.ts';
import { issueOfBranch } from '../issue/names.ts';
import { renderNextSteps, type Pages } from './next-steps.ts';
import type { Locale } from '../locale.ts';
import { commentTexts } from './comment-texts.ts';

/** A step of the timeline; `at` is ISO 8601. */
export interface TimelineStep {
  readonly step: RunStatus;
  readonly at: string;
}

/** What the comment shows of a run. */
export interface RunStory {
  readonly runId: string;
  readonly target: TriggerTarget;
  readonly status: RunStatus;
  readonly requestedBy: string;
  /** Whether a review asked for the run, and not a label. */
  readonly byReview: boolean;
  /** Counted from 1 while the run waits behind others of its issue. */
  readonly queuePlace: number | null;
  /** Set while it waits for its turn in its project (src/domain/run/permits.ts). */
  readonly queueOf?: 'project';
  readonly timeline: readonly TimelineStep[];
  readonly branch: string;
  readonly workspace: string | null;
  readonly workspaceUntil: string | null;
  readonly model: string | null;
  readonly reasoningEffort: string | null;
  readonly pullRequest: { readonly number: number; readonly url: string } | null;
  readonly summary: string | null;
  readonly failure: { readonly reason: Failure; readonly detail: string } | null;
  readonly canceled: { readonly by: string; readonly reason: string } | null;
  /** Who merged the pull request while the agent still worked. */
  readonly mergedBy?: string;
  /** Of a rethink that is done: the stage that it goes back to. */
  readonly backTo?: Stage;
  /** What it waits for; set while it does. */
  readonly wait?: RunWait;
  /** What it asks, while it waits for the answer. */
  readonly question?: Pick<Request, 'question' | 'options'>;
}

/** The story of a run that was asked for, and of which nothing else is known. */
export function newStory(
  run: { runId: string; target: TriggerTarget; trigger: Trigger; by: { login: string }; requestedAt: string },
  known: Pick<RunStory, 'branch' | 'model' | 'reasoningEffort' | 'pullRequest'>,
): RunStory {
  return {
    runId: run.runId,
    target: run.target,
    status: 'queued',
    requestedBy: run.by.login,
    byReview: run.trigger.kind === 'review',
    queuePlace: null,
    timeline: [{ step: 'queued', at: run.requestedAt }],
    workspace: null,
    workspaceUntil: null,
    summary: null,
    failure: null,
    canceled: null,
    ...known,
  };
}

/** The story after a step, which is entered once. */
export function withStep(story: RunStory, step: RunStatus, at: string): RunStory {
  return story.status === step ? story : { ...story, status: step, timeline: [...story.timeline, { step, at }] };
}

/** The story after its end. */
export function withOutcome(story: RunStory, outcome: RunOutcome, at: string): RunStory {
  const ended = withStep(story, outcome.status, at);
  switch (outcome.status) {
    case 'succeeded':
      return {
        ...ended,
        summary: outcome.summary,
        pullRequest: outcome.pullRequest,
        ...(outcome.mergedBy === undefined ? {} : { mergedBy: outcome.mergedBy }),
        ...(outcome.backTo === undefined ? {} : { backTo: outcome.backTo }),
      };
    case 'failed':
      return { ...ended, failure: { reason: outcome.failure, detail: outcome.detail } };
    case 'canceled':
      return { ...ended, canceled: { by: outcome.by, reason: outcome.reason } };
  }
}

/** Where a run's comment stands: on the pull request when a review or a label there asked for the run, else on the issue (3.5). */
export function commentPlace(
  issue: IssueRef,
  run: { readonly trigger: Trigger; readonly pullRequest?: number },
  pullRequest: { readonly number: number } | null,
): IssueRef {
  const number = run.pullRequest ?? (run.trigger.kind === 'review' ? pullRequest?.number : undefined);
  return number === undefined ? issue : { ...issue, number };
}

/** The hidden line by which a comment is found again, whatever became of the rest. */
export function statusMarker(runId: string): string {
  return `<!-- codex-k8s:run-status ${runId} -->`;
}

/** The hidden line after it, by which the issue is found whose run it is: comments on pull requests are its comments too. */
function issueMarker(issue: number): string {
  return `<!-- codex-k8s:issue ${issue} -->`;
}

/** Whose status comment a text is, if it is one. Anybody can write such a text. */
export function readStatusMarkers(text: string): { readonly runId: string; readonly issue: number | null } | undefined {
  const [, runId, issue] = MARKERS.exec(text) ?? [];
  return runId === undefined ? undefined : { runId, issue: issue === undefined ? null : Number(issue) };
}

const MARKERS =
  /^<!-- codex-k8s:run-status ([\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}) -->(?:\r?\n<!-- codex-k8s:issue ([1-9]\d{0,9}) -->)?/;

/** Renders the whole comment, but for what the agent says (recent-output.ts) and what becomes of its workspace (workspace-removal.ts). */
export function renderStatusComment(story: RunStory, locale: Locale, pages: Pages): string {
  const texts = commentTexts(locale);
  const parts = [
    markers(story),
    `### ${texts.title(triggerLabel(story.target))}`,
    headline(story, texts, pages.run),
    ...(story.failure ? [texts.failures[story.failure.reason], quoted(story.failure.detail)] : []),
    ...(story.status === 'succeeded' && story.summary ? [embedded(story.summary)] : []),
    ...(story.status === 'waiting' && story.question ? [questionOf(story.question)] : []),
    timeline(story, texts),
    facts(story, texts, locale),
    placeForLastWords(story.status, locale),
    story.mergedBy === undefined ? renderNextSteps(story, locale, pages) : '',
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}

/** The dashboard's pages that a comment points to; `dashboardUrl` without a slash at its end. */
export function pagesOf(dashboardUrl: string, issue: IssueRef, runId: string): Pages {
  return {
    run: `${dashboardUrl}/runs/${runId}`,
    issue: `${dashboardUrl}/issues/${issue.owner}/${issue.name}/${issue.number}`,
  };
}

function markers({ runId, branch }: RunStory): string {
  const issue = issueOfBranch(branch);
  return issue === undefined ? statusMarker(runId) : `${statusMarker(runId)}\n${issueMarker(issue)}`;
}

type Texts = ReturnType<typeof commentTexts>;

function headline(story: RunStory, texts: Texts, runUrl: string): string {
  const page = `[${texts.details}](${runUrl})`;
  if (story.canceled) return `${texts.canceled(story.canceled.by, inOneLine(story.canceled.reason))} ${page}`;
  if (story.status === 'queued' && story.queuePlace !== null)
    return `${texts.queued(story.queuePlace, story.queueOf)} ${page}`;
  if (story.mergedBy !== undefined && story.pullRequest)
    return `${texts.merged(story.pullRequest.number, story.mergedBy)} ${page}`;
  if (story.status === 'succeeded' && story.pullRequest && leavesWork(story.target))
    return `${texts.succeeded(story.pullRequest.number)} ${page}`;
  if (story.status === 'waiting' && story.wait)
    return `${texts.waits[story.wait.kind](minute(story.wait.until))} ${page}`;
  return `${texts.states[story.status]} ${page}`;
}

/** The question again, for those who look here first; its own comment is what is answered. */
function questionOf({ question, options }: Pick<Request, 'question' | 'options'>): string {
  const choices = options.map((option, index) => `${index + 1}. ${inOneLine(option)}`).join('\n');
  return [embedded(question), choices].filter((part) => part !== '').join('\n\n');
}

function timeline(story: RunStory, texts: Texts): string {
  const lines = story.timeline.map(({ step, at }, index) => {
    const done = index < story.timeline.length - 1 || story.status === 'succeeded';
    const text = step === 'queued' && index > 0 ? texts.queuedAgain : texts.steps[step];
    const mark = step === 'failed' ? '❌' : step === 'canceled' ? '🚫' : done ? '✅' : '⏳';
    return `- ${mark} ${text} · ${at.slice(0, 19).replace('T', ' ')} UTC`;
  });
  return [`**${texts.timeline}**`, '', ...lines].join('\n');
}

function facts(story: RunStory, texts: Texts, locale: Locale): string {
  const rows: [string, string | null][] = [
    [texts.facts.run, `\`${story.runId}\``],
    [texts.facts.requestedBy, story.requestedBy],
    [texts.facts.branch, `\`${story.branch}\``],
    [texts.facts.workspace, story.workspace && `\`${story.workspace}\``],
    [
      texts.facts.workspaceUntil,
      story.workspaceUntil && `${minute(story.workspaceUntil)}${placeForWorkspaceEnd(locale)}`,
    ],
    [texts.facts.model, story.model && `${story.model} (${story.reasoningEffort ?? '-'})`],
    [texts.facts.pullRequest, story.pullRequest && `#${story.pullRequest.number}`],
  ];
  const known = rows.flatMap(([name, value]) => (value ? [`| ${name} | ${value} |`] : []));
  return [`| | |`, `|---|---|`, ...known].join('\n');
}

function inOneLine(text: string): string {
  return embedded(text.replaceAll(/\s+/g, ' ').trim());
}
