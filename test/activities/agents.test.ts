import { randomUUID } from 'node:crypto';
import { beforeEach, expect, test } from 'vitest';
import { createAgentActivities, type AgentPorts } from '../../activities/agents.ts';
import { createRunAccess } from '../../ingress/gateways/run-access.ts';
import { createRunTokens } from '../../src/adapters/run-tokens.ts';
import { storeAssignment } from '../../src/read-model/assignments.ts';
import { agentAssignments } from '../../src/read-model/schema.ts';
import { useTables } from '../support/tables.ts';

const tables = useTables();
const tokens = createRunTokens('k'.repeat(32));

beforeEach(() => tables.db.delete(agentAssignments));

test('T15: the token of a run opens nothing any more before its agent is asked to stop', async () => {
  const runId = randomUUID();
  const access = createRunAccess(tables.db, tokens);
  const opened: boolean[] = [];
  const opens = async (): Promise<object> => {
    opened.push((await access.open(tokens.issue(runId, 1))) !== undefined);
    return {};
  };
  const runtime = { launch: opens, stop: opens } as unknown as AgentPorts['runtime'];
  const ports = { db: tables.db, runtime, runToken: tokens.issue } as unknown as AgentPorts;
  const activities = createAgentActivities(ports);
  await storeAssignment(tables.db, {
    runId,
    repositoryId: 42,
    repositoryFullName: 'acme/demo',
    branch: 'codex/issue-7',
    baseBranch: 'main',
    kind: 'work',
    prompt: 'Please.',
    promptSha256: '',
    model: 'gpt-5.5',
    reasoningEffort: 'medium',
    resumeThreadId: null,
    resumeRunId: null,
  });
  await activities.launchAgent({ runId, environment: 'codex-demo-r42-i7', attempt: 1, owner: 'issue:42#7' });
  await activities.stopAgent({ runId, environment: 'codex-demo-r42-i7' });
  expect(opened).toEqual([true, false]);
});
