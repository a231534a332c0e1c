/** The status comment as people see it on GitHub: paced, complete, and right again whatever becomes of it. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunView } from '../../ingress/api/views.ts';
import { OWNER } from '../../src/embedded/accounts.ts';
import { startFaultyGitHub, type FaultyGitHub } from '../support/github-faults.ts';
import { noopAgentCommand } from '../support/noop-agent.ts';
import { SHORT_LIMITS } from '../support/short-limits.ts';
import { eventually } from '../support/stack.ts';
import { closeScene, marked, openScene, type Scene } from './support/scene.ts';

const REPO = 'comments';
const AT = { owner: OWNER, repo: REPO };

const flags = mkdtempSync(join(tmpdir(), 'codex-k8s-comments-'));
let github: FaultyGitHub;
let scene: Scene;

beforeAll(async () => {
  github = await startFaultyGitHub();
  scene = await openScene(
    (directory) => {
      github.follow(() => emulatorUrlOf(directory));
      return { CODEXK8S_AGENT_COMMAND: noopAgentCommand() };
    },
    { gitHubApiUrl: github.url },
  );
  await scene.bindRepository(REPO);
});

afterAll(async () => {
  await closeScene(scene);
  await github?.close();
  rmSync(flags, { recursive: true, force: true });
});

/** Where the emulator of a data directory is, as soon as `up` has chosen a port for it. */
function emulatorUrlOf(directory: string): string {
  try {
    const { github: port } = JSON.parse(readFileSync(join(directory, 'ports.json'), 'utf8')) as { github: number };
    return `http://127.0.0.1:${port}`;
  } catch {
    return '';
  }
}

interface Working {
  readonly issue: number;
  readonly run: RunView;
  finish(this: void): void;
}

/** A run whose agent waits. */
async function working(title: string): Promise<Working> {
  const flag = join(flags, title.replaceAll(/\W+/g, '-'));
  const issue = await scene.person.openIssue(REPO, { title, body: `wait-for: ${flag}` });
  await scene.person.label(REPO, issue, 'run:dev');
  const run = await scene.started(REPO, issue);
  await shows(issue, run.id, 'The agent is working.');
  return { issue, run, finish: () => writeFileSync(flag, '') };
}

/** The one comment of a run on an issue or a pull request, when it shows a text. */
async function shows(number: number, runId: string, text: string) {
  return eventually(`“${text}” in the status comment of ${runId}`, async () => {
    const mine = (await scene.commentsOn(REPO, number)).filter(({ body }) => body.startsWith(marked(runId)));
    return mine.length === 1 && mine[0]?.body.includes(text) ? mine[0] : undefined;
  });
}

describe('a status comment', () => {
  test('is written no faster than its pace, and shows the end', async () => {
    const { issue, run, finish } = await working('paced');
    finish();
    const { id } = await shows(issue, run.id, 'Done.');
    const writes = github.calls.filter(
      ({ method, path, body }) =>
        (method === 'PATCH' && path.endsWith(`/issues/comments/${id}`)) ||
        (method === 'POST' && path.endsWith(`/issues/${issue}/comments`) && body.includes(run.id)),
    );
    expect(writes.length).toBeGreaterThanOrEqual(2);
    for (const [index, { at }] of writes.entries())
      if (index > 0)
        expect(at - (writes[index - 1]?.at ?? 0)).toBeGreaterThanOrEqual(SHORT_LIMITS.comments.betweenWritesMs);
    const { body } = await shows(issue, run.id, 'Next steps');
    expect(body).toMatch(new RegExp(`put the label \`run:qa\` on the issue #${issue}\\b`));
  });

  test('shows the last three things that the agent has said, while it works', async () => {
    const { issue, run, finish } = await working('says');
    for (const [n, text] of ['one', 'two', 'three', 'four @olivia ```'].entries())
      await scene.sql`insert into run_log_lines (run_id, n, at, kind, text)
        values (${run.id}, ${1000 + n}, now(), 'message', ${text})`;
    const { body } = await shows(issue, run.id, 'four @olivia');
    expect(body).toContain('three');
    expect(body).not.toMatch(/ {2}one$/m);
    finish();
    await shows(issue, run.id, 'Done.');
  });

  test.each(['while its agent works', 'when its run is over'])(
    'that a person edits comes back right %s',
    async (when) => {
      const { issue, run, finish } = await working(`edited ${when}`);
      if (when !== 'while its agent works') finish();
      const text = when === 'while its agent works' ? 'The agent is working.' : 'Done.';
      const { id } = await shows(issue, run.id, text);
      await scene.person.octokit.rest.issues.updateComment({ ...AT, comment_id: id, body: 'spam' });
      await shows(issue, run.id, text);
      finish();
    },
  );

  test('that a person deletes comes back right, and goes on', async () => {
    const { issue, run, finish } = await working('deleted');
    const { id } = await shows(issue, run.id, 'The agent is working.');
    await scene.person.octokit.rest.issues.deleteComment({ ...AT, comment_id: id });
    await shows(issue, run.id, 'The agent is working.');
    finish();
    await shows(issue, run.id, 'Done.');
  });

  test('of a revise stands on the pull request, and comes back right there', async () => {
    const { issue, finish } = await working('revised');
    finish();
    const work = await scene.ended(REPO, issue);
    const pull = work.pullRequest ?? 0;
    await scene.person.requestChanges(REPO, pull, { body: 'Nearly.', comments: [] });
    const revise = await scene.ended(REPO, issue, 1);
    const { id } = await shows(pull, revise.id, 'Done.');
    await scene.person.octokit.rest.issues.deleteComment({ ...AT, comment_id: id });
    await shows(pull, revise.id, 'Done.');
    await scene.person.octokit.rest.issues.deleteComment({
      ...AT,
      comment_id: (await shows(pull, revise.id, 'Done.')).id,
    });
    await shows(pull, revise.id, 'Done.');
  });
});
