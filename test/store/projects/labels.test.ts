/** I24: what is known of labels, so that one that is renamed to a trigger label starts nothing. */
import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import { createReconciler } from '../../../activities/maintenance/reconcile.ts';
import { createGitHubWebhook } from '../../../ingress/github-webhook/route.ts';
import { deliveryHeaders } from '../../../src/github-deliveries/headers.ts';
import { repositoryLabels } from '../../../src/store/connection/schema.ts';
import { knowLabels, readKnownLabels } from '../../../src/store/projects/labels.ts';
import { bind, OLIVIA, patientIntake, REPOSITORY, useTables } from '../../support/tables.ts';

const SECRET = 'the secret of the tests';
const BOUND = '2026-01-01T00:00:00.000Z';
const CLICKED = '2026-02-01T00:00:00Z';
const tables = useTables();

beforeEach(async () => {
  await tables.clear();
  await tables.db.delete(repositoryLabels);
  await bind(tables.db);
});

const RUN_DEV = { name: 'run:dev', id: 5 };
const IDEA = { name: 'run:dev', id: 9 };

/** What the sweep finds, where an issue carries a label; GitHub shows every event under the label's present name. */
async function found(label: typeof RUN_DEV): Promise<number> {
  const item = {
    number: 7,
    isPullRequest: false,
    title: 'A',
    url: 'https://github.com/acme/demo/issues/7',
    open: true,
    merged: false,
    labels: [label.name],
    labelIds: [label],
    updatedAt: CLICKED,
  };
  const by = { ...OLIVIA, type: 'User' };
  const reconcile = createReconciler({
    db: tables.db,
    intake: patientIntake(tables.db),
    github: {
      listChanged: async () => ({ items: [item], complete: true }),
      readHistory: async () => [{ id: 100, event: 'labeled', label: label.name, by, at: CLICKED }],
      readChangeRequests: async () => [],
      readBranch: async () => ({ headRef: '', headRepositoryId: null }),
    },
  });
  const swept = { ...REPOSITORY, hookId: null, boundAt: BOUND };
  return (await reconcile(swept, BOUND, { graceMs: 0 })).found.length;
}

async function told(action: string, label: { name: string; id: number }, from?: string): Promise<void> {
  const body = JSON.stringify({
    action,
    label,
    ...(from === undefined ? {} : { changes: { name: { from } } }),
    repository: { id: REPOSITORY.id, name: 'demo', owner: { login: 'acme' } },
    sender: { ...OLIVIA, type: 'User' },
  });
  const app = createGitHubWebhook({ intake: patientIntake(tables.db), secrets: [SECRET] });
  const { status } = await app.request('/', {
    method: 'POST',
    body,
    headers: deliveryHeaders({ id: randomUUID(), event: 'label', body, secret: SECRET }),
  });
  expect(status).toBe(202);
}

describe('a sweep', () => {
  test('finds a click on the label that is known', async () => {
    await knowLabels(tables.db, REPOSITORY.id, [RUN_DEV], new Date(BOUND));
    expect(await found(RUN_DEV)).toBe(1);
  });

  test('finds a click where an earlier version knew nothing of labels', async () => {
    expect(await found(RUN_DEV)).toBe(1);
  });

  test('starts nothing for issues with a label that was renamed to it, though nobody told of that', async () => {
    await knowLabels(tables.db, REPOSITORY.id, [RUN_DEV], new Date(BOUND));
    expect(await found(IDEA)).toBe(0);
    expect(await found(IDEA)).toBe(0);
  });

  test('starts nothing when the webhook told of the rename', async () => {
    await knowLabels(tables.db, REPOSITORY.id, [RUN_DEV], new Date(BOUND));
    await told('edited', IDEA, 'idea');
    expect(await found(IDEA)).toBe(0);
  });

  test('starts nothing for what was put on while the label itself had another name', async () => {
    await knowLabels(tables.db, REPOSITORY.id, [RUN_DEV], new Date(BOUND));
    await told('edited', { ...RUN_DEV, name: 'later' }, 'run:dev');
    await told('edited', RUN_DEV, 'later');
    expect(await found(RUN_DEV)).toBe(0);
  });
});

test.each([
  ['another colour', 'edited', RUN_DEV, undefined],
  ['a name that means nothing here', 'edited', { ...RUN_DEV, name: 'later' }, 'bug'],
])('a label that gets %s is known as before', async (_what, action, label, from) => {
  await knowLabels(tables.db, REPOSITORY.id, [RUN_DEV], new Date(BOUND));
  await told(action, label, from);
  expect(await readKnownLabels(tables.db, REPOSITORY.id)).toEqual([{ ...RUN_DEV, since: BOUND }]);
});
