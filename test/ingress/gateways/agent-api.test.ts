import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { createAgentApi } from '../../../ingress/gateways/agent-api.ts';
import type { RunAccess } from '../../../ingress/gateways/run-access.ts';
import { readLog } from '../../../src/read-model/queries/log.ts';
import { RUN_LOG_LIMITS } from '../../../src/store/runs/run-log.ts';
import { useTables } from '../../support/tables.ts';

const tables = useTables();

test('log lines beyond the limit of a run are accepted and not kept, so that its agent neither fails nor asks again', async () => {
  const runId = randomUUID();
  const api = createAgentApi({
    db: tables.db,
    access: { open: async () => ({ runId }) } as unknown as RunAccess,
    platformUrl: 'http://platform.test',
    author: { name: '', email: '' },
    limits: { stallSeconds: 1, runSeconds: 1 },
  });
  const line = { n: RUN_LOG_LIMITS.lines + 7, at: new Date().toISOString(), kind: 'output', text: 'more and more' };
  const { status } = await api.request('/log', { method: 'POST', body: JSON.stringify({ lines: [line] }) });
  expect(status).toBe(204);
  expect(await readLog(tables.db, runId, { after: -1, limit: 10 })).toMatchObject([
    { kind: 'runner', text: expect.stringContaining('full (20,000 lines, 16 MiB)') as string },
  ]);
});
