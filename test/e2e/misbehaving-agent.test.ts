/** Agents that do not do their job: each is told apart, and leaves no pull request and no trigger label behind. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { storedConversation } from '../support/conversations.ts';
import { OWNER } from '../../src/embedded/accounts.ts';
import type { RunView } from '../../ingress/api/views.ts';
import { remote, WorkingCopy } from '../emulators/github/emulator.ts';
import { closeScene, marked, openScene, type Scene } from './support/scene.ts';

const REPO = 'trouble';
/** Longer than an agent that waits needs here, shorter than anybody wants to wait. */
const STALL_SECONDS = 30;

let scene: Scene;
const issues: Record<string, number> = {};
const flags = await mkdtemp(join(tmpdir(), 'codex-k8s-e2e-flags-'));

async function label(script: string, body = ''): Promise<number> {
  const issue = await scene.person.openIssue(REPO, { title: `Please [script: ${script}]`, body });
  issues[script] = issue;
  await scene.person.label(REPO, issue, 'run:dev');
  return issue;
}

async function theEnd(script: string): Promise<RunView> {
  return scene.ended(REPO, issues[script] ?? 0);
}

beforeAll(async () => {
  scene = await openScene({ CODEXK8S_AGENT_STALL_SECONDS: String(STALL_SECONDS) });
  await scene.bindRepository(REPO);
  // The one that takes longest goes first; all go on at once.
  for (const script of ['hang', 'exit', 'nothing', 'not-json', 'repair', 'long-line', 'leak']) await label(script);
});

afterAll(async () => {
  await closeScene(scene);
  await rm(flags, { recursive: true, force: true });
});

interface Trouble {
  readonly script: string;
  readonly failure: string;
  readonly sentence: string;
  readonly detail: RegExp;
}

/** What all agents have in common that fail their runs. */
function failsItsRun({ script, failure, sentence, detail }: Trouble): void {
  let run: RunView;

  beforeAll(async () => {
    run = await theEnd(script);
  });

  test(`fails its run with ${failure}`, () => {
    expect(run).toMatchObject({ status: 'failed', failure, detail: expect.stringMatching(detail), pullRequest: null });
  });

  test('has its reason in the one status comment', async () => {
    const comments = await scene.commentsSaying(REPO, run.issueNumber, 'The run failed.');
    expect(comments.filter(({ body }) => body.startsWith(marked(run.id)))).toHaveLength(1);
    expect(comments).toHaveLength(1);
    expect(comments[0]?.body).toContain(sentence);
  });

  test('loses its trigger label and gets no state:in-review', async () => {
    await scene.expectLabels(REPO, run.issueNumber, []);
  });

  test('leaves no pull request', async () => {
    expect(await scene.pullRequestsOf(REPO, run.issueNumber)).toEqual([]);
  });
}

describe.each<Trouble>([
  { script: 'exit', failure: 'agent_failed', sentence: 'The agent ended with an error.', detail: /told to refuse/ },
  { script: 'nothing', failure: 'no_changes', sentence: 'finished without changing anything', detail: /no new commit/ },
  { script: 'not-json', failure: 'answer_invalid', sentence: 'in the required format', detail: /not the JSON/ },
])('an agent of the script $script', (trouble) => {
  failsItsRun(trouble);
});

test('an agent that is asked once more for its answer, and gives it, succeeds', async () => {
  const run = await theEnd('repair');
  expect(run).toMatchObject({ status: 'succeeded', failure: null, pullRequest: expect.any(Number) });
  const lines = await scene.log(run.id);
  expect(lines.filter(({ text }) => /is not valid .*asking once more/.test(text))).toHaveLength(1);
});

test('an agent that prints a megabyte on one line succeeds, and the line is cut', async () => {
  const run = await theEnd('long-line');
  expect(run).toMatchObject({ status: 'succeeded', pullRequest: expect.any(Number) });
  const lines = await scene.log(run.id);
  const long = lines.filter(({ kind, text }) => kind === 'output' && text.startsWith('xxxx'));
  expect(long).toHaveLength(1);
  expect(long[0]?.text).toMatch(/cut/);
  expect(Math.max(...lines.map(({ text }) => text.length))).toBeLessThanOrEqual(4000);
});

describe('an agent that prints a token', () => {
  const token = /ghp_NotARealToken/;
  let run: RunView;

  beforeAll(async () => {
    run = await theEnd('leak');
  });

  test('succeeds, and its log shows that something was hidden', async () => {
    expect(run.status).toBe('succeeded');
    const texts = (await scene.log(run.id)).map(({ text }) => text);
    expect(texts.filter((text) => text.includes('[redacted]')).length).toBeGreaterThanOrEqual(2);
    expect(texts.join('\n')).not.toMatch(token);
  });

  test('has the token in no comment, no pull request and no event', async () => {
    const pull = await scene.person.pullRequest(REPO, run.pullRequest ?? 0);
    const events = await scene.sql`select * from flow_events where run_id = ${run.id}`;
    expect(events.length).toBeGreaterThan(3);
    const told = [await scene.commentsOn(REPO, run.issueNumber), pull, events, run];
    expect(JSON.stringify(told)).not.toMatch(token);
  });

  test('has the token in no row of its conversation', async () => {
    const rollout = (await storedConversation(scene.sql, run.id))?.text ?? '';
    expect(rollout).toContain('[redacted]');
    expect(rollout).not.toMatch(token);
  });
});

describe('an agent whose branch somebody else pushed to first', () => {
  let run: RunView;
  let theirs: string;

  beforeAll(async () => {
    const flag = join(flags, 'pushed');
    const issue = await label('wait', `wait-for: ${flag}`);
    run = await scene.started(REPO, issue);
    await scene.working(run.id, /until \[ -e/);
    const url = remote({ url: scene.stack.ready.githubUrl }, scene.stack.ready.githubOwnerToken, `${OWNER}/${REPO}`);
    const copy = await WorkingCopy.create();
    await copy.git('pull', '--quiet', url, 'main');
    await copy.git('checkout', '--quiet', '-b', `codex/issue-${issue}`);
    theirs = await copy.commit({ 'mine.txt': 'the work of a person\n' }, 'what a person did');
    await copy.git('push', '--quiet', url, `codex/issue-${issue}`);
    await rm(copy.directory, { recursive: true, force: true });
    await writeFile(flag, '');
    run = await theEnd('wait');
  });

  test('fails its run with push_rejected, and says so in the status comment', async () => {
    expect(run).toMatchObject({ status: 'failed', failure: 'push_rejected', pullRequest: null });
    const saying = 'Somebody pushed to the branch while the agent worked';
    expect(await scene.commentsSaying(REPO, run.issueNumber, saying)).toHaveLength(1);
  });

  test("leaves the person's commit at the head of the branch", async () => {
    const { data } = await scene.person.octokit.rest.repos.getBranch({
      owner: OWNER,
      repo: REPO,
      branch: `codex/issue-${run.issueNumber}`,
    });
    expect(data.commit.sha).toBe(theirs);
  });

  test('loses its trigger label and leaves no pull request', async () => {
    await scene.expectLabels(REPO, run.issueNumber, []);
    expect(await scene.pullRequestsOf(REPO, run.issueNumber)).toEqual([]);
  });
});

/** The last, since its silence is waited for while the others work. */
describe.each<Trouble>([
  {
    script: 'hang',
    failure: 'agent_stalled',
    sentence: 'The agent wrote nothing for too long',
    detail: new RegExp(`for ${STALL_SECONDS} s`),
  },
])('an agent of the script $script', (trouble) => {
  failsItsRun(trouble);
});
