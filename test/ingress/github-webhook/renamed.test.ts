/** docs/reliability.md T20: a repository is its id, whatever it is called. */
import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import { createGitHubWebhook } from '../../../ingress/github-webhook/route.ts';
import { deliveryHeaders } from '../../../src/github-deliveries/headers.ts';
import type { RenamedRepository } from '../../../src/store/intake/arrivals.ts';
import { findRepository } from '../../../src/store/projects/repositories.ts';
import { bind, OLIVIA, patientIntake, REPOSITORY, useTables } from '../../support/tables.ts';

const SECRET = 'the secret of the tests';
const tables = useTables();

beforeEach(async () => {
  await tables.clear();
  await bind(tables.db);
});

/** What GitHub was to be asked, of a delivery that calls the repository so. */
async function told(event: string, repository: object): Promise<RenamedRepository[]> {
  const renamed: RenamedRepository[] = [];
  const body = JSON.stringify({
    action: event === 'repository' ? 'transferred' : 'opened',
    repository: { id: REPOSITORY.id, ...repository },
    sender: { ...OLIVIA, type: 'User' },
    ...(event === 'issues' ? { issue: { number: 1, title: 'A', html_url: 'https://github.com/a/b/issues/1' } } : {}),
  });
  const app = createGitHubWebhook({
    intake: patientIntake(tables.db),
    secrets: [SECRET],
    onRenamed: (one) => renamed.push(one),
  });
  const { status } = await app.request('/', {
    method: 'POST',
    body,
    headers: deliveryHeaders({ id: randomUUID(), event, body, secret: SECRET }),
  });
  expect(status).toBeLessThan(300);
  return renamed;
}

describe.each(['repository', 'issues'])('T20: a delivery of the event %s', (event) => {
  test.each([
    ['another name', { name: 'new-name', owner: { login: 'acme' } }],
    ['another owner', { name: 'demo', owner: { login: 'other' } }],
    ['another default branch', { name: 'demo', owner: { login: 'acme' }, default_branch: 'trunk' }],
  ])('with %s has GitHub asked, and changes nothing by itself (S17)', async (_what, repository) => {
    const { name, owner } = repository;
    expect(await told(event, repository)).toEqual([{ id: REPOSITORY.id, owner: owner.login, name }]);
    expect(await findRepository(tables.db, REPOSITORY.id)).toMatchObject({
      owner: 'acme',
      name: 'demo',
      defaultBranch: 'main',
    });
  });

  test.each([
    ['what is known', { name: 'demo', owner: { login: 'acme' }, default_branch: 'main' }],
    ['no default branch', { name: 'demo', owner: { login: 'acme' } }],
    ['a repository that is not bound', { id: 7, name: 'evil', owner: { login: 'mallory' } }],
  ])('with %s asks nobody', async (_what, repository) => {
    expect(await told(event, repository)).toEqual([]);
  });
});
