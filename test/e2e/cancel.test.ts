/** Runs that a person ends: through the API, by taking the label off, and by closing the issue. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunView } from '../../ingress/api/views.ts';
import { OWNER } from '../../src/embedded/accounts.ts';
import type { Received, Receiver } from '../emulators/github/emulator.ts';
import { eventually, living, processesOf, whileFrozen, type OwnedProcess } from '../support/stack.ts';
import { agentOf } from './support/agents.ts';
import { listenTo, signature } from './support/hook-receiver.ts';
import { closeScene, marked, openScene, type BoundRepository, type Scene } from './support/scene.ts';

const REPO = 'cancel';

let scene: Scene;
let repository: BoundRepository;

beforeAll(async () => {
  scene = await openScene();
  repository = await scene.bindRepository(REPO);
});

afterAll(() => closeScene(scene));

async function cancel(id: string, body: object, token = scene.stack.secret('staff-token')): Promise<Response> {
  return fetch(`${scene.stack.ready.url}/api/v1/runs/${id}/cancel`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

async function waitingRun(title: string): Promise<{ issue: number; run: RunView }> {
  const issue = await scene.person.openIssue(REPO, { title: `${title} [script: wait]`, body: 'wait-for: /nowhere' });
  await scene.person.label(REPO, issue, 'run:dev');
  const { id } = await scene.started(REPO, issue);
  await scene.working(id, /until \[ -e/);
  return { issue, run: await scene.run(id) };
}

describe.each([
  {
    how: 'canceled through the API',
    actor: 'paula',
    reason: 'it looks in the wrong place',
    act: async (id: string): Promise<void> => {
      const answer = await cancel(id, { actor: 'paula', reason: 'it looks in the wrong place' });
      expect(answer.status).toBe(202);
    },
    open: true,
  },
  {
    how: 'whose label is taken off (T15)',
    actor: OWNER,
    reason: 'the label run:dev was removed',
    act: async (_: string, issue: number): Promise<void> => {
      const at = { owner: OWNER, repo: REPO, issue_number: issue };
      await scene.person.octokit.rest.issues.removeLabel({ ...at, name: 'run:dev' });
    },
    open: true,
  },
  {
    how: 'whose issue is closed',
    actor: OWNER,
    reason: 'the issue was closed',
    act: async (_: string, issue: number): Promise<void> => {
      await scene.person.octokit.rest.issues.update({ owner: OWNER, repo: REPO, issue_number: issue, state: 'closed' });
    },
    open: false,
  },
])('a waiting run $how', ({ how, actor, reason, act, open }) => {
  let issue: number;
  let run: RunView;
  let seconds: number;
  let agent: OwnedProcess[];

  beforeAll(async () => {
    ({ issue, run } = await waitingRun(how));
    const { id } = run;
    const place = await agentOf(scene.stack.directory, run.workspace ?? '', id);
    agent = processesOf(join(scene.stack.directory, 'workspaces', run.workspace ?? ''));
    expect(agent.map(({ pid }) => pid)).toContain(place.pid);
    const since = performance.now();
    await act(id, issue);
    run = await scene.ended(REPO, issue);
    seconds = (performance.now() - since) / 1000;
  });

  test('ends within half a minute as canceled, and no failure', () => {
    expect(run).toMatchObject({ status: 'canceled', failure: null, pullRequest: null });
    expect(seconds).toBeLessThan(30);
  });

  test('has its agent gone, with all that it had started', () => {
    expect(agent.length).toBeGreaterThan(2);
    expect(living(agent)).toEqual([]);
  });

  test('has its one status comment say by whom and why', async () => {
    const comments = await scene.commentsSaying(REPO, issue, `Canceled by ${actor}: ${reason}.`);
    expect(comments).toHaveLength(1);
    expect(comments[0]?.body).toContain(marked(run.id));
  });

  test('loses its label and leaves no pull request', async () => {
    await scene.expectLabels(REPO, issue, []);
    expect(await scene.pullRequestsOf(REPO, issue)).toEqual([]);
  });

  test(open ? 'leaves its workspace for the next run' : 'has its workspace removed', async () => {
    const directory = join(scene.stack.directory, 'workspaces', run.workspace ?? '');
    if (open) return expect(existsSync(directory)).toBe(true);
    await eventually('the workspace is removed', () => !existsSync(directory));
    const shown = await eventually('the workspace is given back', async () => {
      const now = await scene.issueOf(REPO, issue);
      return now?.workspace === null && now;
    });
    expect(shown.state).toBe('closed');
  });

  test('cannot be canceled again', async () => {
    const answer = await cancel(run.id, {});
    expect(answer.status).toBe(409);
    expect(await answer.json()).toMatchObject({ code: 'conflict' });
  });
});

test('a cancel without the staff token is answered 401', async () => {
  const answer = await cancel('00000000-0000-4000-8000-000000000000', {}, 'not-the-token-of-the-staff');
  expect(answer.status).toBe(401);
});

test('a cancel of a run that nobody knows is answered 404', async () => {
  const answer = await cancel('00000000-0000-4000-8000-000000000000', {});
  expect(answer.status).toBe(404);
});

describe('a label that is taken off and put on again, of which GitHub tells late', () => {
  let issue: number;
  let first: RunView;
  let late: Received;

  beforeAll(async () => {
    const receiver = await listenTo(scene, REPO);
    ({ issue, run: first } = await waitingRun('taken off and put on again'));
    const at = { owner: OWNER, repo: REPO };
    await whileFrozen(scene.stack.pidOf('worker'), async () => {
      await scene.person.octokit.rest.issues.removeLabel({ ...at, issue_number: issue, name: 'run:dev' });
      await eventually('the workflow is told that the label is gone', async () => {
        const [inbox] = await scene.sql`
          select i.signaled_seq, f.seq from inboxes i join issue_facts f using (issue_key)
          where issue_key = ${first.issueKey} and f.fact->>'kind' = 'trigger_label_removed'`;
        return inbox !== undefined && inbox['signaled_seq'] >= inbox['seq'];
      });
      await scene.person.octokit.rest.repos.updateWebhook({ ...at, hook_id: repository.hookId, active: false });
      await scene.person.label(REPO, issue, 'run:dev');
      late = await eventually('GitHub has sent the second click', () => clicksOn(receiver, issue)[1]);
    });
    await receiver.close();
    first = await scene.ended(REPO, issue);
  });

  test('ends the run', () => {
    expect(first).toMatchObject({ status: 'canceled', triggeredBy: OWNER });
  });

  test('stays on the issue: it belongs to a click of its own', async () => {
    await scene.expectLabels(REPO, issue, ['run:dev']);
  });

  test('starts another run when GitHub tells of it', async () => {
    const answer = await fetch(`${scene.stack.ready.url}/api/v1/webhooks/github`, {
      method: 'POST',
      body: late.raw,
      headers: {
        'content-type': 'application/json',
        'x-github-event': 'issues',
        'x-github-delivery': late.headers['x-github-delivery'] ?? '',
        'x-hub-signature-256': signature(scene.stack.ready.webhookSecret, late.raw),
      },
    });
    expect(answer.status).toBe(202);
    const second = await scene.started(REPO, issue, 1);
    await scene.working(second.id, /until \[ -e/);
  });
});

function clicksOn(receiver: Receiver, issue: number): Received[] {
  return receiver.named('issues.labeled').filter(({ body }) => body.issue.number === issue);
}
