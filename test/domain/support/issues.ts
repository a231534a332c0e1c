/** Issues, clicks and what GitHub says of them: the plainest of each, changed where a test needs it. */
import type { Account, IssueRef, LabelFact } from '../../../src/domain/issue/facts.ts';
import type { GitHubIssueState } from '../../../src/domain/issue/reads.ts';
import { newIssueState, type IssueState, type PlannedRun } from '../../../src/domain/issue/state.ts';

export const OLIVIA: Account = { id: 11, login: 'olivia' };
export const PETER: Account = { id: 12, login: 'peter' };
const PLATFORM: Account = { id: 1, login: 'codex-k8s[bot]' };
/** The issue that the policy's tests are about. */
export const ISSUE: IssueRef = { repositoryId: 4242, owner: 'acme', name: 'demo', number: 7 };
export const AT = '2026-11-21T10:00:00.000Z';

export function fresh(): IssueState {
  return newIssueState(ISSUE, 'Count words', 'https://github.com/acme/demo/issues/7', AT);
}

/** A click that a hook tells of; every delivery brings a run id of its own. */
export function click(delivery: string, by: Account = OLIVIA): Extract<LabelFact, { kind: 'trigger_label_added' }> {
  return {
    kind: 'trigger_label_added',
    delivery,
    by,
    at: AT,
    label: 'run:dev',
    target: { stage: 'dev', kind: 'work' },
    runId: `run-of-${delivery}`,
  };
}

/** The same, refused at the edge because another label was there. */
export function refusal(delivery: string): LabelFact {
  const { target: _, runId: __, ...delivered } = click(delivery);
  return { ...delivered, kind: 'trigger_refused', reason: 'issue_trigger_label_conflict', labels: [] };
}

/** An event of GitHub, and whether the platform took the label off since. */
export type Labeled = readonly [id: number, by: Account, cleared?: 'cleared' | undefined];

/** What GitHub says: the label stands, put on in these events. */
export function github(events: readonly Labeled[], more: Partial<GitHubIssueState> = {}): GitHubIssueState {
  return {
    open: true,
    title: 'Count words',
    labels: ['run:dev', 'bug'],
    labeled: events.map(([id, by, cleared]) => ({
      id,
      account: by.id,
      at: AT,
      clearedByPlatform: cleared !== undefined,
      takenOffBy: cleared === undefined ? null : PLATFORM,
    })),
    ...more,
  };
}

/** The record after a person took one of the labels off. */
export function takenBack({ labeled }: GitHubIssueState, event: number): GitHubIssueState['labeled'] {
  return labeled.map((each) => ({ ...each, takenOffBy: each.id === event ? OLIVIA : null }));
}

export function planned(more: Partial<PlannedRun> = {}): PlannedRun {
  return {
    runId: 'run-1',
    target: { stage: 'dev', kind: 'work' },
    trigger: { kind: 'label', event: 1 },
    label: 'run:dev',
    by: OLIVIA,
    delivery: 'd1',
    requestedAt: AT,
    revision: 0,
    ...more,
  };
}
