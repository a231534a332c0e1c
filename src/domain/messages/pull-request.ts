/** The platform's texts in a pull request (docs/decisions.md, 8). */
import type { Locale } from '../locale.ts';
import { commentTexts } from './comment-texts.ts';
import { codeLine, embedded } from './markdown.ts';
import type { HeldBack } from '../run/held-back.ts';
import type { AgentAnswer } from '../run/runs.ts';
import type { WorkNotes } from '../run/work-notes.ts';
import { renderUnwanted, renderWorkNotes } from './work-notes.ts';
import { triggerLabel, type TriggerTarget } from '../stages/stages.ts';

/** Characters of a command that are shown. */
const COMMAND_LENGTH = 200;

export interface PullRequestText {
  readonly title: string;
  readonly body: string;
}

/** Title and description. `Closes` links the issue, and closes it when the pull request is merged; `Part of` links it only. */
export function renderPullRequest(
  input: {
    issueNumber: number;
    target: TriggerTarget;
    requestedBy: string;
    closes: boolean;
    runUrl: string;
    answer: AgentAnswer;
    notes?: WorkNotes | undefined;
    /** New files in it that hardly ever belong into a repository. */
    unwanted?: readonly HeldBack[];
  },
  locale: Locale,
): PullRequestText {
  const { pullRequest } = commentTexts(locale);
  const checks = input.answer.checks.map(
    ({ command, passed }) =>
      `- ${codeLine(command, COMMAND_LENGTH)}: ${passed ? pullRequest.passed : pullRequest.failed}`,
  );
  const parts = [
    embedded(input.answer.summary),
    ...(checks.length > 0 ? [[`**${pullRequest.checks}**`, '', ...checks].join('\n')] : []),
    ...[renderUnwanted(input.unwanted ?? [], locale), renderWorkNotes(input.notes, locale)].filter(
      (part) => part !== '',
    ),
    `${input.closes ? 'Closes' : 'Part of'} #${input.issueNumber}`,
    `<sub>${pullRequest.requested(triggerLabel(input.target), input.requestedBy)} [codex-k8s](${input.runUrl})</sub>`,
  ];
  return { title: oneLine(input.answer.title), body: parts.join('\n\n') };
}

/** The hidden marker by which an answer to a review comment is found again. */
export function answerMarker(runId: string, subject: string): string {
  return `<!-- codex-k8s:answer ${runId} ${subject} -->`;
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim().slice(0, 120);
}
