/** The server is killed around what it must not lose: a kept delivery that GitHub and Temporal do not know of yet. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { closeScene, openScene, type BoundRepository, type Scene } from '../e2e/support/scene.ts';
import { OWNER } from '../../src/embedded/accounts.ts';
import { noopAgentCommand } from '../support/noop-agent.ts';
import { ended, journalOf, patiently } from './support/life.ts';

const REPO = 'server-kills';
const home = mkdtempSync(join(tmpdir(), 'codex-k8s-server-kills-'));
const points = join(home, 'points');
const journal = join(home, 'journal');
let scene: Scene;
let repository: BoundRepository;

beforeAll(async () => {
  mkdirSync(points);
  scene = await openScene({ CODEXK8S_AGENT_COMMAND: noopAgentCommand(journal) }, { killPoints: points });
  repository = await scene.bindRepository(REPO);
});

afterAll(async () => {
  await closeScene(scene);
  rmSync(home, { recursive: true, force: true });
});

describe.each(['relay:before-signal', 'relay:after-signal', 'webhook:after-commit'])(
  'a server that is killed at %s',
  (point) => {
    let issue: number;

    beforeAll(async () => {
      issue = await scene.person.openIssue(REPO, { title: point, body: '' });
      writeFileSync(join(points, point), '');
      await scene.person.label(REPO, issue, 'run:dev');
      await patiently('the server dies', async () => existsSync(join(points, `${point}.fired`)));
    });

    test('is started again, and the label becomes one run that succeeds', async () => {
      expect(await ended(scene, REPO, issue, 0)).toMatchObject({ status: 'succeeded' });
      expect(await scene.runsOf(REPO, issue)).toHaveLength(1);
    });

    test('leads to one agent, one pull request and one status comment', async () => {
      const [run] = await scene.runsOf(REPO, issue);
      expect(
        journalOf(journal)
          .filter((entry) => entry.run === run?.id)
          .map(({ what }) => what),
      ).toEqual(['begin', 'end']);
      expect(await scene.pullRequestsOf(REPO, issue)).toHaveLength(1);
      expect(await scene.commentsOn(REPO, issue)).toHaveLength(1);
    });
  },
);

test('a delivery that was kept and not answered is a duplicate when GitHub sends it again', async () => {
  const { octokit } = scene.person;
  const hook = { owner: OWNER, repo: REPO, hook_id: repository.hookId };
  const { data } = await octokit.rest.repos.listWebhookDeliveries({ ...hook, per_page: 100 });
  const kept = new Set((await scene.sql<{ id: string }[]>`select id from deliveries`).map(({ id }) => id));
  const unanswered = data.filter(({ status_code: code, guid }) => code === 502 && kept.has(guid));
  expect(unanswered.length).toBeGreaterThan(0);
  const [{ before } = { before: 0 }] = await scene.sql<{ before: number }[]>`select count(*)::int as before from runs`;
  for (const { id, guid } of unanswered) {
    await octokit.rest.repos.redeliverWebhookDelivery({ ...hook, delivery_id: id });
    const again = await patiently(`delivery ${guid} again`, async () => {
      const { data: now } = await octokit.rest.repos.listWebhookDeliveries({ ...hook, per_page: 100 });
      return now.find((one) => one.guid === guid && one.redelivery);
    });
    expect(again.status_code).toBe(200);
  }
  const [{ after } = { after: -1 }] = await scene.sql<{ after: number }[]>`select count(*)::int as after from runs`;
  expect(after).toBe(before);
});
