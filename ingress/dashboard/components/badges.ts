/** States as badges: a word and a mark, never colour alone. */
import { html } from 'hono/html';
import { isWaitKind, type RunWait, type WaitKind } from '../../../src/domain/run/waits.ts';
import type { RunStatus } from '../../../src/domain/run/runs.ts';
import type { IssueRecord } from '../../../src/read-model/queries/issues.ts';
import type { Html } from './layout.ts';

type Tone = 'good' | 'bad' | 'busy' | 'wait' | 'idle';
type Badge = readonly [tone: Tone, mark: string, word: string];

const RUN_BADGES: Record<RunStatus, Badge> = {
  queued: ['idle', '…', 'queued'],
  preparing: ['busy', '●', 'preparing'],
  working: ['busy', '●', 'working'],
  waiting: ['wait', '◔', 'waiting'],
  publishing: ['busy', '●', 'publishing'],
  succeeded: ['good', '✓', 'succeeded'],
  failed: ['bad', '✕', 'failed'],
  canceled: ['idle', '⊘', 'canceled'],
};

const WAIT_BADGES: Record<WaitKind, Badge> = {
  question: ['wait', '?', 'waits for an answer'],
  approval: ['wait', '?', 'waits for an approval'],
  paused: ['wait', '‖', 'paused'],
};

const WAITING_BADGES: Readonly<Record<string, Badge>> = {
  review: ['wait', '◔', 'waits for a review'],
  label: ['idle', '◔', 'waits for a label'],
  input: ['wait', '◔', 'waits for an answer'],
};

/** The badge of a run's status or wait. */
export function runBadge({ status, wait }: { readonly status: RunStatus; readonly wait: RunWait | null }): Html {
  return badge(wait ? WAIT_BADGES[wait.kind] : RUN_BADGES[status]);
}

/** The badge of an issue's state or wait. */
export function issueBadge({ state, waitingFor }: Pick<IssueRecord, 'state' | 'waitingFor'>): Html {
  if (state === 'working')
    return badge(isWaitKind(waitingFor) ? WAIT_BADGES[waitingFor] : ['busy', '●', 'agent at work']);
  if (state === 'closed') return badge(['idle', '✓', 'closed']);
  return badge(WAITING_BADGES[waitingFor ?? ''] ?? ['wait', '◔', `waits${waitingFor ? ` for ${waitingFor}` : ''}`]);
}

/** The badge of a delivery's decision. */
export function deliveryBadge(status: 'accepted' | 'ignored'): Html {
  return badge(status === 'accepted' ? ['good', '✓', 'accepted'] : ['idle', '⊘', 'ignored']);
}

function badge([tone, mark, word]: Badge): Html {
  return html`<span class="badge ${tone}"><span class="mark" aria-hidden="true">${mark}</span>${word}</span>`;
}
