/** While an agent works, its run's status comment is kept up to date; when it is over, no more. */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { describe, expect, test } from 'vitest';
import { createAgentActivities, type AgentPorts } from '../../activities/agents/agents.ts';
import { useTables } from '../support/tables.ts';

const tables = useTables();
const QUIET = new DefaultLogger('ERROR');
const FIRST_LOOK_MS = 100;

/** An agent that ends when told, and the comments that are looked at meanwhile. */
function waiting(refresh: () => Promise<void> = () => Promise.resolve()) {
  const over = Promise.withResolvers<{ detail: string }>();
  const looks: string[] = [];
  const ports = {
    db: tables.db,
    runtime: { ended: () => over.promise },
    runToken: () => 'the run token',
    commentLimits: { firstLookMs: FIRST_LOOK_MS, nextLookMs: 60_000 },
  } as unknown as AgentPorts;
  const activities = createAgentActivities(ports, {
    async refresh(runId) {
      looks.push(runId);
      await refresh();
    },
  });
  const agent = { runId: randomUUID(), workspace: 'codex-demo-r42-i7', attempt: 1 };
  const workspace = new MockActivityEnvironment({}, { logger: QUIET });
  const ended = workspace.run(() => activities.awaitAgent(agent));
  return { agent, looks, ended, over: () => over.resolve({ detail: 'gone' }) };
}

describe('the status comment of a run whose agent works', () => {
  test('is looked at soon, for what was left of the beginning', async () => {
    const { agent, looks, ended, over } = waiting();
    await expect.poll(() => looks).toEqual([agent.runId]);
    over();
    expect(await ended).toEqual({ kind: 'lost', detail: 'gone' });
  });

  test('is not looked at any more when the agent is over', async () => {
    const { looks, ended, over } = waiting();
    over();
    await ended;
    await delay(3 * FIRST_LOOK_MS);
    expect(looks).toEqual([]);
  });

  test('holds nobody up that cannot be written', async () => {
    const { looks, ended, over } = waiting(() => new Promise(() => undefined));
    await expect.poll(() => looks.length).toBe(1);
    over();
    expect(await ended).toMatchObject({ kind: 'lost' });
  });

  test('fails nothing when GitHub refuses it', async () => {
    const { looks, ended, over } = waiting(() => Promise.reject(new Error('away')));
    await expect.poll(() => looks.length).toBe(1);
    over();
    expect(await ended).toMatchObject({ kind: 'lost' });
  });
});
