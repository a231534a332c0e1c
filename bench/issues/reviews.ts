/** A review for every waiting issue, all at once, and how they are taken up. */
import { setTimeout as sleep } from 'node:timers/promises';
import pLimit from 'p-limit';
import { OWNER } from '../../src/embedded/accounts.ts';
import { issueKey } from '../../src/domain/issue/facts.ts';
import { branchName } from '../../src/domain/issue/names.ts';
import { madeUpDelivery } from '../../src/github-deliveries/payloads.ts';
import type { Scene } from '../../test/e2e/support/scene.ts';
import { PLATFORM, platformCpu, type PlatformProcess } from '../processes.ts';
import { deliver } from '../start/deliveries.ts';
import type { WaitingIssue } from './waiting.ts';

/** Requests at once: GitHub sends deliveries of different hooks side by side. */
const AT_ONCE = 16;
const LOOK_MS = 500;
/** When nothing has happened for so long, what is missing is lost: a slow machine is not held against it. */
const STALLED_SECONDS = 60;

export interface TakenUp {
  /** From the first delivery, in seconds: until all were answered, all runs had a row, all had ended; null for never. */
  readonly answered: number;
  readonly rows: number | null;
  readonly ended: number | null;
  readonly reviews: number;
  /** The platform's processor time per review in ms, without agents and emulators. */
  readonly cpu: Readonly<Record<PlatformProcess, number>>;
  /** Problems; empty if every review became exactly one run. */
  readonly wrong: readonly string[];
}

/** The bodies of the deliveries, made before anything is measured. */
export async function writeReviews(scene: Scene, issues: readonly WaitingIssue[]): Promise<string[]> {
  const { rest } = scene.person.octokit;
  const { data: sender } = await rest.users.getAuthenticated();
  const repository = (await rest.repos.get({ owner: OWNER, repo: issues[0]?.name ?? '' })).data;
  return pLimit(AT_ONCE).map(issues, async (issue) => {
    const { number, url } = issue.pullRequest;
    const { data: review } = await rest.pulls.createReview({
      owner: OWNER,
      repo: issue.name,
      pull_number: number,
      event: 'REQUEST_CHANGES',
      body: `Please look at #${issue.number} again.`,
    });
    const head = { ref: branchName(issue.number), sha: review.commit_id, repo: { id: issue.repositoryId } };
    const { payload } = madeUpDelivery(
      { what: 'review', state: 'changes_requested', subject: review.id, text: review.body },
      {
        pullRequest: { number, html_url: url, labels: [], head },
        repository: { ...repository },
        sender: { ...sender },
        now: review.submitted_at ?? new Date().toISOString(),
      },
    );
    return JSON.stringify(payload);
  });
}

/** Delivers all of them and waits until their runs are over, or nothing has happened for a long while. */
export async function takeUp(
  scene: Scene,
  issues: readonly WaitingIssue[],
  bodies: readonly string[],
): Promise<TakenUp> {
  const keys = issues.map((issue) => issueKey(issue));
  const cpuBefore = platformCpu(scene.stack.pids());
  const before = performance.now();
  const seconds = (): number => (performance.now() - before) / 1000;
  const delivered = await pLimit(AT_ONCE).map(bodies, async (body) => deliver(scene, 'pull_request_review', body));
  const answered = seconds();
  const seen = { rows: 0, ended: 0, at: seconds() };
  let rows: number | null = null;
  while (seen.ended < bodies.length && seconds() - seen.at < STALLED_SECONDS) {
    await sleep(LOOK_MS);
    const [now = seen] = await scene.sql<{ rows: number; ended: number }[]>`
      select count(*)::int as rows, count(finished_at)::int as ended from runs where issue_key in ${scene.sql(keys)}`;
    if (now.rows + now.ended > seen.rows + seen.ended) Object.assign(seen, now, { at: seconds() });
    if (now.rows >= bodies.length) rows ??= seen.at;
  }
  const ended = seen.ended < bodies.length ? null : seen.at;
  const runIds = delivered.map(({ runId }) => runId);
  const cpuAfter = platformCpu(scene.stack.pids());
  const cpu = PLATFORM.map((name) => [name, (cpuAfter[name] - cpuBefore[name]) / bodies.length]);
  return {
    answered,
    rows,
    ended,
    reviews: bodies.length,
    cpu: Object.fromEntries(cpu) as TakenUp['cpu'],
    wrong: await findWrong(scene, keys, runIds),
  };
}

/** Each delivery names its run: all of them are there, none is there twice, and none is there that nobody asked for. */
async function findWrong({ sql }: Scene, keys: readonly string[], runIds: readonly string[]): Promise<string[]> {
  const rows = await sql<{ id: string; trigger: string; over: boolean }[]>`
    select id::text, trigger, finished_at is not null as over from runs where issue_key in ${sql(keys)}`;
  const asked = new Set(runIds);
  const there = new Set(rows.map(({ id }) => id));
  const counts: [number, string][] = [
    [runIds.filter((id) => !there.has(id)).length, 'reviews have no run'],
    [rows.length - new Set(rows.map(({ trigger }) => trigger)).size, 'reviews have a second run'],
    [rows.filter(({ id }) => !asked.has(id)).length, 'runs were asked for by nobody'],
    [rows.filter(({ over }) => !over).length, 'runs do not end'],
  ];
  return counts.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
}
