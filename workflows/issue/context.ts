/** The issue that a workflow acts on: what is known of it, and how it is shown. */
import { isCancellation } from '@temporalio/workflow';
import type { IssueRef } from '../../src/domain/issue/facts.ts';
import type { IssueState } from '../../src/domain/issue/issue-life.ts';
import { type Happening, leftOut } from './projection.ts';
import type { IssueDiscussion } from './discussion.ts';

/** What every act on an issue is given. */
export interface IssueInHand {
  readonly issue: IssueRef;
  readonly state: IssueState;
  readonly discussion: IssueDiscussion;
  /** Shows the issue in the read model, with what happened. */
  readonly show: (happenings: readonly Happening[]) => Promise<void>;
}

/** For what nothing waits for: it is tried for as long as it may be, and left out when it cannot be done. */
export function inBackground(work: Promise<unknown>): void {
  work.catch(leftOut).catch(() => undefined);
}

/** A webhook is believed when GitHub cannot be asked in time. */
export function asTold<Told>(error: unknown, told: Told): Told {
  if (isCancellation(error)) throw error;
  return told;
}
