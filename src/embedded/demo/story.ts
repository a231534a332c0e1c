/** The demo's story: an issue, a label, a pull request, a review, a merge (README, "What just happened"). */
import { Client, Connection } from '@temporalio/client';
import { createApiClient, type ApiClient } from '../../api-client/api-client.ts';
import type { RunView } from '../../../ingress/api/views.ts';
import { demoRepositoryFiles, DEMO_ISSUE, DEMO_REVIEW } from '../../emulators/demo-repository.ts';
import { CLI_NAMES, type AgentCliName } from '../../domain/stages/clis.ts';
import { CANONICAL_NAMES, type LabelNames } from '../../domain/stages/label-names.ts';
import { readLabelsFile } from '../../app/config/labels-file.ts';
import { BOT, OWNER } from '../accounts.ts';
import type { Ready } from '../data-directory.ts';
import { createPerson, type Person } from './person.ts';
import type { Steps } from './steps.ts';
import { until } from './until.ts';

export interface StoryEnd {
  readonly repository: string;
  readonly issue: number;
  readonly pullRequest: number;
  readonly runs: readonly string[];
  readonly diff: string;
}

/** Milliseconds to wait: for immediate reactions, and for an agent with a real model. */
const SOON_MS = 60_000;
const AGENT_MS = 30 * 60_000;

interface Scene {
  readonly person: Person;
  readonly platform: ApiClient;
  readonly steps: Steps;
  readonly repo: string;
  readonly issue: number;
  /** Label names of this installation. */
  readonly labels: LabelNames;
}

/** Tells it on a platform that runs. `agent`: the program of the agents, by a label; the installation's without one. */
export async function tellStory(
  ready: Ready,
  staffToken: string,
  steps: Steps,
  { agent }: { readonly agent?: AgentCliName | undefined } = {},
): Promise<StoryEnd> {
  const person = createPerson({ githubUrl: ready.githubUrl, login: OWNER, token: ready.githubOwnerToken });
  const platform = createApiClient({ url: ready.url, staffToken });

  steps.chapter('A repository and an issue');
  const repo = await person.freeRepositoryName('tally');
  await steps.step(`${OWNER} pushes ${OWNER}/${repo}, a small program with tests, with git`, () =>
    person.pushRepository(repo, 'Counts lines, words and bytes', demoRepositoryFiles()),
  );
  await steps.step(
    `${OWNER} adds ${BOT} as collaborator and binds the repository: webhook and labels are created`,
    async () => {
      await person.addCollaborator(repo, BOT);
      await platform.bindRepository({ fullName: `${OWNER}/${repo}` });
    },
  );
  const issue = await steps.step(`${OWNER} opens an issue: “${DEMO_ISSUE.title}”`, () =>
    person.openIssue(repo, DEMO_ISSUE),
  );
  const labels = labelsOf(ready);
  const scene = { person, platform, steps, repo, issue, labels };

  if (agent !== undefined) {
    const choice = labels.onGitHub(`[ai-agent-${agent}]`);
    await steps.step(`${OWNER} puts ${choice} on it: the agent is ${CLI_NAMES[agent]}`, () =>
      person.label(repo, issue, choice),
    );
  }

  const [start, inReviewLabel] = [labels.onGitHub('run:dev'), labels.onGitHub('state:in-review')];
  steps.chapter(start);
  await person.label(repo, issue, start);
  await steps.step(`${OWNER} puts ${start} on it; codex-k8s reacts with eyes and a status comment`, () => seen(scene));
  const work = await steps.step('the agent works: clone, change, test, commit, push', (say) =>
    agentDone(scene, 0, say),
  );
  const pullRequest = await steps.step(`the pull request is open, and both carry ${inReviewLabel}`, () =>
    inReview(scene, work),
  );
  steps.note(`${ready.githubUrl}/${OWNER}/${repo}/pull/${pullRequest}`);
  const first = (await person.pullRequest(repo, pullRequest)).head.sha;

  steps.chapter('The review');
  await steps.step(
    `${OWNER} asks for changes, with ${DEMO_REVIEW.comments.length} comments; run:dev:revise follows by itself`,
    async () => {
      await person.requestChanges(repo, pullRequest, DEMO_REVIEW);
      await until('a second run', SOON_MS, async () => (await runsOf(scene))[1]);
    },
  );
  const revise = await steps.step('the agent resumes its conversation, on the same branch', (say) =>
    agentDone(scene, 1, say),
  );
  if (agent !== undefined && (work.cli !== agent || revise.cli !== agent))
    throw new Error(`the agents were ${work.cli} and ${revise.cli}, not ${agent}`);
  if (revise.threadId !== work.threadId) throw new Error('the revise did not resume the conversation');
  await steps.step('the same pull request is updated, and every comment answered', () =>
    answered(scene, revise, pullRequest, first),
  );

  steps.chapter('The merge');
  const diff = await person.diff(repo, pullRequest);
  await steps.step(`${OWNER} approves and merges; the issue closes`, async () => {
    await person.approveAndMerge(repo, pullRequest);
    await until('the issue to close', SOON_MS, async () => !(await person.isOpen(repo, issue)));
  });
  await steps.step('the workspace is removed, and the workflow ends', () => cleanedUp(scene, ready));
  return { repository: `${OWNER}/${repo}`, issue, pullRequest, runs: [work.id, revise.id], diff };
}

function labelsOf({ labelsFile }: Ready): LabelNames {
  const chosen = labelsFile === undefined ? undefined : readLabelsFile(labelsFile);
  return chosen && 'names' in chosen ? chosen.names : CANONICAL_NAMES;
}

async function seen({ person, repo, issue }: Scene): Promise<void> {
  await until('eyes on the issue', SOON_MS, () => person.isSeen(repo, issue));
  await until('a status comment', SOON_MS, async () =>
    (await person.comments(repo, issue)).some((body) => body.includes('codex-k8s:run-status')),
  );
}

/** The issue's runs, oldest first. */
async function runsOf({ platform, repo, issue }: Scene): Promise<RunView[]> {
  const { runs } = await platform.issue({ owner: OWNER, name: repo, number: issue });
  return runs.toSorted((a, b) => a.createdAt.localeCompare(b.createdAt));
}

/** Waits for the end of a run, showing its agent's messages and commands. */
async function agentDone(scene: Scene, index: number, say: (what: string) => void): Promise<RunView> {
  let after = -1;
  const run = await until('the run to end', AGENT_MS, async () => {
    const found = (await runsOf(scene))[index];
    if (!found) return undefined;
    const { items } = await scene.platform.runLog(found.id, { after });
    for (const { n, kind, text } of items) {
      after = n;
      if (kind === 'message' || kind === 'command') say(oneLine(text));
    }
    return found.terminal ? found : undefined;
  });
  if (run.status !== 'succeeded')
    throw new Error(`the run ended as ${run.status}: ${run.failureText ?? ''} ${run.detail ?? ''}`);
  return run;
}

async function inReview({ person, repo, issue, labels }: Scene, run: RunView): Promise<number> {
  const { pullRequest } = run;
  const [trigger, waits] = [labels.onGitHub('run:dev'), labels.onGitHub('state:in-review')];
  if (pullRequest === null) throw new Error('the run has no pull request');
  await until(`${waits} on both, and the trigger label gone`, SOON_MS, async () => {
    const [onIssue, onPull] = await Promise.all([person.labels(repo, issue), person.labels(repo, pullRequest)]);
    return onIssue.includes(waits) && onPull.includes(waits) && !onIssue.includes(trigger);
  });
  return pullRequest;
}

async function answered(scene: Scene, run: RunView, pullRequest: number, before: string): Promise<void> {
  if (run.pullRequest !== pullRequest)
    throw new Error(`the revise has pull request ${run.pullRequest}, not ${pullRequest}`);
  const { head } = await scene.person.pullRequest(scene.repo, pullRequest);
  if (head.sha === before) throw new Error('the revise changed nothing on the branch');
  const answers = await scene.person.answers(scene.repo, pullRequest);
  if (answers.length === 0 || answers.some((each) => each.answers.length === 0))
    throw new Error('a review comment has no answer');
}

async function cleanedUp({ platform, repo, issue }: Scene, ready: Ready): Promise<void> {
  const key = await until('the workspace to be removed', SOON_MS, async () => {
    const shown = await platform.issue({ owner: OWNER, name: repo, number: issue });
    return shown.state === 'closed' && shown.workspace === null ? shown.key : undefined;
  });
  const connection = await Connection.connect({ address: ready.temporalAddress });
  try {
    const { workflow } = new Client({ connection, namespace: 'codex-k8s' });
    await until(
      'the workflow to end',
      SOON_MS,
      async () => (await workflow.getHandle(key).describe()).status.name === 'COMPLETED',
    );
  } finally {
    await connection.close();
  }
}

function oneLine(text: string): string {
  const [line = ''] = text.split('\n');
  return line.length > 90 ? `${line.slice(0, 89)}…` : line;
}
