/** The active run waits for people, or goes on. Its workspace is kept meanwhile. */
import { waitsForAnswer } from '../../run/waits.ts';
import type { Fact } from '../facts.ts';
import { answer } from './comments.ts';
import { record, type Draft } from './draft.ts';
import { leaseEnd } from './workspace.ts';

export function runWaiting(draft: Draft, { runId, wait }: Extract<Fact, { kind: 'run_waiting' }>): void {
  const { state } = draft;
  if (state.active?.runId !== runId) return;
  state.active = { ...state.active, wait };
  const { workspace } = state;
  if (workspace) {
    const until = leaseEnd(wait.until, workspace.hours);
    if (Date.parse(until) > Date.parse(workspace.until)) state.workspace = { ...workspace, until };
  }
  record(draft);
  if (!waitsForAnswer(wait) || state.discussion) return;
  // An answer may be quicker than the news of the question.
  const answers = state.early.filter(({ createdAt }) => Date.parse(createdAt) >= Date.parse(wait.since));
  for (const comment of answers) answer(draft, runId, comment);
}

/** The lease of the workspace begins anew, as with a run that is started. */
export function runResumed(draft: Draft, { runId }: Extract<Fact, { kind: 'run_resumed' }>): void {
  const { state, now } = draft;
  if (state.active?.runId !== runId) return;
  const { wait: _, ...active } = state.active;
  state.active = active;
  const { workspace } = state;
  if (workspace) state.workspace = { ...workspace, until: leaseEnd(now, workspace.hours) };
  record(draft);
}
