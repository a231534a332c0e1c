import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ownIdentity } from '../../../src/adapters/process-identity.ts';
import { resolveWebhook } from '../../../src/cli/webhook-simulator/resolve.ts';

const directory = mkdtempSync(join(tmpdir(), 'resolve-webhook-'));
const secretFile = join(directory, 'secret');
const tokenFile = join(directory, 'token');
writeFileSync(secretFile, 'the new secret\nthe old secret\n');
writeFileSync(tokenFile, 'ghp_token\n');

describe('the webhook', () => {
  test('is that of a running up', async () => {
    const ready = {
      ready: true,
      url: 'http://127.0.0.1:1',
      githubUrl: 'http://127.0.0.1:2',
      githubOwnerToken: 'ghp_owner',
      webhookSecret: 'its secret',
      temporalAddress: '',
      temporalUi: '',
      databaseUrl: '',
      processes: {},
    };
    writeFileSync(join(directory, 'ready.json'), JSON.stringify(ready));
    writeFileSync(join(directory, 'up.json'), JSON.stringify(ownIdentity()));
    expect(await resolveWebhook({ data: directory }, {})).toEqual({
      url: 'http://127.0.0.1:1/api/v1/webhooks/github',
      secret: 'its secret',
      gitHub: { apiUrl: 'http://127.0.0.1:2', token: 'ghp_owner' },
      sender: 'olivia',
    });
  });

  test.each([
    ['http://codex.example', 'http://codex.example/api/v1/webhooks/github'],
    ['https://codex.example/below/', 'https://codex.example/below/api/v1/webhooks/github'],
    ['https://codex.example/api/v1/webhooks/github', 'https://codex.example/api/v1/webhooks/github'],
  ])('of %s is %s, with the newest secret', async (url, webhook) => {
    expect(await resolveWebhook({ url, secretFile }, {})).toEqual({
      url: webhook,
      secret: 'the new secret',
      gitHub: undefined,
      sender: undefined,
    });
  });

  test("is named by the workspace, with the server's GitHub", async () => {
    const env = {
      CODEXK8S_URL: 'http://codex.example',
      CODEXK8S_WEBHOOK_SECRETS_FILE: secretFile,
      CODEXK8S_GITHUB_TOKEN_FILE: tokenFile,
    };
    expect(await resolveWebhook({}, env)).toMatchObject({
      gitHub: { apiUrl: 'https://api.github.com', token: 'ghp_token' },
    });
    expect(await resolveWebhook({}, { ...env, CODEXK8S_GITHUB_API_URL: 'http://ghe/api/v3/' })).toMatchObject({
      gitHub: { apiUrl: 'http://ghe/api/v3' },
    });
  });
});

test.each([
  [{ url: 'http://codex.example' }, 2, 'Give --secret-file FILE'],
  [{ url: 'codex', secretFile }, 2, 'is not a URL'],
  [{ url: 'http://codex.example', secretFile: '/nowhere/at-all' }, 2, '/nowhere/at-all cannot be read'],
  [{ data: directory, secretFile }, 2, '--secret-file goes with --url'],
  [{ data: tmpdir() }, 1, 'No codex-k8s up is ready'],
])('%j is told what is missing', async (place, exitCode, message) => {
  await expect(resolveWebhook(place, {})).rejects.toMatchObject({
    exitCode,
    message: expect.stringContaining(message) as string,
  });
});
