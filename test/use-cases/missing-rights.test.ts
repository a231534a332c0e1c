/** A4: whoever binds a repository is told which right the platform's account lacks, who grants it, and where. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createGitHub } from '../../src/adapters/github/index.ts';
import { createRepositoryBinding } from '../../src/use-cases/repository-binding.ts';
import type { Refusal } from '../../src/domain/refusal.ts';
import { useTables } from '../support/tables.ts';
import { DEMO, startWithDemo, type Stage } from '../emulators/github/emulator.ts';

const tables = useTables();
const FULL_NAME = `${DEMO.owner}/${DEMO.repo}`;
const BOT = 'codex-k8s[bot]';

let stage: Stage;

beforeAll(async () => {
  stage = await startWithDemo();
});
afterAll(async () => {
  await stage.emulator.close();
});

function binding({ token = 'token-bot', apiUrl = stage.emulator.apiUrl } = {}) {
  const github = createGitHub({
    apiUrl,
    token,
    limits: { settleMs: 0 },
    waits: { current: () => Promise.resolve(undefined), hold: () => Promise.reject(new Error('nobody waits')) },
  });
  const webhook = { url: 'http://127.0.0.1:1/api/v1/webhooks/github', secret: 'a secret of the tests' };
  return createRepositoryBinding({ db: tables.db, github, webhook });
}

async function refusal(asked: Promise<unknown>): Promise<Refusal> {
  return asked.then(
    () => {
      throw new Error('it was not refused');
    },
    (error: unknown) => error as Refusal,
  );
}

describe('repositories add, by an account', () => {
  test.each(['none', 'push'] as const)(
    'with the role %s names the role admin, the page and the token',
    async (role) => {
      if (role !== 'none') await stage.octo.repos.addCollaborator({ ...DEMO, username: BOT, permission: role });
      const { reason, message, field } = await refusal(binding().bind({ fullName: FULL_NAME, project: 'demo' }));
      expect({ reason, field }).toEqual({ reason: 'failed_precondition', field: 'fullName' });
      expect(message).toContain(`the role admin in ${FULL_NAME}: somebody with admin rights there grants it`);
      expect(message).toContain(`/${FULL_NAME}/settings/access`);
      expect(message).toContain('the permission Webhooks: write');
      expect(message).not.toContain('token-bot');
    },
  );

  test('that cannot see the repository is told so, and how it is let in', async () => {
    await stage.octo.repos.createForAuthenticatedUser({ name: 'hidden', private: true });
    const { reason, message } = await refusal(binding().bind({ fullName: 'octo/hidden', project: 'demo' }));
    expect(reason).toBe('failed_precondition');
    expect(message).toContain("it does not exist, or the platform's account may not see it");
    expect(message).toContain('/octo/hidden/invitations');
  });

  test('whose token is not accepted names the setting', async () => {
    const asked = binding({ token: 'no-token' }).bind({ fullName: FULL_NAME, project: 'demo' });
    expect(await refusal(asked)).toMatchObject({
      reason: 'failed_precondition',
      message: expect.stringContaining('CODEXK8S_GITHUB_TOKEN_FILE') as string,
    });
  });

  test('while GitHub does not answer may try again', async () => {
    const asked = binding({ apiUrl: 'http://127.0.0.1:1' }).bind({ fullName: FULL_NAME, project: 'demo' });
    expect(await refusal(asked)).toMatchObject({
      reason: 'unavailable',
      message: expect.stringContaining('GitHub') as string,
    });
  });
});
