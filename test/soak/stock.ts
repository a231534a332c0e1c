/**
 * Takes stock: compares what people asked for with what was done, as GitHub, the agents' journal, the machine and Temporal tell
 * it. The platform's own tables are asked only for what is compared with that.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import type { RunStatus } from '../../src/domain/run/runs.ts';
import { OWNER } from '../../src/embedded/accounts.ts';
import type { BoundRepository, Scene } from '../e2e/support/scene.ts';
import { journalOf } from '../faults/support/life.ts';
import { livingAgents } from './kills.ts';
import type { Load } from './load.ts';

/** Each problem in a sentence of its own; a soak passes when there are none. */
export interface Stock {
  readonly lost: readonly string[];
  readonly doubled: readonly string[];
  readonly orphaned: readonly string[];
  /** What GitHub has not been able to deliver by now. */
  readonly undelivered: number;
  readonly deliveries: {
    readonly sent: number;
    readonly accepted: number;
    readonly unanswered: number;
    readonly refused: number;
  };
  readonly runs: {
    readonly asked: number;
    readonly started: number;
    readonly byStatus: Readonly<Record<string, number>>;
  };
}

interface StockOptions {
  readonly scene: Scene;
  readonly repositories: readonly BoundRepository[];
  readonly load: Load;
  readonly journal: string;
  /** How often an agent of each run was killed by us. */
  readonly killedAgents: ReadonlyMap<string, number>;
}

interface RunRow {
  readonly id: string;
  readonly issue_key: string;
  readonly trigger: string;
  readonly status: RunStatus;
  readonly failure: string | null;
  readonly detail: string | null;
  readonly pull_request: number | null;
}

/** What the issue itself tells: who asked for what, what stands on it now. */
interface IssueTruth {
  readonly key: string;
  readonly where: string;
  readonly open: boolean;
  /** `label:<event>` and `review:<id>`, of people. */
  readonly triggers: readonly { readonly name: string; readonly takenBack: boolean }[];
  readonly unlabeled: boolean;
  /** The run that each status comment speaks of. */
  readonly statusComments: readonly string[];
  readonly pullRequests: number;
  /** The run that each commit of the branch was made by. */
  readonly commits: readonly string[];
}

export async function takeStock(options: StockOptions): Promise<Stock> {
  const { scene, repositories, load } = options;
  const runs = await scene.sql<RunRow[]>`
    select id, issue_key, trigger, status, failure, detail, pull_request from runs order by created_at`;
  const truths: IssueTruth[] = [];
  for (const { repo, number } of load.issues) {
    const repository = repositories.find(({ name }) => name === repo);
    if (repository) truths.push(await truthOf(scene, repository, number));
  }
  const problems = { lost: [] as string[], doubled: [] as string[], orphaned: [] as string[] };
  for (const truth of truths)
    evaluateIssue(
      truth,
      runs.filter(({ issue_key: key }) => key === truth.key),
      problems,
    );
  judgeAgents(options, runs, problems);
  await judgeChains(scene, problems);
  await judgeLeftovers(scene, truths, runs, problems);
  const { undelivered, deliveries } = await judgeDeliveries(options, problems);

  const byStatus: Record<string, number> = {};
  for (const { status } of runs) byStatus[status] = (byStatus[status] ?? 0) + 1;
  const asked = truths.reduce((sum, { triggers }) => sum + triggers.length, 0);
  return { ...problems, undelivered, deliveries, runs: { asked, started: runs.length, byStatus } };
}

async function truthOf(scene: Scene, repository: BoundRepository, number: number): Promise<IssueTruth> {
  const { octokit } = scene.person;
  const at = { owner: OWNER, repo: repository.name };
  const { data: issue } = await octokit.rest.issues.get({ ...at, issue_number: number });
  const events = await octokit.paginate(octokit.rest.issues.listEvents, { ...at, issue_number: number, per_page: 100 });
  const theirs = events.filter(({ actor, event }) => actor?.login === OWNER && /^(un)?labeled$/.test(event));
  const triggers = theirs
    .filter(({ event }) => event === 'labeled')
    .map(({ id }) => ({
      name: `label:${id}`,
      takenBack: theirs.some((later) => later.event === 'unlabeled' && later.id > id),
    }));
  const pulls = await scene.pullRequestsOf(repository.name, number);
  const comments = [...(await scene.commentsOn(repository.name, number))];
  const commits: string[] = [];
  for (const pull of pulls) {
    const on = { ...at, pull_number: pull.number, per_page: 100 };
    const reviews = await octokit.paginate(octokit.rest.pulls.listReviews, on);
    const asking = reviews.filter(({ state }) => state === 'CHANGES_REQUESTED');
    // A newer request of the same person takes an older one along: a revise works in all that is open.
    for (const { id, user } of asking)
      triggers.push({
        name: `review:${id}`,
        takenBack: asking.some((newer) => newer.id > id && newer.user?.id === user?.id),
      });
    comments.push(...(await scene.commentsOn(repository.name, pull.number)));
    const made = await octokit.paginate(octokit.rest.pulls.listCommits, on);
    commits.push(...made.map(({ commit }) => commit.message.trim().split(' ').at(-1) ?? ''));
  }
  return {
    key: `issue:${repository.id}#${number}`,
    where: `${repository.name}#${number}`,
    open: issue.state === 'open',
    triggers,
    unlabeled: theirs.some(({ event }) => event === 'unlabeled'),
    statusComments: comments.flatMap(({ body }) => /^<!-- codex-k8s:run-status (\S+) -->/.exec(body)?.[1] ?? []),
    pullRequests: pulls.length,
    commits,
  };
}

interface Problems {
  readonly lost: string[];
  readonly doubled: string[];
  readonly orphaned: string[];
}

function evaluateIssue(truth: IssueTruth, runs: readonly RunRow[], { lost, doubled }: Problems): void {
  const { where, open, unlabeled } = truth;
  for (const { name, takenBack } of truth.triggers) {
    const its = runs.filter(({ trigger }) => trigger === name);
    if (its.length > 1) doubled.push(`${where}: ${name} has ${its.length} runs`);
    if (its.length === 0 && open && !takenBack) lost.push(`${where}: ${name} has no run`);
  }
  for (const { id, trigger } of runs)
    if (!truth.triggers.some(({ name }) => name === trigger))
      doubled.push(`${where}: nobody asked for run ${id} (${trigger})`);
  if (truth.pullRequests > 1) doubled.push(`${where}: has ${truth.pullRequests} pull requests`);

  for (const run of runs) {
    const comments = truth.statusComments.filter((id) => id === run.id).length;
    const commits = truth.commits.filter((id) => id === run.id).length;
    if (comments > 1) doubled.push(`${where}: run ${run.id} has ${comments} status comments`);
    if (comments === 0) lost.push(`${where}: run ${run.id} (${run.status}) has no status comment`);
    if (commits > 1) doubled.push(`${where}: run ${run.id} has ${commits} commits`);
    if (run.status === 'succeeded' && (commits === 0 || run.pull_request === null))
      lost.push(`${where}: run ${run.id} succeeded without a commit or a pull request`);
    if (run.status === 'failed') lost.push(`${where}: run ${run.id} failed: ${run.failure} ${run.detail}`);
    if (run.status === 'canceled' && open && !unlabeled && !/soak/.test(run.detail ?? ''))
      lost.push(`${where}: run ${run.id} was canceled, and nobody asked for that: ${run.detail}`);
    if (!['succeeded', 'failed', 'canceled'].includes(run.status))
      lost.push(`${where}: run ${run.id} is ${run.status}`);
  }
}

function judgeAgents({ journal, killedAgents }: StockOptions, runs: readonly RunRow[], { doubled }: Problems): void {
  const begun = journalOf(journal).filter(({ what }) => what === 'begin');
  const attempts = new Map<string, number>();
  for (const { run, attempt } of begun) {
    const key = `${run}.${attempt}`;
    attempts.set(key, (attempts.get(key) ?? 0) + 1);
  }
  for (const [key, count] of attempts) if (count > 1) doubled.push(`attempt ${key} had ${count} agents`);
  for (const { id } of runs) {
    const had = begun.filter(({ run }) => run === id).length;
    const dead = killedAgents.get(id) ?? 0;
    if (had > dead + 1) doubled.push(`run ${id} had ${had} agents, of which ${dead} were killed`);
  }
}

/** Every chain of events is without gaps, and each names the hash of the one before. */
async function judgeChains({ sql }: Scene, { lost }: Problems): Promise<void> {
  const broken = await sql`
    select chain, seq from (
      select chain, seq, previous_hash, lag(hash) over chained as before, row_number() over chained as place
      from flow_events window chained as (partition by chain order by seq)) as events
    where seq <> place or (place > 1 and previous_hash <> before)`;
  for (const row of broken) lost.push(`the chain of ${row['chain']} is broken at ${row['seq']}`);
}

async function judgeLeftovers(
  { stack }: Scene,
  truths: readonly IssueTruth[],
  runs: readonly RunRow[],
  { orphaned }: Problems,
): Promise<void> {
  const open = new Set(truths.filter((truth) => truth.open).map(({ key }) => key));
  for (const { workspace, owner } of workspacesIn(stack.directory))
    if (!open.has(owner)) orphaned.push(`workspace ${workspace} of ${owner}`);
  const working = new Set(runs.filter(({ status }) => status === 'working').map(({ id }) => id));
  for (const { run, pid } of livingAgents(stack.directory))
    if (!working.has(run)) orphaned.push(`agent ${pid} of run ${run}`);
  for (const id of await openWorkflows(stack.ready.temporalAddress)) {
    if (id.startsWith('run:') || (id.startsWith('issue:') && !open.has(id))) orphaned.push(`workflow ${id}`);
  }
}

function workspacesIn(directory: string): { workspace: string; owner: string }[] {
  const root = join(directory, 'workspaces');
  return readdirSync(root).map((workspace) => {
    try {
      const { owner } = JSON.parse(readFileSync(join(root, workspace, 'workspace.json'), 'utf8')) as {
        owner: string;
      };
      return { workspace, owner };
    } catch {
      return { workspace, owner: 'nobody' };
    }
  });
}

async function openWorkflows(address: string): Promise<string[]> {
  const connection = await Connection.connect({ address });
  try {
    const { workflow } = new Client({ connection, namespace: 'codex-k8s' });
    const ids: string[] = [];
    for await (const { workflowId } of workflow.list({ query: "ExecutionStatus = 'Running'" })) ids.push(workflowId);
    return ids;
  } finally {
    await connection.close();
  }
}

async function judgeDeliveries(
  { scene, repositories, load }: StockOptions,
  { lost }: Problems,
): Promise<Pick<Stock, 'undelivered' | 'deliveries'>> {
  const kept = new Set((await scene.sql<{ id: string }[]>`select id from deliveries`).map(({ id }) => id));
  const isAccepted = (status: number): boolean => status === 200 || status === 202;
  const answers = load.sent.map(({ id, status }) => ({ id, status }));
  const delivered = new Map<string, boolean>();
  for (const { name, hookId } of repositories) {
    const { octokit } = scene.person;
    const hook = { owner: OWNER, repo: name, hook_id: hookId, per_page: 100 };
    for (const { guid, status_code: status } of await octokit.paginate(
      octokit.rest.repos.listWebhookDeliveries,
      hook,
    )) {
      answers.push({ id: guid, status: status === 502 ? 0 : status });
      delivered.set(guid, (delivered.get(guid) ?? false) || isAccepted(status));
    }
  }
  for (const { id, status } of answers)
    if (isAccepted(status) && !kept.has(id)) lost.push(`delivery ${id} was answered ${status} and is not kept`);
  return {
    // One that was kept while its answer was lost is not asked for again.
    undelivered: [...delivered].filter(([guid, was]) => !was && !kept.has(guid)).length,
    deliveries: {
      sent: answers.length,
      accepted: answers.filter(({ status }) => isAccepted(status)).length,
      unanswered: answers.filter(({ status }) => status === 0 || status === 504).length,
      refused: answers.filter(({ status }) => status === 503).length,
    },
  };
}
