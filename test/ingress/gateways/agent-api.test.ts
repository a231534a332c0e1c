import { randomUUID } from 'node:crypto';
import { MockActivityEnvironment } from '@temporalio/testing';
import { describe, expect, test } from 'vitest';
import { createAgentActivities, type AgentPorts } from '../../../activities/agents/agents.ts';
import { createAgentApi } from '../../../ingress/gateways/agent-api.ts';
import type { RunAccess } from '../../../ingress/gateways/run-access.ts';
import { createRunTokens } from '../../../src/adapters/run-tokens.ts';
import { readLog } from '../../../src/read-model/queries/log.ts';
import { agentAttempts } from '../../../src/store/connection/schema.ts';
import { RUN_LOG_LIMITS } from '../../../src/store/runs/run-log.ts';
import { useTables } from '../../support/tables.ts';

const tables = useTables();

const TOKENS = createRunTokens('k'.repeat(32));

function apiOf(runId: string) {
  return createAgentApi({
    db: tables.db,
    access: { open: async () => ({ runId, attempt: 1 }) } as unknown as RunAccess,
    platformUrl: 'http://platform.test',
    author: { name: '', email: '' },
    limits: { stallSeconds: 1, runSeconds: 1 },
  });
}

test('log lines beyond the limit of a run are accepted and not kept, so that its agent neither fails nor asks again', async () => {
  const runId = randomUUID();
  const api = apiOf(runId);
  const line = { n: RUN_LOG_LIMITS.lines + 7, at: new Date().toISOString(), kind: 'output', text: 'more and more' };
  const { status } = await api.request('/log', { method: 'POST', body: JSON.stringify({ lines: [line] }) });
  expect(status).toBe(204);
  expect(await readLog(tables.db, runId, { after: -1, limit: 10 })).toMatchObject([
    { kind: 'runner', text: expect.stringContaining('full (20,000 lines, 16 MiB)') as string },
  ]);
});

describe('a report that a runner has not redacted', () => {
  const GITHUB = `ghp_${'a1'.repeat(18)}`;
  const MODEL = `sk-${'b2'.repeat(20)}`;
  const ended = { headSha: 'a'.repeat(40), threadId: 'thread-1', model: 'm', reasoningEffort: 'high' };
  const finished = { title: 'Add it', summary: 'Did it.', checks: [], answers: [] };

  /** Every row that holds anything of the run, and what its workflow is told, as text: comments and events are made of that. */
  async function kept(runId: string, report: object): Promise<string> {
    const token = TOKENS.issue(runId, 1);
    const { status } = await apiOf(runId).request('/report', {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify(report).replaceAll('RUN_TOKEN', token),
    });
    expect(status).toBe(204);
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
    ['the detail', { outcome: 'failed', failure: 'agent_failed', detail: 'refused SECRET' }],
  ])('leaves no secret of %s in the database, nor in what the workflow is told', async (what, report) => {
    // A run token is longer than a title may be.
    for (const secret of what === 'the title' ? [GITHUB, MODEL] : [GITHUB, MODEL, 'RUN_TOKEN']) {
      const text = await kept(randomUUID(), JSON.parse(JSON.stringify(report).replace('SECRET', secret)) as object);
      expect(text).toContain('[redacted]');
      expect(text).not.toContain(secret);
    }
  });
});
