/** Runs that wait for people: an agent asks, and is answered by a comment or at the command line; a run is paused and resumed. */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { storedConversation } from '../support/conversations.ts';
import type { RunView } from '../../ingress/api/views.ts';
import { createRunTokens } from '../../src/adapters/run-tokens.ts';
import { requestMarker } from '../../src/domain/messages/request-comment.ts';
import { connect } from '../../src/store/connection/database.ts';
import { recordCall } from '../../src/store/runs/tool-calls.ts';
import { canonicalJson, digestOf } from '../../src/tools/canonical.ts';
import { OWNER } from '../../src/embedded/accounts.ts';
import { eventually, processesOf } from '../support/stack.ts';
import { beginnings, placesOf } from './support/agents.ts';
import { closeScene, openScene, type Scene } from './support/scene.ts';

const REPO = 'questions';
const CLI = fileURLToPath(new URL('../../src/cli/cli.ts', import.meta.url));

/** One person works alone here. */
const POLICY = `version: 1
requesterMayDecide: true
rules:
  - { tool: run_status_report, mode: owner, reason: a test }
`;

let scene: Scene;

beforeAll(async () => {
  // One agent at a time: whoever waits must not keep others from working.
  scene = await openScene((directory) => {
    const policy = `${directory}/policy.yaml`;
    writeFileSync(policy, POLICY);
    return {
      CODEXK8S_QUESTION_HOURS: '0.5',
      CODEXK8S_APPROVAL_HOURS: '0.5',
      CODEXK8S_PAUSE_HOURS: '0.25',
      CODEXK8S_POLICY_FILE: policy,
      CODEXK8S_RUN_LIMITS: 'installation=1,project=1,role=1',
    };
  });
  await scene.bindRepository(REPO);
});
afterAll(() => closeScene(scene));

/** Runs `codex-k8s` as a person does. */
async function cli(...args: string[]): Promise<string> {
  const { stdout } = await execa(process.execPath, [CLI, ...args, '--data', scene.stack.directory], {
    env: { LC_ALL: 'C' },
  });
  return stdout;
}

async function label(title: string, body = 'Please.'): Promise<number> {
  const issue = await scene.person.openIssue(REPO, { title, body });
  await scene.person.label(REPO, issue, 'run:dev');
  return issue;
}

async function waits(id: string): Promise<RunView> {
  return eventually(`run ${id} waits`, async () => {
    const run = await scene.run(id);
    if (run.terminal) throw new Error(`run ${id} is over: ${run.status} ${run.failureText} ${run.detail}`);
    return run.status === 'waiting' && run;
  });
}

/** What of the run's agents lives on this machine: their own processes, and programs in their workspace. */
function agentProcesses({ workspace, id }: RunView): string[] {
  const { directory } = scene.stack;
  const lives = placesOf(directory, workspace ?? '', id).filter((place) => place.lives);
  const codex = processesOf(directory).filter(({ command }) => /codex.* exec /.test(command));
  return [...lives.map((place) => place.directory), ...codex.map(({ command }) => command)];
}

/** Looks for agents until it is stopped, and answers what it saw. */
function watchAgents(run: RunView): () => Promise<string[]> {
  const seen: string[] = [];
  const over = new AbortController();
  const watching = (async () => {
    while (!over.signal.aborted) {
      seen.push(...agentProcesses(run));
      await delay(20);
    }
  })();
  return async () => {
    over.abort();
    await watching;
    return seen;
  };
}

async function kill(name: string): Promise<void> {
  const before = scene.stack.pidOf(name);
  process.kill(before, 'SIGKILL');
  await eventually(`another ${name}`, () => {
    const now = scene.stack.pids()[name];
    return now !== undefined && now !== before;
  });
}

async function pullRequestText(run: RunView): Promise<string> {
  const { data } = await scene.person.octokit.rest.pulls.get({
    owner: OWNER,
    repo: REPO,
    pull_number: run.pullRequest ?? 0,
  });
  return `${data.title}\n${data.body ?? ''}`;
}

describe('an agent that asks and is answered by a comment', () => {
  let issue: number;
  let run: RunView;
  let seenAgents: string[];

  beforeAll(async () => {
    issue = await label('Report the words [script: asks]');
    run = await waits((await scene.started(REPO, issue)).id);
  });

  test('waits until the hours of the installation are over', () => {
    expect(run).toMatchObject({ status: 'waiting', wait: { kind: 'question', name: 'waiting_mcp' } });
    const { since = '', until = '' } = run.wait ?? {};
    expect(Date.parse(until) - Date.parse(since)).toBe(30 * 60_000);
  });

  test('has its question put on the issue, with the options and how to answer', async () => {
    const comments = await scene.commentsSaying(REPO, issue, requestMarker(`${run.id}.1`));
    const question = comments.filter(({ body }) => body.includes(requestMarker(`${run.id}.1`)));
    expect(question).toHaveLength(1);
    expect(question[0]?.body).toContain('2. CSV');
    expect(question[0]?.body).toContain(`codex-k8s runs answer ${run.id} TEXT`);
  });

  test('is said to wait in the status comment', async () => {
    await scene.commentsSaying(REPO, issue, 'can answer it until');
  });

  test('has a token that opens nothing any more', async () => {
    const token = createRunTokens(scene.stack.secret('run-token-key')).issue(run.id, 1);
    const { status } = await fetch(`${scene.stack.ready.url}/api/v1/agent/assignment`, {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(status).toBe(401);
  });

  test('leaves its permit to others, and survives the worker and Temporal meanwhile, without an agent at any time', async () => {
    const stop = watchAgents(run);
    await kill('worker');
    await kill('temporal');
    expect(await waits(run.id)).toMatchObject({ wait: run.wait });
    seenAgents = await stop();
    expect(seenAgents).toEqual([]);
    const other = await label('Somebody else works');
    expect(await scene.ended(REPO, other)).toMatchObject({ status: 'succeeded' });
    expect(await scene.run(run.id)).toMatchObject({ status: 'waiting' });
  });

  test('goes on with the same conversation when a comment names an option by its number', async () => {
    await scene.person.octokit.rest.issues.createComment({ owner: OWNER, repo: REPO, issue_number: issue, body: '2' });
    const ended = await scene.ended(REPO, issue);
    expect(ended).toMatchObject({ status: 'succeeded', wait: null, request: null });
    const threads = await scene.sql`select thread_id from agent_conversations where run_id = ${run.id}`;
    expect(threads.map((row) => String(row['thread_id']))).toEqual([ended.threadId]);
    expect(beginnings(await scene.log(run.id))).toHaveLength(2);
    run = ended;
  });

  test('has the answer in its pull request', async () => {
    expect(await pullRequestText(run)).toContain('Report: CSV');
  });

  test('shows on the issue who answered what', async () => {
    const comments = await scene.commentsSaying(REPO, issue, `Answered by ${OWNER}`);
    expect(comments.find(({ body }) => body.includes(requestMarker(`${run.id}.1`)))?.body).toContain('\nCSV\n');
  });

  test('has all of it in its timeline', async () => {
    const types = (await scene.events(run.id)).map(({ type }) => type);
    expect(types).toEqual(
      expect.arrayContaining(['request.opened', 'run.wait.paused', 'request.answered', 'run.wait.resumed']),
    );
    expect(types).not.toContain('run.agent.replaced');
  });
});

test('a free question is answered at the command line, and what was not committed is still there', async () => {
  const issue = await label('Name the report [script: asks-freely]');
  const { id } = await waits((await scene.started(REPO, issue)).id);
  expect(await cli('runs', 'show', id)).toContain('What should the report be called?');
  expect(await cli('runs', 'list')).toContain('waiting: an answer');
  expect(await cli('runs', 'answer', id, 'Words', 'of', 'March', '--by', 'paula')).toContain(
    'Answered “Words of March”',
  );
  const run = await scene.ended(REPO, issue);
  expect(await pullRequestText(run)).toContain('Report: Words of March');
  const { data } = await scene.person.octokit.rest.repos.getContent({
    owner: OWNER,
    repo: REPO,
    path: `reports/issue-${issue}.md`,
    ref: run.branch,
  });
  const text = Buffer.from((data as { content: string }).content, 'base64').toString('utf8');
  expect(text).toBe('# Name the report [script: asks-freely]\n\nAnswer: Words of March\n');
});

describe('a run that an operator pauses', () => {
  let issue: number;
  let run: RunView;

  beforeAll(async () => {
    issue = await label('Wait for me [script: wait]', `wait-for: ${scene.stack.directory}/never`);
    const { id } = await scene.started(REPO, issue);
    await scene.working(id, /until \[ -e/);
    await cli('runs', 'pause', id, '--reason', 'the release');
    run = await waits(id);
  });

  test('has no agent, and says who is waited for', async () => {
    await eventually('the end of the agent', () => agentProcesses(run).length === 0);
    expect(run).toMatchObject({ wait: { kind: 'paused', name: 'paused' }, request: null });
    expect(await cli('runs', 'list')).toContain('waiting: paused');
  });

  test('refuses an answer, since nothing is asked', async () => {
    await expect(cli('runs', 'answer', run.id, 'yes')).rejects.toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('it is paused') as string,
    });
  });

  test('goes on with the same conversation when it is resumed', async () => {
    await cli('runs', 'resume', run.id, '--note', 'Go on.');
    await eventually('the agent works again', async () => beginnings(await scene.log(run.id)).length === 2);
    const conversation = await storedConversation(scene.sql, run.id);
    expect(conversation?.text.match(/"type":"session_meta"/g)).toHaveLength(1);
    await cli('runs', 'cancel', run.id);
    await scene.ended(REPO, issue);
  });
});

describe('an agent whose tool call is approved by a comment', () => {
  const goes = () => `${scene.stack.directory}/parked-goes`;
  const say = async (body: string): Promise<void> => {
    await scene.person.octokit.rest.issues.createComment({ owner: OWNER, repo: REPO, issue_number: issue, body });
  };
  let issue: number;
  let run: RunView;
  let before: string;

  beforeAll(async () => {
    issue = await label('Report how it stands [script: wait]', `wait-for: ${goes()}`);
    run = await scene.started(REPO, issue);
    await scene.working(run.id, /parked-goes/);
    const connection = connect(scene.stack.ready.databaseUrl, { name: 'test' });
    const args = { status: 'half way' };
    const decision = { mode: 'owner', rule: 0, reason: 'a test' } as const;
    await recordCall(connection.db, {
      runId: run.id,
      attempt: 1,
      tool: 'run_status_report',
      action: 'call',
      args: canonicalJson(args),
      digest: digestOf('run_status_report', args),
      decision,
      state: 'requested',
    });
    await connection.close();
    run = await waits(run.id);
    before = (await storedConversation(scene.sql, run.id))?.text ?? '';
  });

  test('ends its turn by itself, and waits without an agent and a valid token', async () => {
    expect(run.wait).toMatchObject({ kind: 'approval', name: 'waiting_owner_review' });
    expect(await eventually('no agent', () => agentProcesses(run).length === 0)).toBe(true);
    const token = createRunTokens(scene.stack.secret('run-token-key')).issue(run.id, 1);
    const { status } = await fetch(`${scene.stack.ready.url}/api/v1/agent/assignment`, {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(status).toBe(401);
    expect((await scene.events(run.id)).map(({ type }) => type)).not.toContain('run.agent.replaced');
    expect(before).toContain('Report how it stands');
  });

  test('is asked about on the issue, with what exactly will be done', async () => {
    const comments = await scene.commentsSaying(REPO, issue, requestMarker(`${run.id}.1`));
    const asked = comments.find(({ body }) => body.includes(requestMarker(`${run.id}.1`)))?.body;
    for (const part of ['run_status_report', '{"status":"half way"}', 'a test', '/approve 1'])
      expect(asked).toContain(part);
    expect(await cli('decisions', 'list')).toContain(`${run.id.slice(0, 8)}.1`);
  });

  test('goes on with the result of the call, byte for byte, after all that was said before', async () => {
    await say('Looks fine to me.');
    writeFileSync(goes(), '');
    await say('/approve 1');
    await eventually('the second agent', async () => (await scene.run(run.id)).status !== 'waiting');
    const [call] = await scene.sql<{ state: string; result: string }[]>`
      select state, result from tool_calls where run_id = ${run.id}`;
    expect(call).toMatchObject({ state: 'applied', result: expect.stringContaining('"status":"ok"') });
    const asJson = JSON.stringify(call?.result ?? '').slice(1, -1);
    const after = await eventually('the next message', async () => {
      const text = (await storedConversation(scene.sql, run.id))?.text ?? '';
      return text.includes(asJson) && text;
    });
    expect(after.startsWith(before.slice(0, 2000))).toBe(true);
    const types = (await scene.events(run.id)).map(({ type }) => type);
    for (const type of ['approval.requested', 'approval.approved', 'approval.applied']) expect(types).toContain(type);
  });
});
