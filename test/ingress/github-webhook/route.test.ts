import { addPerson } from '../../../src/store/projects/repositories.ts';
import { deliveries, flowEvents } from '../../../src/store/connection/schema.ts';
import { bind, factsOf, keyOf, OLIVIA, REPOSITORY } from '../../support/tables.ts';
import { beforeEach, describe, expect, test } from 'vitest';
import { labeled, send, useWebhook } from './support/webhook.ts';

const { tables, webhook, kept } = useWebhook();

describe('a trigger label by somebody who may', () => {
  beforeEach(() => bind(tables.db));

  test('is accepted, with the run it asks for', async () => {
    const { status, body } = await send(webhook(), labeled(), { id: 'd1' });
    expect({ status, body }).toEqual({
      status: 202,
      body: {
        correlation_id: 'd1',
        run_id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
        status: 'accepted',
        duplicate: false,
        reason: 'project_member_read_write',
      },
    });
    expect(await factsOf(tables.db, 7)).toEqual([
      {
        seq: 1,
        deliveryId: 'd1',
        fact: {
          kind: 'trigger_label_added',
          delivery: 'd1',
          by: OLIVIA,
          at: expect.any(String) as string,
          label: 'run:dev',
          target: { stage: 'dev', kind: 'work' },
          runId: body['run_id'],
        },
      },
    ]);
  });

  test('is stored as the bytes that GitHub signed', async () => {
    const bytes = Buffer.from(`  ${JSON.stringify(labeled()).replace('run:dev', String.raw`run:dev`)}\n`);
    await send(webhook(), bytes, { id: 'd1' });
    expect(await tables.db.select().from(deliveries)).toMatchObject([
      { id: 'd1', body: bytes, event: 'issues', action: 'labeled' },
    ]);
  });

  test('is recorded in the audit trail with sender, action and repository', async () => {
    const { body } = await send(webhook(), labeled(), { id: 'd1' });
    expect(await tables.db.select().from(flowEvents)).toMatchObject([
      {
        type: 'webhook.received',
        chain: keyOf(7),
        actorType: 'system',
        actorId: 'github-webhook',
        correlationId: 'd1',
        runId: body['run_id'],
        payload: {
          action: 'labeled',
          sender: 'olivia',
          repository: 'acme/demo',
          label: 'run:dev',
          reason: 'project_member_read_write',
        },
      },
    ]);
  });

  test('may say its character set', async () => {
    const headers = { 'content-type': 'Application/JSON; charset=utf-8' };
    expect(await send(webhook(), labeled(), { headers })).toMatchObject({ status: 202 });
  });

  test('is found though the repository has another name now', async () => {
    const renamed = labeled(7, { repository: { id: REPOSITORY.id, name: 'renamed', owner: { login: 'acme-inc' } } });
    expect(await send(webhook(), renamed)).toMatchObject({ status: 202 });
  });
});

describe('what is accepted without a run', () => {
  test.each<[string, string, object]>([
    ['a ping', 'ping', { zen: 'Design for failure.', hook_id: 1, hook: { type: 'Repository' } }],
    [
      'a comment',
      'issue_comment',
      { ...labeled(), action: 'created', comment: { id: 1, body: 'run:dev', created_at: '2026-11-21T10:00:00Z' } },
    ],
    [
      'a push to main',
      'push',
      { ref: 'refs/heads/main', before: '0', after: '1', repository: labeled().repository, sender: labeled().sender },
    ],
  ])('%s', async (_what, event, body) => {
    await bind(tables.db);
    const answer = await send(webhook(), body, { event, id: 'd1' });
    expect(answer).toMatchObject({ status: 202 });
    expect(answer.body).toEqual({ correlation_id: 'd1', status: 'accepted', duplicate: false, reason: 'recorded' });
    expect(await kept()).toEqual({ deliveries: 1, events: 1, facts: 0 });
  });
});

describe('what is ignored', () => {
  const stranger = { id: 666, login: 'mallory', type: 'User' };
  const two = { issue: { ...labeled().issue, labels: [{ name: 'run:dev' }, { name: 'run:qa' }] } };
  const push = { ref: 'refs/heads/main', before: '0', after: '1', repository: labeled().repository };

  test.each<[string, string, object, string, number]>([
    ['another label', 'issues', labeled(7, { label: { name: 'bug' } }), 'issue_event_not_trigger_label', 0],
    [
      'another action',
      'issues',
      labeled(7, { action: 'edited', label: undefined }),
      'issue_event_not_trigger_label',
      0,
    ],
    ['a label by a stranger', 'issues', labeled(7, { sender: stranger }), 'sender_not_allowed', 0],
    [
      'a label by a bot',
      'issues',
      labeled(7, { sender: { ...OLIVIA, type: 'Bot' } }),
      'sender_type_bot_not_permitted',
      0,
    ],
    ['a label by nobody', 'issues', labeled(7, { sender: undefined }), 'sender_login_missing', 0],
    ['two labels', 'issues', labeled(7, two), 'issue_trigger_label_conflict', 1],
    ['two labels by a stranger', 'issues', labeled(7, { ...two, sender: stranger }), 'sender_not_allowed', 0],
    [
      'a closed issue',
      'issues',
      labeled(7, { action: 'closed', label: undefined }),
      'issue_event_not_trigger_label',
      1,
    ],
    [
      'a repository that is not bound',
      'issues',
      labeled(7, { repository: { ...labeled().repository, id: 43 } }),
      'repository_not_bound_for_issue_label',
      0,
    ],
    [
      'a push to a repository that is not bound',
      'push',
      { ...push, repository: { ...push.repository, id: 43 } },
      'repository_not_bound_for_push_main',
      0,
    ],
  ])('%s', async (_what, event, body, reason, facts) => {
    await bind(tables.db);
    const answer = await send(webhook(), body, { event, id: 'd1' });
    expect(answer).toMatchObject({ status: 200 });
    expect(answer.body).toEqual({ correlation_id: 'd1', status: 'ignored', duplicate: false, reason });
    expect(await kept()).toEqual({ deliveries: 1, events: 1, facts });
    expect(await tables.db.select().from(flowEvents)).toMatchObject([{ type: 'webhook.ignored', payload: { reason } }]);
  });

  test.each<['read' | null, string]>([
    ['read', 'sender_role_read_not_permitted'],
    [null, 'sender_not_project_member'],
  ])('a label by somebody known with the role %j, who is told why', async (role, reason) => {
    const { projectId } = await bind(tables.db);
    const peter = { id: 12, login: 'peter' };
    await addPerson(tables.db, peter, role ?? 'platform_admin', projectId);
    if (role === null) await tables.db.execute('update people set platform_role = null where id = 12');
    const answer = await send(webhook(), labeled(7, { sender: { ...peter, type: 'User' } }));
    expect(answer).toMatchObject({ status: 200, body: { status: 'ignored', reason } });
    expect(await factsOf(tables.db, 7)).toMatchObject([{ fact: { kind: 'trigger_refused', reason, by: peter } }]);
  });
});
