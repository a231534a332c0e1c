import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createsContent, isCourtesy, type GitHubBudget } from '../../../src/adapters/github/budget.ts';
import { createGitHub } from '../../../src/adapters/github/index.ts';
import type { IssueRef } from '../../../src/domain/issue/facts.ts';
import { startFaultyGitHub, type FaultyGitHub } from '../../support/github-faults.ts';

const ISSUE: IssueRef = { repositoryId: 1, owner: 'octo', name: 'labels', number: 1 };
const REPO = '/repos/{owner}/{repo}';

describe('what creates content', () => {
  test.each([
    ['POST', `${REPO}/issues/{issue_number}/comments`],
    ['PATCH', `${REPO}/issues/comments/{comment_id}`],
    ['POST', `${REPO}/issues/{issue_number}/reactions`],
    ['POST', `${REPO}/pulls/comments/{comment_id}/reactions`],
    ['POST', `${REPO}/issues/{issue_number}/labels`],
    ['POST', `${REPO}/labels`],
    ['PATCH', `${REPO}/labels/{name}`],
    ['POST', `${REPO}/pulls`],
    ['POST', `${REPO}/pulls/{pull_number}/comments/{comment_id}/replies`],
    ['POST', `${REPO}/pulls/{pull_number}/reviews`],
  ])('%s %s does', (method, url) => {
    expect(createsContent({ method, url })).toBe(true);
  });

  test.each([
    ['GET', `${REPO}/issues/{issue_number}/comments`],
    ['GET', `${REPO}/pulls`],
    ['DELETE', `${REPO}/issues/{issue_number}/labels/{name}`],
    ['POST', `${REPO}/hooks`],
    ['PATCH', `${REPO}/hooks/{hook_id}`],
    ['POST', `${REPO}/hooks/{hook_id}/deliveries/{delivery_id}/attempts`],
  ])('%s %s does not', (method, url) => {
    expect(createsContent({ method, url })).toBe(false);
  });

  test.each([
    ['POST', `${REPO}/issues/{issue_number}/reactions`, true],
    ['PATCH', `${REPO}/issues/comments/{comment_id}`, true],
    ['POST', `${REPO}/issues/{issue_number}/comments`, false],
    ['POST', `${REPO}/issues/{issue_number}/labels`, false],
    ['POST', `${REPO}/pulls`, false],
  ])('%s %s is a courtesy: %s', (method, url, courtesy) => {
    expect(isCourtesy({ method, url })).toBe(courtesy);
  });
});

describe('a client with a budget', () => {
  let faulty: FaultyGitHub;
  beforeEach(async () => {
    faulty = await startFaultyGitHub('http://127.0.0.1:9');
    faulty.hit({ path: /./, times: 1000, fault: { kind: 'answer', status: 410 } });
  });
  afterEach(() => faulty.close());

  function github(budget: GitHubBudget) {
    return createGitHub({
      apiUrl: faulty.url,
      token: 'a token of a test',
      limits: { settleMs: 0 },
      budget,
      waits: { current: () => Promise.resolve(undefined), hold: () => Promise.reject(new Error('nobody waits')) },
    });
  }

  test('takes a permit for each write, and none for reads', async () => {
    const taken: boolean[] = [];
    const client = github({
      async take({ courtesy }) {
        taken.push(courtesy);
        return undefined;
      },
    });
    await client.react(ISSUE, 'eyes').catch(() => undefined);
    await client.addLabel(ISSUE, 1, 'run:dev').catch(() => undefined);
    await client.removeLabel(ISSUE, 1, 'run:dev').catch(() => undefined);
    await client.readIssue(ISSUE).catch(() => undefined);
    expect(taken).toEqual([true, false]);
  });

  test('sends nothing that has to wait, and fails as when GitHub asks to wait', async () => {
    const until = new Date(Date.now() + 30_000);
    const client = github({ take: () => Promise.resolve({ until, leftMs: 30_000, reason: 'used up' }) });
    await expect(client.react(ISSUE, 'eyes')).rejects.toMatchObject({ name: 'GitHubAsksToWait', waitMs: 30_000 });
    expect(faulty.calls).toEqual([]);
    await client.readIssue(ISSUE).catch(() => undefined);
    expect(faulty.calls.length).toBeGreaterThan(0);
  });

  test('sends nothing while nobody can say whether there is room, and quotes no query', async () => {
    const client = github({
      take: () => Promise.reject(new Error('Failed query: insert', { cause: new Error('gone') })),
    });
    await expect(client.react(ISSUE, 'eyes')).rejects.toThrow('shared rate limit state');
    expect(faulty.calls).toEqual([]);
  });
});
