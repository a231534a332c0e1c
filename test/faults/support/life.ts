/**
 * The life of an issue, from its first label until it is closed, with all that the platform does in it: a run that is canceled,
 * one that succeeds, a review and its revise, a refusal, and the end of the workspace. And what is left of it, as it is seen
 * from outside, so that a life with faults can be compared with one without.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import type { RunView } from '../../../ingress/api/views.ts';
import type { WaitKind } from '../../../src/domain/run/waits.ts';
import { COLLEAGUE, OWNER } from '../../../src/embedded/accounts.ts';
import { createPerson } from '../../../src/embedded/demo/person.ts';
import { processesOf, eventually } from '../../support/stack.ts';
import type { Scene } from '../../e2e/support/scene.ts';

/** Faults cost some seconds each; a step of a life has all of them behind it within this time. */
const STEP_LIMIT_MS = 240_000;

export interface Life {
  readonly repo: string;
  readonly issue: number;
  readonly runs: readonly RunView[];
}

/** Asks until there is an answer: servers die in these tests, and come back. */
export async function patiently<Value>(
  what: string,
  holds: () => Promise<Value | undefined | false | null>,
  limitMs = STEP_LIMIT_MS,
): Promise<Value> {
  return eventually(what, () => holds().catch(() => undefined), limitMs);
}

/** Waits until a run of an issue is over and the issue has drawn its conclusions. */
export async function ended(scene: Scene, repo: string, issue: number, place: number): Promise<RunView> {
  return patiently(`the end of run ${place} of ${repo}#${issue}`, async () => {
    const shown = await scene.issueOf(repo, issue);
    const found = (await scene.runsOf(repo, issue))[place];
    return found?.terminal && shown?.activeRunId !== found.id ? found : undefined;
  });
}

/** Lives the whole life. `flags` is a directory for the file that the first agent waits for. */
export async function live(
  scene: Scene,
  repo: string,
  { title, flags }: { title: string; flags: string },
): Promise<Life> {
  const { person } = scene;
  const flag = join(flags, `${title.replaceAll(/\W+/g, '-')}.go`);
  const issue = await person.openIssue(repo, { title, body: `wait-for: ${flag}` });
  const at = { owner: OWNER, repo, issue_number: issue };

  await person.label(repo, issue, 'run:dev');
  await patiently(`the first agent of ${repo}#${issue}`, async () => {
    const [run] = await scene.runsOf(repo, issue);
    return run?.status === 'working' && run;
  });
  await person.octokit.rest.issues.removeLabel({ ...at, name: 'run:dev' });
  const canceled = await ended(scene, repo, issue, 0);

  writeFileSync(flag, '');
  await person.label(repo, issue, 'run:dev');
  const work = await ended(scene, repo, issue, 1);
  await patiently(`state:in-review on ${repo}#${issue}`, async () =>
    (await person.labels(repo, issue)).includes('state:in-review'),
  );

  const comment = { path: `notes/${work.id}.md`, line: 1, body: 'In other words, please.' };
  await person.requestChanges(repo, work.pullRequest ?? 0, { body: 'Nearly.', comments: [comment] });
  const revise = await ended(scene, repo, issue, 2);

  await person.label(repo, issue, 'run:arch');
  await patiently(`the refusal on ${repo}#${issue}`, async () => (await refusals(scene, repo, issue)).length > 0);

  await person.approveAndMerge(repo, work.pullRequest ?? 0);
  await patiently(`the end of ${repo}#${issue}`, async () => {
    const shown = await scene.issueOf(repo, issue);
    return shown?.state === 'closed' && shown.workspace === null;
  });
  return { repo, issue, runs: [canceled, work, revise] };
}

/** A run that asks, is answered by a comment, paused and resumed. */
export async function liveWithWaits(
  scene: Scene,
  repo: string,
  { title, flags }: { title: string; flags: string },
): Promise<{ readonly issue: number; readonly run: RunView }> {
  const { person, platform } = scene;
  const flag = join(flags, `${title.replaceAll(/\W+/g, '-')}.go`);
  const issue = await person.openIssue(repo, { title, body: `asks-first\nwait-for: ${flag}` });
  const at = { owner: OWNER, repo, issue_number: issue };
  const reaches = (what: string, is: (run: RunView) => boolean | Promise<boolean>): Promise<RunView> =>
    patiently(`${what} in ${repo}#${issue}`, async () => {
      const [run] = await scene.runsOf(repo, issue);
      return run && (await is(run)) ? run : undefined;
    });

  await person.label(repo, issue, 'run:dev');
  const { id } = await reaches('a question', ({ wait }) => wait?.kind === 'question');
  // A comment that was made before the question's own is no answer.
  await patiently(`the question's comment on ${repo}#${issue}`, async () =>
    (await scene.commentsOn(repo, issue)).some(({ body }) => body.includes('codex-k8s:request')),
  );
  await person.octokit.rest.issues.createComment({ ...at, body: '1' });
  await reaches('an agent after the answer', ({ status }) => status === 'working');
  // Whether a request that failed was heard is seen by what became of the run.
  await reaches('a pause', async ({ wait }) => {
    if (!wait) await platform.pauseRun(id, { reason: 'the release' }).catch(() => undefined);
    return wait?.kind === 'paused';
  });
  await reaches('an agent after the pause', async ({ status, wait }) => {
    if (wait) await platform.resumeRun(id, {}).catch(() => undefined);
    return status === 'working';
  });
  writeFileSync(flag, '');
  return { issue, run: await ended(scene, repo, issue, 0) };
}

/** A run that asks people by a tool, and then calls one that a colleague has to approve. */
export async function liveWithDecisions(
  scene: Scene,
  repo: string,
  { title }: { title: string },
): Promise<{ readonly issue: number; readonly run: RunView }> {
  const { person, stack } = scene;
  const colleague = createPerson({
    githubUrl: stack.ready.githubUrl,
    login: COLLEAGUE,
    token: stack.secret('github-colleague-token'),
  });
  const issue = await person.openIssue(repo, { title, body: 'calls-tools' });
  const at = { owner: OWNER, repo, issue_number: issue };

  /** The number of the request whose comment is on the issue: a comment that was made before it decides nothing. */
  async function requested(kind: WaitKind, n: number): Promise<void> {
    await patiently(`request ${n} of ${repo}#${issue}`, async () => {
      const [run] = await scene.runsOf(repo, issue);
      const comments = await scene.commentsOn(repo, issue);
      return run?.wait?.kind === kind && comments.filter(({ body }) => body.includes('codex-k8s:request')).length === n;
    });
  }

  await person.label(repo, issue, 'run:dev');
  await requested('question', 1);
  await colleague.octokit.rest.issues.createComment({ ...at, body: '/answer 1 That' });
  await requested('approval', 2);
  await colleague.octokit.rest.issues.createComment({ ...at, body: '/approve 2' });
  return { issue, run: await ended(scene, repo, issue, 0) };
}

async function refusals(scene: Scene, repo: string, issue: number): Promise<string[]> {
  return (await scene.commentsOn(repo, issue)).flatMap(
    ({ body }) => /^<!-- codex-k8s:refusal \S+/.exec(body)?.[0] ?? [],
  );
}

/** What is left of a life, without the names and times that are its own. Two lives without loss and repetition are equal. */
export async function remains(scene: Scene, { repo, issue, runs }: Life, journal: string) {
  const { person, sql, stack } = scene;
  const [, work] = runs;
  const key = work?.issueKey ?? '';
  // Nothing is written any more when they have ended.
  const workflows = await endOfWorkflows(scene, [key, ...runs.map(({ id }) => `run:${id}`)]);
  const pull = work?.pullRequest ?? 0;
  const comments = [...(await scene.commentsOn(repo, issue)), ...(await scene.commentsOn(repo, pull))];
  const reactions = await person.octokit.rest.reactions.listForIssue({ owner: OWNER, repo, issue_number: issue });
  const commits = await person.octokit.rest.pulls.listCommits({ owner: OWNER, repo, pull_number: pull });
  const events =
    await sql`select type, run_id, seq, previous_hash, hash from flow_events where chain = ${key} order by seq`;
  const placeOf = (id: unknown): number => runs.findIndex((run) => run.id === id);
  const workspaces = join(stack.directory, 'workspaces');
  return {
    runs: (await scene.runsOf(repo, issue)).map(({ id, status, kind, trigger }) => ({
      place: placeOf(id),
      status,
      kind,
      trigger: trigger.replace(/\d+$/, ''),
    })),
    triggers: new Set((await scene.runsOf(repo, issue)).map(({ trigger }) => trigger)).size,
    pullRequests: (await scene.pullRequestsOf(repo, issue)).length,
    commits: commits.data.map(({ commit }) => placeOf(commit.message.trim().split(' ').at(-1))),
    comments: comments
      .map(({ body }) => {
        const [first = ''] = body.split('\n');
        const its = runs.find(({ id }) => first.includes(id))?.id;
        return its === undefined ? first.replace(/event-\d+/, 'event') : first.replace(its, `run ${placeOf(its)}`);
      })
      .toSorted(),
    answers: (await person.answers(repo, pull)).map(({ answers }) => answers.length),
    labels: { issue: await person.labels(repo, issue), pullRequest: await person.labels(repo, pull) },
    reactions: reactions.data.map(({ content }) => content),
    events: events
      .map((row) => `${placeOf(row['run_id'])} ${String(row['type'])}`)
      // Whether the pull request was there before is not known any more after a fault.
      .map((event) => event.replace(/run\.pr\.(created|updated)/, 'run.pr'))
      .toSorted(),
    chain: events.every(
      (row, index) => row['seq'] === index + 1 && (index === 0 || row['previous_hash'] === events[index - 1]?.['hash']),
    ),
    agents: journalOf(journal)
      .filter(({ run }) => placeOf(run) >= 0)
      .map(({ what, run, attempt }) => `${what} ${placeOf(run)}.${attempt}`),
    workspace: existsSync(workspaces) && readdirSync(workspaces).some((name) => name.endsWith(`-i${issue}`)),
    processes: processesOf(stack.directory).filter(({ command }) => runs.some(({ id }) => command.includes(id))).length,
    workflows,
  };
}

/** What the agents of test/support/noop-agent.ts wrote. */
export function journalOf(journal: string): { what: string; run: string; attempt: string; pid: number }[] {
  if (!existsSync(journal)) return [];
  return readFileSync(journal, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      const [what = '', run = '', attempt = '', pid = ''] = line.split(' ');
      return { what, run, attempt, pid: Number(pid) };
    });
}

/** Ends a workflow from outside, as an operator does in Temporal Web. */
export async function terminateWorkflow({ stack }: Scene, id: string): Promise<void> {
  const connection = await Connection.connect({ address: stack.ready.temporalAddress });
  try {
    await new Client({ connection, namespace: 'codex-k8s' }).workflow.getHandle(id).terminate('by an operator');
  } finally {
    await connection.close();
  }
}

async function endOfWorkflows({ stack }: Scene, ids: readonly string[]): Promise<string[]> {
  const connection = await Connection.connect({ address: stack.ready.temporalAddress });
  try {
    const { workflow } = new Client({ connection, namespace: 'codex-k8s' });
    const ends: string[] = [];
    for (const id of ids)
      ends.push(
        await eventually(
          `the end of ${id}`,
          async () => {
            const { status } = await workflow.getHandle(id).describe();
            return status.name !== 'RUNNING' && status.name;
          },
          STEP_LIMIT_MS,
        ),
      );
    return ends;
  } finally {
    await connection.close();
  }
}
