import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { openRequest, type Request } from '../../../src/domain/run/requests.ts';
import { requests } from '../../../src/store/connection/schema.ts';
import { closeRequests, findNewestRequest, hasOpenRequest, storeRequest } from '../../../src/store/runs/requests.ts';
import { useTables } from '../../support/tables.ts';

const tables = useTables();
const ISSUE = 'issue:42#7';
let runId: string;

beforeEach(async () => {
  runId = randomUUID();
  await tables.db.delete(requests);
});

const asked = (n = 1): Request =>
  openRequest(
    { text: 'Which?', options: [] },
    { runId, n, askedAt: `2026-01-0${n}T00:00:00.000Z`, deadline: '2026-02-01T00:00:00.000Z' },
  );
const answered = (request: Request): Request => ({
  ...request,
  answer: { text: 'This.', option: null, actor: 'olivia', at: '2026-01-02T00:00:00.000Z', surface: 'comment' },
});

describe('a request', () => {
  it('is open for its issue, and for no other, until it is closed', async () => {
    await storeRequest(tables.db, ISSUE, asked(), true);
    expect(await hasOpenRequest(tables.db, ISSUE)).toBe(true);
    expect(await hasOpenRequest(tables.db, 'issue:42#8')).toBe(false);
    await storeRequest(tables.db, ISSUE, answered(asked()), false);
    expect(await hasOpenRequest(tables.db, ISSUE)).toBe(false);
    expect(await findNewestRequest(tables.db, runId)).toEqual({ request: answered(asked()), open: false });
  });

  it('never opens again, whatever is written late', async () => {
    await storeRequest(tables.db, ISSUE, answered(asked()), false);
    await storeRequest(tables.db, ISSUE, asked(), true);
    expect(await findNewestRequest(tables.db, runId)).toEqual({ request: answered(asked()), open: false });
  });

  it('is closed with its run', async () => {
    await storeRequest(tables.db, ISSUE, asked(), true);
    await closeRequests(tables.db, runId);
    expect(await findNewestRequest(tables.db, runId)).toEqual({ request: asked(), open: false });
  });

  it('is found as the newest of its run', async () => {
    await storeRequest(tables.db, ISSUE, asked(1), false);
    await storeRequest(tables.db, ISSUE, asked(2), true);
    expect(await findNewestRequest(tables.db, runId)).toMatchObject({ request: { id: `${runId}.2` }, open: true });
  });
});
