import { eq } from 'drizzle-orm';
import * as fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import type { FlowEvent } from '../../../src/store/audit/events.ts';
import {
  findRun,
  projectIssue,
  projectRun,
  type IssueRow,
  type RunRow,
} from '../../../src/read-model/projections/projections.ts';
import { issues, runs } from '../../../src/store/connection/schema.ts';
import { count, useTables, verifiedChain } from '../../support/tables.ts';

const tables = useTables();
const KEY = 'issue:42#7';
const RUN = '0f0f0f0f-0000-4000-8000-000000000002';

beforeEach(async () => {
  await tables.clear();
  await tables.db.delete(issues);
  await tables.db.delete(runs);
});

function runRow(revision: number, more: Partial<RunRow> = {}): RunRow {
  return {
    id: RUN,
    issueKey: KEY,
    repositoryId: 42,
    issueNumber: 7,
    stage: 'dev',
    kind: 'work',
    trigger: 'label:100',
    triggeredBy: 'olivia',
    correlationId: 'd1',
    status: 'working',
    failure: null,
    detail: `revision ${revision}`,
    branch: 'codex/issue-7',
    workspace: null,
    pullRequest: null,
    pullRequestUrl: null,
    statusCommentUrl: null,
    cli: null,
    model: null,
    reasoningEffort: null,
    threadId: null,
    wait: null,
    revision,
    createdAt: '2026-11-21T10:00:00.000Z',
    startedAt: null,
    finishedAt: null,
    ...more,
  };
}

/** As a workflow writes it: later in time with each revision. */
function issueRow(revision: number, more: Partial<IssueRow> = {}): IssueRow {
  return {
    key: KEY,
    repositoryId: 42,
    number: 7,
    title: `revision ${revision}`,
    url: 'https://github.com/acme/demo/issues/7',
    state: 'working',
    waitingFor: null,
    stage: 'dev',
    activeRunId: null,
    queued: 0,
    pullRequest: null,
    workspace: null,
    past: null,
    revision,
    updatedAt: new Date(Date.parse('2026-11-21T10:00:00.000Z') + revision * 1000).toISOString(),
    ...more,
  };
}

function eventOf(id: string): FlowEvent {
  return {
    id,
    chain: KEY,
    type: 'run.started',
    actorType: 'human',
    actorId: 'olivia',
    runId: RUN,
    correlationId: 'd1',
    payload: {},
    occurredAt: '2026-11-21T10:00:00.000Z',
  };
}

async function findIssue(): Promise<typeof issues.$inferSelect | undefined> {
  const [row] = await tables.db.select().from(issues).where(eq(issues.key, KEY));
  return row;
}

/** Revisions in any order, some of them more than once; each at least once. */
const someOrder = fc
  .array(fc.constantFrom(1, 2, 3, 4, 5), { maxLength: 8 })
  .chain((again) => fc.shuffledSubarray([1, 2, 3, 4, 5, ...again], { minLength: 5 + again.length }));

describe("a run's row", () => {
  test('is what was written', async () => {
    const row = runRow(1, {
      status: 'succeeded',
      pullRequest: 8,
      threadId: 't',
      startedAt: '2026-11-21T10:01:00.000Z',
      finishedAt: '2026-11-21T10:02:00.000Z',
    });
    await projectRun(tables.db, row, []);
    expect(JSON.parse(JSON.stringify(await findRun(tables.db, RUN)))).toEqual(row);
  });

  test('is the newest, in whatever order and however often it is written', async () => {
    await fc.assert(
      fc.asyncProperty(someOrder, async (order) => {
        await tables.db.delete(runs);
        for (const revision of order) await projectRun(tables.db, runRow(revision), []);
        expect(await findRun(tables.db, RUN)).toMatchObject({ revision: 5, detail: 'revision 5' });
      }),
      { numRuns: 20 },
    );
  });

  test('is the newest, when all are written at once', async () => {
    await Promise.all([3, 1, 5, 2, 4, 5, 1].map((revision) => projectRun(tables.db, runRow(revision), [])));
    expect(await findRun(tables.db, RUN)).toMatchObject({ revision: 5 });
  });

  test('stays as it is when its revision comes again and says something else', async () => {
    await projectRun(tables.db, runRow(1), []);
    await projectRun(tables.db, runRow(1, { detail: 'other' }), []);
    expect(await findRun(tables.db, RUN)).toMatchObject({ detail: 'revision 1' });
  });

  test('forgets what a newer one does not know', async () => {
    await projectRun(tables.db, runRow(1, { failure: 'agent_lost' }), []);
    await projectRun(tables.db, runRow(2), []);
    expect(await findRun(tables.db, RUN)).toMatchObject({ failure: null });
  });

  test('is unknown where nothing was written', async () => {
    expect(await findRun(tables.db, RUN)).toBeUndefined();
  });
});

describe("an issue's row", () => {
  test('is the newest, in whatever order and however often it is written', async () => {
    await fc.assert(
      fc.asyncProperty(someOrder, async (order) => {
        await tables.db.delete(issues);
        for (const revision of order) await projectIssue(tables.db, issueRow(revision), []);
        expect(await findIssue()).toMatchObject({ revision: 5, title: 'revision 5' });
      }),
      { numRuns: 20 },
    );
  });

  test('is the newest of those that were written within one millisecond', async () => {
    const updatedAt = '2026-11-21T10:00:00.000Z';
    for (const revision of [2, 3, 1]) await projectIssue(tables.db, issueRow(revision, { updatedAt }), []);
    expect(await findIssue()).toMatchObject({ revision: 3 });
  });

  test('is that of the new life of an issue that was opened again', async () => {
    await projectIssue(tables.db, issueRow(9, { state: 'closed' }), []);
    await projectIssue(tables.db, issueRow(1, { updatedAt: '2026-11-22T10:00:00.000Z' }), []);
    await projectIssue(tables.db, issueRow(10, { state: 'closed' }), []);
    expect(await findIssue()).toMatchObject({ revision: 1, state: 'working' });
  });
});

describe('the events that go with a row', () => {
  test('are appended, and their places returned', async () => {
    const links = await projectRun(tables.db, runRow(1), [eventOf('e1'), eventOf('e2')]);
    expect(links.map(({ seq }) => seq)).toEqual([1, 2]);
    expect(await verifiedChain(tables.db, KEY)).toEqual(['e1', 'e2']);
  });

  test('are appended once, however often the row is written', async () => {
    const first = await projectIssue(tables.db, issueRow(1), [eventOf('e1')]);
    expect(await projectIssue(tables.db, issueRow(1), [eventOf('e1')])).toEqual(first);
    expect(await verifiedChain(tables.db, KEY)).toEqual(['e1']);
  });

  test('are appended though the row is an older one', async () => {
    await projectRun(tables.db, runRow(2), [eventOf('e2')]);
    await projectRun(tables.db, runRow(1), [eventOf('e1')]);
    expect(await verifiedChain(tables.db, KEY)).toEqual(['e2', 'e1']);
    expect(await findRun(tables.db, RUN)).toMatchObject({ revision: 2 });
  });

  test('of an issue and its runs make one chain, when they are written at once', async () => {
    await Promise.all(
      count(1, 20).map((n) =>
        n % 2
          ? projectIssue(tables.db, issueRow(n), [eventOf(`i${n}`)])
          : projectRun(tables.db, runRow(n), [eventOf(`r${n}`)]),
      ),
    );
    expect(await verifiedChain(tables.db, KEY)).toHaveLength(20);
  });

  test('are not appended when the row cannot be written', async () => {
    const impossible = runRow(1, { detail: 'a\0b' });
    await expect(projectRun(tables.db, impossible, [eventOf('e1')])).rejects.toThrow(/./);
    expect(await verifiedChain(tables.db, KEY)).toEqual([]);
  });
});
