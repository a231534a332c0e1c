import { describe, expect, test } from 'vitest';
import { isLostRun, isOrphan } from '../../../src/domain/maintenance/orphans.ts';

const NOW = Date.parse('2026-11-22T12:00:00Z');
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** So long before now, ISO 8601. */
function ago(ms: number): string {
  return new Date(NOW - ms).toISOString();
}

describe('a run that is shown at work', () => {
  const lost = (status: Parameters<typeof isLostRun>[0], shownAgo = HOUR) =>
    isLostRun(status, ago(shownAgo), { now: NOW, graceMs: MINUTE });

  test.each([
    ['is lost when its workflow ended a while ago', { status: 'closed', closedAt: ago(2 * MINUTE) }, HOUR, true],
    ['may just have ended', { status: 'closed', closedAt: ago(1000) }, HOUR, false],
    ['is lost when Temporal does not know it', { status: 'absent' }, HOUR, true],
    ['may just be beginning', { status: 'absent' }, 1000, false],
    ['is not lost while its workflow is open', { status: 'open' }, HOUR, false],
  ] as const)('%s', (_, status, shownAgo, expected) => {
    expect(lost(status, shownAgo)).toBe(expected);
  });
});

describe('a workspace', () => {
  const workspace = { name: 'codex-r1-i7', owner: 'issue:1#7', runs: ['a'], usedAt: ago(2 * HOUR) };
  const closed = { status: 'closed', closedAt: ago(HOUR) } as const;
  const orphan = (statuses: Parameters<typeof isOrphan>[1], usedAgo = 2 * HOUR) =>
    isOrphan({ ...workspace, usedAt: ago(usedAgo) }, statuses, { now: NOW, ageMs: HOUR });

  test('is orphaned when neither its issue nor a run has an open workflow', () => {
    expect(orphan([closed, { status: 'absent' }])).toBe(true);
  });

  test('is wanted while the workflow of one of its runs is open', () => {
    expect(orphan([closed, { status: 'open' }])).toBe(false);
  });

  test('that was used within the hour is let be', () => {
    expect(orphan([closed], 30 * MINUTE)).toBe(false);
  });
});
