/** What is refused is said on GitHub, and what only a person can decide becomes a question (requirements.md 2.2 rows 3, 7-9). */
import { ASKING } from '../../src/domain/issue/gates.ts';
import { NEED_INPUT } from '../../src/domain/stages/stages.ts';
import { markQuestion, readSettings, settleLabels, writeRefusal } from '../activities.ts';
import { leftOut } from './projection.ts';
import { inBackground, type IssueInHand } from './context.ts';

/** Says why, once for each subject. */
export async function refuse(
  { issue, state }: IssueInHand,
  by: string,
  reason: string,
  labels: readonly string[],
  subject: string,
  pullRequest?: number,
): Promise<void> {
  const { locale } = await readSettings({ repositoryId: issue.repositoryId });
  const place = pullRequest === undefined ? issue : { ...issue, number: pullRequest };
  await writeRefusal({ issue: place, refusal: { reason, labels, by, subject }, locale }).catch(leftOut);
  if (!ASKING.has(reason)) return;
  state.asked = reason;
  await markQuestion({ issue, remove: null, add: NEED_INPUT, pullRequest: null }).catch(leftOut);
}

/** What people cannot see for themselves is said on GitHub; that a label is gone, or an issue closed, they can. */
export function isExplained(reason: string): boolean {
  return !['issue_closed', 'label_absent', 'trigger_already_taken'].includes(reason);
}

/** What was asked is answered by the next trigger that can be carried out. */
export function answered({ issue, state }: IssueInHand): void {
  if (state.asked === null) return;
  state.asked = null;
  inBackground(settleLabels({ issue, remove: NEED_INPUT, add: null, pullRequest: null }));
}
