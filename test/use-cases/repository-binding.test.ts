/** Binding a repository of the emulator, and bringing its labels up to date. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createGitHub } from '../../src/adapters/github/index.ts';
import { GitHubAsksToWait } from '../../src/adapters/github/waits.ts';
import { createRepositoryBinding } from '../../src/use-cases/repository-binding.ts';
import { CANONICAL_NAMES, labelNames } from '../../src/domain/stages/label-names.ts';
import { LABELS } from '../../src/domain/stages/labels.ts';
import { useTables } from '../support/tables.ts';
import { DEMO, startWithDemo, type Stage } from '../emulators/github/emulator.ts';

const tables = useTables();
const FULL_NAME = `${DEMO.owner}/${DEMO.repo}`;
const chosen = labelNames({ 'run:dev': 'agent:dev' });
const NAMES = 'names' in chosen ? chosen.names : CANONICAL_NAMES;

let stage: Stage;

beforeAll(async () => {
  stage = await startWithDemo();
});
afterAll(async () => {
  await stage.emulator.close();
});
beforeEach(() => tables.clear());

type GitHub = ReturnType<typeof createGitHub>;

function binding(more: Partial<GitHub> = {}): ReturnType<typeof createRepositoryBinding> {
  const github = createGitHub({
    apiUrl: stage.emulator.apiUrl,
    token: 'token-octo',
    limits: { settleMs: 0 },
    waits: { current: () => Promise.resolve(undefined), hold: () => Promise.reject(new Error('nobody waits')) },
    labels: NAMES,
  });
  const webhook = { url: 'http://127.0.0.1:1/api/v1/webhooks/github', secret: 'a secret of the tests' };
  return createRepositoryBinding({ db: tables.db, github: { ...github, ...more }, webhook, labels: NAMES });
}

describe('labels', () => {
  test('are made when a repository is bound, and are there when it is bound again', async () => {
    const bound = await binding().bind({ fullName: FULL_NAME, project: 'demo' });
    expect(bound.labels.created).toHaveLength(LABELS.length);
    expect(bound.labels.created).toContain('agent:dev');
    expect(bound.trigger).toBe('agent:dev');
    const again = await binding().bind({ fullName: FULL_NAME, project: 'demo' });
    expect(again.labels).toEqual({
      created: [],
      updated: [],
      unchanged: bound.labels.created,
      left: [],
      waiting: null,
    });
  });

  test('are corrected in a bound repository', async () => {
    await binding().bind({ fullName: FULL_NAME, project: 'demo' });
    await stage.octo.issues.updateLabel({ ...DEMO, name: 'agent:dev', description: 'mine' });
    await stage.octo.issues.deleteLabel({ ...DEMO, name: 'run:qa' });
    expect(await binding().syncLabels(FULL_NAME)).toMatchObject({ created: ['run:qa'], updated: ['agent:dev'] });
  });

  test('are left alone in a repository that is not bound', async () => {
    await expect(binding().syncLabels(FULL_NAME)).rejects.toMatchObject({
      reason: 'failed_precondition',
      message: `${FULL_NAME} is not bound; bind it with \`codex-k8s repositories add ${FULL_NAME}\``,
    });
  });

  test('wait while GitHub asks for a pause, and whoever called gets an error that says so', async () => {
    await binding().bind({ fullName: FULL_NAME, project: 'demo' });
    const wait = new GitHubAsksToWait({ until: new Date(), leftMs: 1000, reason: 'primary' });
    const waiting = binding({ ensureLabels: () => Promise.reject(wait) });
    await expect(waiting.syncLabels(FULL_NAME)).rejects.toMatchObject({ reason: 'unavailable' });
  });
});

test('T21: what becomes of a repository itself is listened to', async () => {
  await binding().bind({ fullName: FULL_NAME, project: 'demo' });
  const { data } = await stage.octo.repos.listWebhooks(DEMO);
  expect(data[0]?.events).toContain('repository');
});

describe('a member', () => {
  const add = (login: string) => binding().addMember({ login, role: 'read_write', project: 'demo' });

  test("whose own token is the platform's is told what GitHub does not let them", async () => {
    const warning = expect.stringContaining('does not let octo request changes') as string;
    expect(await add('octo')).toMatchObject({ login: 'octo', warning });
  });

  test('other than that gets no warning', async () => {
    expect(await add('reviewer')).not.toHaveProperty('warning');
  });
});
