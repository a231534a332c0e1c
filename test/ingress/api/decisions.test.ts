/** Approvals and answers at the API, the command line's and the dashboard's surface: one record, judged by the server. */
import { beforeEach, describe, expect, test } from 'vitest';
import { judgeAgain } from '../../../ingress/relay/judge-again.ts';
import { DEFAULT_POLICY } from '../../../src/domain/approvals/default-policy.ts';
import type { ApprovalPolicy } from '../../../src/domain/approvals/policy.ts';
import { addPerson, ensureProject } from '../../../src/store/projects/repositories.ts';
import { storeAssignment } from '../../../src/store/runs/assignments.ts';
import { assignmentOf } from '../../support/tables.ts';
import { BEARER, createSite, form } from '../dashboard/support/site.ts';
import { putParkedRun, runId } from '../dashboard/support/world.ts';
import { post, useApi } from './support/api.ts';

const api = useApi();
const ID = `${runId(1)}.1`;
const SHORT = `${runId(1).slice(0, 13)}.1`;

beforeEach(async () => {
  const { db } = api.connection;
  const project = await ensureProject(db, 'shop');
  await addPerson(db, { id: 7, login: 'olivia' }, 'platform_owner', project);
  await addPerson(db, { id: 8, login: 'nadia' }, 'read_write', project);
  await addPerson(db, { id: 9, login: 'petra' }, 'admin', project);
  await addPerson(db, { id: 10, login: 'rudi' }, 'read', project);
});

const approve = (actor: string, id = ID, body: object = {}) =>
  api.json(`/decisions/${id}/approve`, post({ actor, ...body }));

describe('an approval', () => {
  test('of somebody who may decide goes to the workflow of the run', async () => {
    await putParkedRun(api.connection.db, 1);
    expect(await approve('nadia', SHORT, { surface: 'command_line' })).toMatchObject({ status: 200, body: { id: ID } });
    const input = { runId: runId(1), requestId: ID, decision: 'approved', actor: 'nadia', surface: 'command_line' };
    expect(api.site.updated).toMatchObject([{ kind: 'answer', input }]);
  });

  test.each([
    ['the person who started the run', 'olivia', 'requesterMayDecide'],
    ['a member who only reads', 'rudi', 'read_write'],
    ['a stranger', 'mallory', 'read_write'],
    ['nobody', '', 'somebody without a name'],
  ])('by %s is refused with the reason', async (_who, actor, reason) => {
    await putParkedRun(api.connection.db, 1);
    expect(await approve(actor)).toMatchObject({ status: 403, body: { message: expect.stringContaining(reason) } });
    expect(api.site.updated).toEqual([]);
  });

  test('that takes an owner is not given by a member, at no surface', async () => {
    const { db } = api.connection;
    await putParkedRun(db, 1, { mode: 'owner' });
    expect(await approve('nadia')).toMatchObject({ status: 403 });
    const body = form({ decision: 'approved', actor: 'nadia', requestId: ID }, BEARER);
    expect((await api.site.ask(`/runs/${runId(1)}/decide`, body)).status).toBe(403);
    expect(await approve('petra')).toMatchObject({ status: 200 });
    expect(api.site.updated).toHaveLength(1);
  });

  test('needs the staff token', async () => {
    await putParkedRun(api.connection.db, 1);
    expect(await api.json(`/decisions/${ID}/approve`, post({ actor: 'petra' }, {}))).toMatchObject({ status: 401 });
  });
});

test('a denial carries its reason, from the dashboard too', async () => {
  await putParkedRun(api.connection.db, 1);
  const body = form({ decision: 'denied', text: 'not on a Friday', actor: 'petra', requestId: ID }, BEARER);
  expect((await api.site.ask(`/runs/${runId(1)}/decide`, body)).status).toBe(303);
  const input = { decision: 'denied', text: 'not on a Friday', actor: 'petra', surface: 'dashboard' };
  expect(api.site.updated).toMatchObject([{ input }]);
});

test('a question that only owners may answer is not answered by a member, by whatever path', async () => {
  const asks = { text: 'Which plan?', options: ['a', 'b'], optionIds: ['a', 'b'], freeText: false, owner: true };
  await putParkedRun(api.connection.db, 1, { tool: 'owner.feedback.request', asks });
  const body = post({ text: '1', actor: 'nadia' });
  expect(await api.json(`/runs/${runId(1)}/answer`, body)).toMatchObject({ status: 403 });
  expect(await api.json(`/decisions/${ID}/answer`, body)).toMatchObject({ status: 403 });
  expect(await api.json(`/decisions/${ID}/answer`, post({ text: '1', actor: 'olivia' }))).toMatchObject({
    status: 200,
  });
});

test('a list and a page show what exactly will be done, why a person is asked, and what the policy wants now', async () => {
  await putParkedRun(api.connection.db, 1);
  expect(await api.json('/decisions', { headers: BEARER })).toMatchObject({
    body: {
      items: [{ id: ID, open: true, request: { call: { tool: 'database.lifecycle' } }, now: { mode: 'delegated' } }],
    },
  });
  const page = await (await api.site.ask(`/runs/${runId(1)}`, { headers: BEARER })).text();
  for (const part of [
    'database.lifecycle',
    '(delete)',
    '&lt;b&gt;shop',
    'dddddddddddd',
    'databases are work of operations',
  ])
    expect(page).toContain(part);
});

describe('a policy that was changed', () => {
  const policyOf = (mode: 'none' | 'owner'): ApprovalPolicy => ({
    version: 1,
    rules: [{ tool: 'github_labels_add', mode, reason: 'changed' }],
  });
  beforeEach(async () => {
    await storeAssignment(api.connection.db, { ...assignmentOf(runId(1)), stage: 'ops' });
    await putParkedRun(api.connection.db, 1, { tool: 'github_labels_add', action: 'add:run:release' });
  });

  test('approves what needs nobody any more, by the platform', async () => {
    expect(await judgeAgain(api.connection.db, policyOf('owner'), api.site.updates)).toBe(0);
    expect(await judgeAgain(api.connection.db, policyOf('none'), api.site.updates)).toBe(1);
    const input = { requestId: ID, decision: 'approved', actor: 'policy', surface: 'policy' };
    expect(api.site.updated).toMatchObject([{ input }]);
  });

  test('that is stricter takes the decision from those who had it', async () => {
    const on = createSite(api.connection, { policy: policyOf('owner') });
    try {
      expect(await api.json(`/decisions/${ID}/approve`, post({ actor: 'nadia' }), on)).toMatchObject({ status: 403 });
      expect(await api.json(`/decisions/${ID}/approve`, post({ actor: 'petra' }), on)).toMatchObject({ status: 200 });
    } finally {
      await on.live.close();
    }
  });
});

test('the policy is shown, and explains a call by its rule', async () => {
  expect(await api.json('/policy', { headers: BEARER })).toEqual({ status: 200, body: DEFAULT_POLICY });
  const query = 'tool=database.lifecycle&action=delete&stage=ops';
  expect(await api.json(`/policy/explain?${query}`, { headers: BEARER })).toMatchObject({
    body: { subject: { label: 'run:ops' }, decision: { reason: expect.any(String) } },
  });
});
