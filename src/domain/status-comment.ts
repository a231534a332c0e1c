/**
 * The status comment of a run (requirements.md 3.5). The workflow holds the state; the comment only mirrors it, so that
 * an edited or deleted comment comes back right (9.2 B17).
 */
import type { Failure, RunOutcome, RunStatus } from './runs.ts';
import { triggerLabel, type TriggerTarget } from './stages.ts';
import type { IssueRef } from './facts.ts';
import { embedded } from './markdown.ts';
import { commentTexts, type Locale } from './comment-texts.ts';

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
  readonly timeline: readonly TimelineStep[];
  readonly branch: string;
  readonly environment: string | null;
  readonly environmentUntil: string | null;
  readonly model: string | null;
  readonly reasoningEffort: string | null;
  readonly pullRequest: { readonly number: number; readonly url: string } | null;
  readonly summary: string | null;
  readonly failure: { readonly reason: Failure; readonly detail: string } | null;
  readonly canceled: { readonly by: string; readonly reason: string } | null;
  /** Who merged the pull request while the agent still worked. */
  readonly mergedBy?: string;
}

/** The story of a run that was asked for, and of which nothing else is known. */
export function newStory(
  run: { runId: string; target: TriggerTarget; trigger: string; by: { login: string }; requestedAt: string },
  known: Pick<RunStory, 'branch' | 'model' | 'reasoningEffort' | 'pullRequest'>,
): RunStory {
  return {
    runId: run.runId,
    target: run.target,
    status: 'queued',
    requestedBy: run.by.login,
    byReview: run.trigger.startsWith('review:'),
    queuePlace: null,
    timeline: [{ step: 'queued', at: run.requestedAt }],
    environment: null,
    environmentUntil: null,
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
      };
    case 'failed':
      return { ...ended, failure: { reason: outcome.failure, detail: outcome.detail } };
    case 'canceled':
      return { ...ended, canceled: { by: outcome.by, reason: outcome.reason } };
  }
}

/** Where a run's comment stands: on the pull request when a review asked for the run, else on the issue (3.5). */
export function commentPlace(
  issue: IssueRef,
  trigger: string,
  pullRequest: { readonly number: number } | null,
): IssueRef {
  return trigger.startsWith('review:') && pullRequest ? { ...issue, number: pullRequest.number } : issue;
}

/** The hidden line by which a comment is found again, whatever became of the rest. */
export function statusMarker(runId: string): string {
  return `<!-- codex-k8s:run-status ${runId} -->`;
}

/** Renders the whole comment. `runUrl` is the run's page on the dashboard. */
export function renderStatusComment(story: RunStory, locale: Locale, runUrl: string): string {
  const texts = commentTexts(locale);
  const parts = [
    statusMarker(story.runId),
    `### ${texts.title(triggerLabel(story.target))}`,
    headline(story, texts, runUrl),
    ...(story.failure ? [texts.failures[story.failure.reason], quoted(story.failure.detail)] : []),
    ...(story.status === 'succeeded' && story.summary ? [embedded(story.summary)] : []),
    timeline(story, texts),
    facts(story, texts),
    nextSteps(story, texts, runUrl),
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}

type Texts = ReturnType<typeof commentTexts>;

function headline(story: RunStory, texts: Texts, runUrl: string): string {
  const page = `[${texts.details}](${runUrl})`;
  if (story.canceled) return `${texts.canceled(story.canceled.by, story.canceled.reason)} ${page}`;
  if (story.status === 'queued' && story.queuePlace !== null) return `${texts.queued(story.queuePlace)} ${page}`;
  if (story.mergedBy !== undefined && story.pullRequest)
    return `${texts.merged(story.pullRequest.number, story.mergedBy)} ${page}`;
  if (story.status === 'succeeded' && story.pullRequest) return `${texts.succeeded(story.pullRequest.number)} ${page}`;
  return `${texts.states[story.status]} ${page}`;
}

function timeline(story: RunStory, texts: Texts): string {
  const lines = story.timeline.map(({ step, at }) => {
    const done = step !== story.status || story.status === 'succeeded';
    const mark = step === 'failed' ? '❌' : step === 'canceled' ? '🚫' : done ? '✅' : '⏳';
    return `- ${mark} ${texts.steps[step]} · ${at.slice(0, 19).replace('T', ' ')} UTC`;
  });
  return [`**${texts.timeline}**`, '', ...lines].join('\n');
}

function facts(story: RunStory, texts: Texts): string {
  const rows: [string, string | null][] = [
    [texts.facts.run, `\`${story.runId}\``],
    [texts.facts.requestedBy, story.requestedBy],
    [texts.facts.branch, `\`${story.branch}\``],
    [texts.facts.environment, story.environment && `\`${story.environment}\``],
    [
      texts.facts.environmentUntil,
      story.environmentUntil && `${story.environmentUntil.slice(0, 16).replace('T', ' ')} UTC`,
    ],
    [texts.facts.model, story.model && `${story.model} (${story.reasoningEffort ?? '-'})`],
    [texts.facts.pullRequest, story.pullRequest && `#${story.pullRequest.number}`],
  ];
  const known = rows.flatMap(([name, value]) => (value ? [`| ${name} | ${value} |`] : []));
  return [`| | |`, `|---|---|`, ...known].join('\n');
}

function nextSteps(story: RunStory, texts: Texts, runUrl: string): string {
  const steps = (story.byReview && texts.nextAfterReview[story.status]) || texts.next[story.status];
  if (steps === '' || story.mergedBy !== undefined) return '';
  const values = { url: runUrl, label: triggerLabel(story.target), run: story.runId };
  return `**${texts.nextTitle}** ${steps.replaceAll(/\{(url|label|run)\}/g, (_, name: keyof typeof values) => values[name])}`;
}

function quoted(text: string): string {
  if (text.trim() === '') return '';
  const shown = text.length > 1500 ? `${text.slice(0, 1500).toWellFormed()} …` : text;
  const fence = '`'.repeat(Math.max(3, ...[...shown.matchAll(/`+/g)].map((run) => run[0].length + 1)));
  return `${fence}text\n${shown}\n${fence}`;
}
