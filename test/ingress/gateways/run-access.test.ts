import { beforeEach, describe, expect, test } from 'vitest';
import { basicPassword, bearer, createRunAccess } from '../../../ingress/gateways/run-access.ts';
import { createRunTokens } from '../../../src/adapters/run-tokens.ts';
import { beginAttempt, closeAssignment, storeAssignment } from '../../../src/store/runs/assignments.ts';
import { agentAssignments } from '../../../src/store/connection/schema.ts';
import { assignmentOf, useTables } from '../../support/tables.ts';

const RUN = '0f0f0f0f-0000-4000-8000-000000000001';
const OTHER = '0f0f0f0f-0000-4000-8000-000000000002';
const tokens = createRunTokens('a key that only the tests know, of 32+');
const tables = useTables();
const open = (token: string | undefined): ReturnType<ReturnType<typeof createRunAccess>['open']> =>
  createRunAccess(tables.db, tokens).open(token);

async function assign(runId: string, branch: string): Promise<void> {
  await storeAssignment(tables.db, assignmentOf(runId, { branch }));
}

beforeEach(async () => {
  await tables.db.delete(agentAssignments);
  await assign(RUN, 'codex/issue-7');
});

describe('a run token', () => {
  test('opens its run', async () => {
    expect(await open(tokens.issue(RUN, 1))).toMatchObject({ runId: RUN, branch: 'codex/issue-7', attempt: 1 });
  });

  test('opens no other run', async () => {
    await assign(OTHER, 'codex/issue-8');
    expect(await open(tokens.issue(RUN, 1))).toMatchObject({ runId: RUN });
    expect(await open(tokens.issue(OTHER, 1))).toMatchObject({ runId: OTHER, branch: 'codex/issue-8' });
  });

  test('of a run that nobody knows opens nothing', async () => {
    expect(await open(tokens.issue(OTHER, 1))).toBeUndefined();
  });

  test('of an earlier attempt opens nothing any more', async () => {
    await beginAttempt(tables.db, RUN, 2);
    expect(await open(tokens.issue(RUN, 1))).toBeUndefined();
    expect(await open(tokens.issue(RUN, 2))).toMatchObject({ attempt: 2 });
  });

  test('of an attempt that has not begun opens nothing yet', async () => {
    expect(await open(tokens.issue(RUN, 2))).toBeUndefined();
  });

  test('of an earlier attempt opens nothing though somebody begins it again', async () => {
    await beginAttempt(tables.db, RUN, 3);
    await beginAttempt(tables.db, RUN, 2);
    expect(await open(tokens.issue(RUN, 2))).toBeUndefined();
    expect(await open(tokens.issue(RUN, 3))).toMatchObject({ attempt: 3 });
  });

  test('of a run that is over opens nothing any more', async () => {
    await closeAssignment(tables.db, RUN);
    expect(await open(tokens.issue(RUN, 1))).toBeUndefined();
    await beginAttempt(tables.db, RUN, 2);
    expect(await open(tokens.issue(RUN, 2))).toBeUndefined();
  });

  test('of a run that is over stays shut when the run is assigned again', async () => {
    await closeAssignment(tables.db, RUN);
    await assign(RUN, 'codex/issue-7');
    expect(await open(tokens.issue(RUN, 1))).toBeUndefined();
  });

  test('of another key opens nothing', async () => {
    expect(await open(createRunTokens('another key, as long as the first one').issue(RUN, 1))).toBeUndefined();
  });

  test.each<[string, string | undefined]>([
    ['nothing', undefined],
    ['an empty text', ''],
    ['garbage', "' or 1=1 --"],
    ['a text that looks like it', `ck8s_run_${RUN}_1_${'0'.repeat(64)}`],
    ['a text with a NUL', `ck8s_run_${RUN}\0_1_`],
  ])('that is %s opens nothing', async (_what, token) => {
    expect(await open(token)).toBeUndefined();
  });
});

describe('the token in a header', () => {
  test.each<[string | undefined, string | undefined]>([
    ['Bearer abc', 'abc'],
    ['bearer abc', 'abc'],
    ['Bearer', undefined],
    ['Bearer ', undefined],
    ['Bearer a b', undefined],
    ['Bearer abc\n', undefined],
    ['Basic abc', undefined],
    ['abc', undefined],
    ['', undefined],
    [undefined, undefined],
    [`Bearer ${'x'.repeat(501)}`, undefined],
  ])('%j bears %j', (header, token) => {
    expect(bearer(header)).toBe(token);
  });

  const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;

  test.each<[string | undefined, string | undefined]>([
    [basic('run:abc'), 'abc'],
    [basic(':abc'), 'abc'],
    [basic('run:a:b'), 'a:b'],
    [basic('run:'), ''],
    [basic('run'), undefined],
    ['Basic', undefined],
    ['Basic §§§', undefined],
    ['Bearer abc', undefined],
    ['', undefined],
    [undefined, undefined],
    [`Basic ${'A'.repeat(1001)}`, undefined],
  ])('%j has the password %j', (header, password) => {
    expect(basicPassword(header)).toBe(password);
  });
});
