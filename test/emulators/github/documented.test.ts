/**
 * Every request that the platform makes, every answer to it and every event that it listens to, compared with GitHub's own
 * descriptions of them. The other tests of the emulator and of the client compare what they meet, too.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Octokit } from '@octokit/rest';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createGitHub } from '../../../src/adapters/github/index.ts';
import { DIFFERENCES } from '../../support/github-schema/differences.ts';
import { githubOperations } from '../../support/github-schema/operations.ts';
import { eventually } from '../../support/stack.ts';
import { client, DEMO, openPull, Receiver, remote, startWithDemo, type Stage } from './emulator.ts';

const ADAPTER = new URL('../../../src/adapters/github/', import.meta.url).pathname;
const MARKER = '<!-- codex-k8s:a-marker -->';
const LONG_AGO = '2020-01-01T00:00:00Z';
const LISTENED_TO = [
  'issue_comment.created',
  'issues.closed',
  'issues.labeled',
  'issues.opened',
  'issues.unlabeled',
  'label.created',
  'label.edited',
  'ping',
  'pull_request.closed',
  'pull_request.opened',
  'pull_request_review.submitted',
  'push',
  'repository.archived',
];

let stage: Stage;
let receiver: Receiver;

beforeAll(async () => {
  stage = await startWithDemo();
  receiver = await Receiver.start();
  await haveItAllHappen();
});
afterAll(async () => {
  await stage.emulator.close();
  await receiver.close();
});

/** The platform's client. `meanwhile` happens between its look at what is there and its writing. */
function asPlatform(token = 'token-octo', meanwhile?: () => Promise<unknown>) {
  const waits = { current: () => Promise.resolve(undefined), hold: () => Promise.reject(new Error('nobody waits')) };
  const budget = {
    async take() {
      await meanwhile?.();
      return undefined;
    },
  };
  // No call is given up: what is compared is what was answered.
  const limits = { callMs: 200_000 };
  return createGitHub({ apiUrl: stage.emulator.apiUrl, token, waits, budget, limits });
}

/** Calls every function of the client once, from the binding of a repository to the removal of its last label. */
async function haveItAllHappen(): Promise<void> {
  const { octo, copy, emulator } = stage;
  const github = asPlatform();
  const hookId = await github.ensureWebhook(DEMO.owner, DEMO.repo, { url: receiver.url, secret: 'a secret' });
  await github.ensureWebhook(DEMO.owner, DEMO.repo, { url: receiver.url, secret: 'another' });
  const look = { name: 'run:dev', color: '0e8a16', description: 'Writes the code.' };
  await github.ensureLabels(DEMO.owner, DEMO.repo, [look]);
  await github.ensureLabels(DEMO.owner, DEMO.repo, [{ ...look, description: 'Writes it.' }]);
  const found = await github.findRepository(DEMO.owner, DEMO.repo);
  await github.findPerson('reviewer');

  const { data: wish } = await octo.issues.create({ ...DEMO, title: 'a wish' });
  const at = { owner: DEMO.owner, name: DEMO.repo };
  const issue = { ...at, repositoryId: found?.id ?? 0, number: wish.number };
  await github.addLabel(issue, wish.number, 'run:dev');
  await github.readLabels(issue, 'run:dev');
  await github.react(issue, 'eyes');
  const say = { ...DEMO, issue_number: wish.number, body: `${MARKER} one` };
  const comment = await asPlatform('token-octo', () => octo.issues.createComment(say)).writeComment(issue, {
    marker: MARKER,
    body: `${MARKER} one`,
    knownId: null,
  });
  await github.writeComment(issue, { marker: MARKER, body: `${MARKER} two`, knownId: comment.id });
  await github.reactToComment(issue, comment.id, '+1');
  await github.readComment(issue, comment.id);
  await github.readIssue(issue);
  await github.readRepository(issue);
  await github.removeLabel(issue, wish.number, 'run:dev');
  await github.listFolder(at, '.codex-k8s/prompts', 'main');
  await github.readFile(at, 'story.txt', { ref: 'main', bytes: 100 });

  await github.ensureEnvironment(at, 'ai');
  await github.ensureEnvironment(at, 'ai');
  await github.findEnvironmentSecret(at, 'ai', 'TOKEN');
  await github.writeEnvironmentSecret(at, 'ai', { name: 'TOKEN', value: 'a value' });
  await github.writeEnvironmentSecret(at, 'ai', { name: 'TOKEN', value: 'another' });
  await github.findEnvironmentSecret(at, 'ai', 'TOKEN');

  const base = await copy.git('rev-parse', 'main');
  await openPull(stage, { branch: 'other' });
  await copy.git('push', '--quiet', remote(emulator), 'other:topic');
  const text = { title: 'Change topic', body: `Closes #${wish.number}` };
  const bot = asPlatform('token-bot');
  const { number: pull } = await bot.openPullRequest(issue, { head: 'topic', base: 'main' }, text);
  await bot.openPullRequest(issue, { head: 'topic', base: 'main' }, text);
  await octo.issues.createLabel({ ...DEMO, name: 'plain', color: 'ededed' });
  await octo.issues.addLabels({ ...DEMO, issue_number: pull, labels: ['plain'] });
  await github.findPullRequests(issue, ['topic']);
  await github.readBranch(issue, pull);
  const head = await github.readBranchHead(issue, 'topic');
  await github.findBranchesInTheWay(issue, 'topic/below');
  await github.changedFiles(issue, base, head ?? '');
  await github.readMergeBase(issue, base, head ?? '');
  const comments = [{ path: 'story.txt', line: 4, body: 'Why?' }];
  await octo.pulls.createReview({ ...DEMO, pull_number: pull, event: 'REQUEST_CHANGES', body: 'no', comments });
  const [review] = await github.readChangeRequests(issue, pull);
  const [line] = (await github.readReviews(issue, pull)).threads;
  await github.readReview(issue, pull, review?.id ?? 0);
  await github.reactToReview(issue, pull, review?.id ?? 0);
  const answer = { marker: MARKER, body: `${MARKER} Because.` };
  const reply = { ...DEMO, pull_number: pull, comment_id: line?.id ?? 0, body: answer.body };
  await asPlatform('token-octo', () => octo.pulls.createReplyForReviewComment(reply)).answerComment(
    issue,
    pull,
    line?.id ?? 0,
    answer,
  );

  await bot.writeComment({ ...issue, number: pull }, { marker: MARKER, body: `${MARKER} here`, knownId: null });

  // What goes wrong has a form too.
  await github.writeComment(issue, { marker: MARKER, body: `${MARKER} two`, knownId: 4711 });
  await octo.pulls.create({ ...DEMO, head: 'topic', base: 'main', title: 'again' }).catch(() => undefined);
  await client(emulator, 'of nobody')
    .repos.get(DEMO)
    .catch(() => undefined);

  await octo.pulls.merge({ ...DEMO, pull_number: pull });
  await github.listChanged(at, LONG_AGO);
  await github.listChanged(at, LONG_AGO);
  await github.readHistory(issue);
  const delivery = await eventually('a delivery to send again', async () => {
    const { data } = await octo.repos.listWebhookDeliveries({ ...DEMO, hook_id: hookId, per_page: 100 });
    return data.find(({ event }) => event === 'issues');
  });
  receiver.status = 500;
  await github.redeliver({ ...at, hookId }, delivery.id);
  await eventually('a failed delivery', async () => {
    const { attempts } = await github.listFailedDeliveries({ ...at, hookId }, LONG_AGO);
    return attempts.length > 0;
  });
  await octo.repos.update({ ...DEMO, archived: true });
  await eventually('the last event', () => receiver.names.includes('repository.archived'));
}

test('the platform asks for nothing, and is answered nothing, that GitHub does not document', () => {
  expect(() => stage.emulator.recorder.expectDocumented()).not.toThrow();
});

test('each call of GitHub in the code of the client was made here', () => {
  expect(calledIn(ADAPTER).filter((operation) => !made().has(operation))).toEqual([]);
});

test('the platform is told in the form that GitHub documents', () => {
  expect(() => receiver.recorder.expectDocumented()).not.toThrow();
  expect([...receiver.recorder.events]).toEqual(expect.arrayContaining(LISTENED_TO));
});

test('each known difference is still one', () => {
  const met = new Set([...stage.emulator.recorder.met, ...receiver.recorder.met]);
  expect(DIFFERENCES.filter((difference) => !met.has(difference))).toEqual([]);
});

function made(): ReadonlySet<string> {
  return stage.emulator.recorder.ofThePlatform;
}

/** The operations that the code in a directory calls, by Octokit's names of them and by their routes. */
function calledIn(directory: string): string[] {
  const source = readdirSync(directory)
    .map((name) => readFileSync(join(directory, name), 'utf8'))
    .join('\n');
  const { rest } = new Octokit();
  const named = [...source.matchAll(/\boctokit\.rest\.(\w+)\s*\.(\w+)/g)].map(([, scope = '', name = '']) => {
    const { method, url } = (rest as unknown as Methods)[scope]?.[name]?.endpoint.DEFAULTS ?? { method: '', url: '' };
    return operationOf(method, url) ?? `octokit.rest.${scope}.${name}`;
  });
  const routes = [...source.matchAll(/'(GET|POST|PUT|PATCH|DELETE) (\/[^']+)'/g)];
  const asked = routes.map(([route, method = '', url = '']) => operationOf(method, url) ?? route);
  return [...new Set([...named, ...asked])];
}

type Methods = Readonly<Record<string, Readonly<Record<string, { endpoint: { DEFAULTS: Route } }>>>>;
interface Route {
  readonly method: string;
  readonly url: string;
}

function operationOf(method: string, template: string): string | undefined {
  return githubOperations().find(method, template)?.operation.id;
}
