/** docs/reliability.md T20: a repository is its id, whatever it is called. */
import { randomUUID } from 'node:crypto';
import { beforeEach, expect, test } from 'vitest';
import { createGitHubWebhook } from '../../../ingress/github-webhook/route.ts';
import { deliveryHeaders } from '../../../src/github-deliveries/headers.ts';
import { findRepository } from '../../../src/store/projects/repositories.ts';
import { bind, OLIVIA, patientIntake, REPOSITORY, useTables } from '../../support/tables.ts';

const SECRET = 'the secret of the tests';
const tables = useTables();

beforeEach(async () => {
  await tables.clear();
  await bind(tables.db);
});

async function told(action: string, owner: string, name: string, id = REPOSITORY.id): Promise<number> {
  const body = JSON.stringify({
    action,
    repository: { id, name, owner: { login: owner } },
    sender: { ...OLIVIA, type: 'User' },
  });
  const app = createGitHubWebhook({ intake: patientIntake(tables.db), secrets: [SECRET] });
  const { status } = await app.request('/', {
    method: 'POST',
    body,
    headers: deliveryHeaders({ id: randomUUID(), event: 'repository', body, secret: SECRET }),
  });
  return status;
}

test.each([
  ['renamed', 'acme', 'new-name'],
  ['transferred', 'other', 'demo'],
])('T20: a repository that was %s is shown under its new name', async (action, owner, name) => {
  expect(await told(action, owner, name)).toBe(202);
  expect(await findRepository(tables.db, REPOSITORY.id)).toMatchObject({ owner, name });
});

test.each([
  ['something else is told of it', 'edited', REPOSITORY.id],
  ['another one was renamed', 'renamed', 7],
])('T20: keeps its name when %s', async (_what, action, id) => {
  await told(action, 'mallory', 'evil', id);
  expect(await findRepository(tables.db, REPOSITORY.id)).toMatchObject({ owner: 'acme', name: 'demo' });
});
