import { randomUUID } from 'node:crypto';
import { MockActivityEnvironment } from '@temporalio/testing';
import { describe, expect, test } from 'vitest';
import { createAgentActivities, type AgentPorts } from '../../../activities/agents/agents.ts';
import { createAgentApi } from '../../../ingress/gateways/agent-api.ts';
import type { RunAccess } from '../../../ingress/gateways/run-access.ts';
import { createRunTokens } from '../../../src/adapters/run-tokens.ts';
import { readLog } from '../../../src/read-model/queries/log.ts';
import { findConversation } from '../../../src/store/runs/conversations.ts';
import { agentAttempts, runLogLines } from '../../../src/store/connection/schema.ts';
import { moveCall, recordCall } from '../../../src/store/runs/tool-calls.ts';
import { RUN_LOG_LIMITS } from '../../../src/store/runs/run-log.ts';
import { useTables } from '../../support/tables.ts';

const tables = useTables();

const PLATFORM_SECRET = 'the key of the model, 0123456789';
const TOKENS = createRunTokens('k'.repeat(32));

function apiOf(runId: string) {
  return createAgentApi({
    db: tables.db,
    access: { open: async () => ({ runId, attempt: 1 }) } as unknown as RunAccess,
    platformUrl: 'http://platform.test',
    author: { name: '', email: '' },
    limits: { stallSeconds: 1, runSeconds: 1 },
    secrets: [PLATFORM_SECRET],
    directiveWaitMs: 20,
  });
}

test('a runner is told that the turn must end while a tool call of its attempt waits, and only then', async () => {
  const runId = randomUUID();
  const directives = async () => (await apiOf(runId).request('/directives')).json();
  expect(await directives()).toEqual({ endTurn: null });
  const decision = { mode: 'owner', rule: null, reason: 'no rule' } as const;
  const call = { runId, tool: 't', action: 'call', args: '{}', digest: 'd', decision, state: 'requested' } as const;
  await recordCall(tables.db, { ...call, attempt: 1 });
  expect(await directives()).toEqual({ endTurn: { reason: 'parked' } });
  await moveCall(tables.db, `${runId}:1`, 'denied', '{}');
  await recordCall(tables.db, { ...call, attempt: 2 });
  expect(await directives()).toEqual({ endTurn: null });
});

test('log lines beyond the limit of a run are accepted and not kept, so that its agent neither fails nor asks again', async () => {
  const runId = randomUUID();
  const api = apiOf(runId);
  const line = { n: 0, at: new Date().toISOString(), kind: 'output', text: 'more and more' };
  const last = { ...line, n: RUN_LOG_LIMITS.lines - 1, at: new Date(), text: 'the last' };
  await tables.db.insert(runLogLines).values({ runId, ...last });
  const { status } = await api.request('/log', { method: 'POST', body: JSON.stringify({ lines: [line] }) });
  expect(status).toBe(204);
  expect(await readLog(tables.db, runId, { after: -1, limit: 10 })).toMatchObject([
    { kind: 'output', text: 'the last' },
    { kind: 'runner', text: expect.stringContaining('full (20,000 lines, 16 MiB)') as string },
  ]);
});

const GITHUB = `ghp_${'a1'.repeat(18)}`;
const SECRETS = {
  'a token of GitHub': GITHUB,
  'a token of a GitHub App with a JWT': `ghs_1234567_eyJ${'a1'.repeat(20)}.eyJ${'b2'.repeat(200)}.${'c3'.repeat(40)}`,
  'a key of AWS': 'AKIAIOSFODNN7EXAMPLE',
  'a key of a model': `sk-${'b2'.repeat(20)}`,
  'a token of GitHub in base64': Buffer.from(`x-access-token:${GITHUB}`).toString('base64'),
  "the platform's own secret": PLATFORM_SECRET,
  'the run token': 'RUN_TOKEN',
} as const;
/** Characters that a part of a report may have, if they are few. */
const LIMITS: Readonly<Record<string, number>> = { 'the title': 100, 'an option': 200 };
const RUN_TOKEN_BASE64 = 'the run token in base64';

async function conversationOf(runId: string): Promise<string> {
  const parts = (await findConversation(tables.db, runId))?.parts() ?? [];
  const pieces: Uint8Array[] = [];
  for await (const part of parts) pieces.push(part);
  return Buffer.concat(pieces).toString();
}

/** Sends this to the agent API with the token of the run, which stands for RUN_TOKEN, and returns the token. */
async function send(runId: string, method: string, path: string, body: string): Promise<string> {
  const token = TOKENS.issue(runId, 1);
  const { status } = await apiOf(runId).request(path, {
    method,
    headers: { authorization: `Bearer ${token}`, 'x-thread-id': 'thread-1' },
    body: body
      .replaceAll(RUN_TOKEN_BASE64, Buffer.from(`a:${token}`).toString('base64'))
      .replaceAll('RUN_TOKEN', token),
  });
  expect(status).toBe(204);
  return token;
}

/** What of a secret is found in a text that must not hold it. */
function leaked(text: string, secret: string, token: string): string[] {
  return [secret.replace('RUN_TOKEN', token), token, Buffer.from(`a:${token}`).toString('base64')].filter((form) =>
    text.includes(form),
  );
}

describe.each<[string, string]>([...Object.entries(SECRETS), [RUN_TOKEN_BASE64, RUN_TOKEN_BASE64]])(
  '%s, sent with the run token and without a runner',
  (_what, secret) => {
    test('as a log line is not kept', async () => {
      const runId = randomUUID();
      const line = { n: 0, at: new Date().toISOString(), kind: 'message', text: `I found ${secret} here` };
      const token = await send(runId, 'POST', '/log', JSON.stringify({ lines: [line] }));
      const [kept] = await readLog(tables.db, runId, { after: -1, limit: 10 });
      expect(kept?.text).toMatch(/^I found .{0,2}\[redacted\].{0,4} here$/);
      expect(leaked(kept?.text ?? '', secret, token)).toEqual([]);
    });

    test('in a conversation is not kept', async () => {
      const runId = randomUUID();
      const line = JSON.stringify({ type: 'message', text: `I found\n${secret}\nhere` });
      const token = await send(runId, 'PUT', '/conversation', `${line}\n${line}\n`);
      const kept = await conversationOf(runId);
      expect(kept.split('\n').map((one) => (one === '' ? '' : (JSON.parse(one) as { type: string }).type))).toEqual([
        'message',
        'message',
        '',
      ]);
      expect(leaked(kept, secret, token)).toEqual([]);
    });
  },
);

test('S2, S5: a token behind escapes of JSON is not kept in a conversation, which stays JSON', async () => {
  const runId = randomUUID();
  const hidden = JSON.stringify({ text: `it is ${GITHUB}` }).replace('ghp_', String.raw`\u0067hp\u005f`);
  await send(runId, 'PUT', '/conversation', `${hidden}\n`);
  expect(JSON.parse(await conversationOf(runId))).toEqual({ text: 'it is [redacted]' });
});

test('a private key over several log lines is kept in none of them', async () => {
  const runId = randomUUID();
  const key = ['-----BEGIN PRIVATE KEY-----', 'a1b2'.repeat(16), '-----END PRIVATE KEY-----'];
  const lines = key.map((text, n) => ({ n, at: new Date().toISOString(), kind: 'output', text }));
  await send(runId, 'POST', '/log', JSON.stringify({ lines }));
  const kept = await readLog(tables.db, runId, { after: -1, limit: 10 });
  expect(kept.map(({ text }) => text)).toEqual(key.map(() => '[redacted]'));
});

describe('a report that a runner has not redacted', () => {
  const ended = { headSha: 'a'.repeat(40), threadId: 'thread-1', model: 'm', reasoningEffort: 'high' };
  const finished = { title: 'Add it', summary: 'Did it.', checks: [], answers: [] };

  /** Every row that holds anything of the run, and what its workflow is told, as text: comments and events are made of that. */
  async function kept(runId: string, report: object): Promise<string> {
    const token = await send(runId, 'POST', '/report', JSON.stringify(report));
    const activities = createAgentActivities({
      db: tables.db,
      runtime: { ended: async () => ({ detail: '' }) },
    } as unknown as AgentPorts);
    const told = await new MockActivityEnvironment().run(async () =>
      activities.awaitAgent({ runId, workspace: 'codex-1', attempt: 1 }),
    );
    expect(told).toMatchObject({ kind: 'reported' });
    const text = JSON.stringify([told, await tables.db.select().from(agentAttempts)]);
    return text.replaceAll(token, 'RUN_TOKEN');
  }

  test.each<[string, object]>([
    ['the question', { outcome: 'asked', question: { text: 'Is SECRET right?', options: [] }, ...ended }],
    ['an option', { outcome: 'asked', question: { text: 'Which?', options: ['SECRET', 'none'] }, ...ended }],
    ['the title', { outcome: 'finished', answer: { ...finished, title: 'Use SECRET' }, ...ended }],
    ['the summary', { outcome: 'finished', answer: { ...finished, summary: 'I used SECRET.' }, ...ended }],
    [
      'a check, in the pull request',
      { outcome: 'finished', answer: { ...finished, checks: [{ command: 'login SECRET', passed: true }] }, ...ended },
    ],
    [
      'an answer to a reviewer',
      { outcome: 'finished', answer: { ...finished, answers: [{ comment_id: 1, answer: 'See SECRET' }] }, ...ended },
    ],
    ['the detail', { outcome: 'failed', failure: 'agent_failed', detail: 'refused SECRET' }],
  ])('leaves no secret of %s in the database, nor in what the workflow is told', async (what, report) => {
    // The run token and a JWT are longer than some texts may be.
    const longest = LIMITS[what] ?? Infinity;
    const lengthOf = (secret: string): number =>
      secret === 'RUN_TOKEN' ? TOKENS.issue(randomUUID(), 1).length : secret.length;
    for (const secret of Object.values(SECRETS).filter((one) => lengthOf(one) + 10 < longest)) {
      const text = await kept(randomUUID(), JSON.parse(JSON.stringify(report).replace('SECRET', secret)) as object);
      expect(text).toContain('[redacted]');
      expect(text).not.toContain(secret);
    }
  });
});
