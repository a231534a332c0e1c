/** The machine's power fails: `up` and all that it started are gone at once, with the agents or without them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { placesOf, type AgentPlace } from '../e2e/support/agents.ts';
import { closeScene, enter, marked, openScene, type Scene } from '../e2e/support/scene.ts';
import { noopAgentCommand } from '../support/noop-agent.ts';
import { eventually, processesOf } from '../support/stack.ts';
import { ended, journalOf, patiently } from './support/life.ts';
import { onOwnPorts } from './support/ports.ts';

const REPO = 'power';
const AGENTS = 3;

const home = mkdtempSync(join(tmpdir(), 'codex-k8s-power-'));
const journal = join(home, 'journal');
let scene: Scene;

beforeAll(async () => {
  scene = await openScene(onOwnPorts({ CODEXK8S_AGENT_COMMAND: noopAgentCommand(journal) }));
  await scene.bindRepository(REPO);
});

afterAll(async () => {
  await closeScene(scene);
  rmSync(home, { recursive: true, force: true });
});

interface Working {
  readonly issue: number;
  readonly run: string;
  readonly workspace: string;
}

/** Issues whose agents wait for a file of this name. */
async function workingIssues(flag: string): Promise<Working[]> {
  const working: Working[] = [];
  for (let index = 0; index < AGENTS; index += 1) {
    const issue = await scene.person.openIssue(REPO, {
      title: `${flag} ${index}`,
      body: `wait-for: ${join(home, flag)}`,
    });
    await scene.person.label(REPO, issue, 'run:dev');
    const run = await patiently(`an agent for ${issue}`, async () => {
      const [first] = await scene.runsOf(REPO, issue);
      return first?.status === 'working' && first;
    });
    working.push({ issue, run: run.id, workspace: run.workspace ?? '' });
  }
  return working;
}

function agentsOf({ workspace, run }: Working): AgentPlace[] {
  return placesOf(scene.stack.directory, workspace, run);
}

/** Everything of this stack but the agents, and those too if they are not spared. */
async function failPower(spared: readonly number[]): Promise<void> {
  const doomed = processesOf(scene.stack.directory).filter(({ pid }) => !spared.includes(pid));
  for (const { pid } of doomed) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
  await scene.stack.end('SIGKILL');
  await eventually('all are dead', () => processesOf(scene.stack.directory).every(({ pid }) => spared.includes(pid)));
  await scene.close();
  await scene.stack.start();
  scene = { stack: scene.stack, ...enter(scene.stack) };
}

async function expectOneOfEach({ issue, run }: Working): Promise<void> {
  expect(await scene.runsOf(REPO, issue)).toHaveLength(1);
  const pulls = await scene.pullRequestsOf(REPO, issue);
  expect(pulls).toHaveLength(1);
  const { data: commits } = await scene.person.octokit.rest.pulls.listCommits({
    owner: scene.person.login,
    repo: REPO,
    pull_number: pulls[0]?.number ?? 0,
  });
  expect(commits.map(({ commit }) => commit.message.trim())).toEqual([`Note of run ${run}`]);
  const comments = await scene.commentsOn(REPO, issue);
  expect(comments.filter(({ body }) => body.includes(marked(run)))).toHaveLength(1);
}

describe('everything but the agents is killed at once', () => {
  let working: Working[];
  let agents: AgentPlace[];

  beforeAll(async () => {
    working = await workingIssues('spared');
    agents = working.flatMap(agentsOf);
    await failPower(agents.map(({ pid }) => pid));
  });

  test('the agents live on, and are found again', () => {
    expect(working.flatMap(agentsOf)).toEqual(agents);
    expect(agents.every(({ lives }) => lives)).toBe(true);
  });

  test('each run goes on to its end, with the one agent that it had', async () => {
    writeFileSync(join(home, 'spared'), '');
    for (const one of working) {
      expect(await ended(scene, REPO, one.issue, 0)).toMatchObject({ status: 'succeeded' });
      const entries = journalOf(journal).filter(({ run }) => run === one.run);
      expect(entries.map(({ what, attempt }) => `${what} ${attempt}`)).toEqual(['begin 1', 'end 1']);
      await expectOneOfEach(one);
    }
  });
});

describe('everything is killed at once, agents too', () => {
  let working: Working[];

  beforeAll(async () => {
    working = await workingIssues('lost');
    await failPower([]);
  });

  test('each run goes on with a second agent, and comes to its end', async () => {
    writeFileSync(join(home, 'lost'), '');
    for (const one of working) {
      expect(await ended(scene, REPO, one.issue, 0)).toMatchObject({ status: 'succeeded' });
      const entries = journalOf(journal).filter(({ run }) => run === one.run);
      expect(entries.map(({ what, attempt }) => `${what} ${attempt}`)).toEqual(['begin 1', 'begin 2', 'end 2']);
      await expectOneOfEach(one);
    }
  });
});
