import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { trusting } from '../../src/app/agent/agent-command.ts';
import { createAuthority, read, type Authority } from '../support/certificates.ts';
import { RUN_LIMIT_MS, setStage, type Stage } from './support/stage.ts';

const RUNNER = fileURLToPath(new URL('support/runner-process.ts', import.meta.url));

describe(
  'an agent whose gateways have a certificate of an authority that only the installation knows',
  {
    timeout: RUN_LIMIT_MS,
  },
  () => {
    let authority: Authority;
    let stage: Stage;

    beforeAll(async () => {
      authority = createAuthority();
      stage = await setStage(undefined, { tls: read(authority.issue('gateways.test')) });
    });
    afterAll(async () => {
      await stage?.[Symbol.asyncDispose]();
      authority?.remove();
    });

    test('reports, clones, asks the model and pushes over TLS', async () => {
      stage.assign({ title: 'Please [script: work]' });
      const { platformUrl, tokenFile, workspace } = stage.options;
      const runner = spawn(process.execPath, [RUNNER, platformUrl, tokenFile, workspace], {
        env: { ...process.env, ...trusting(authority.certificate) },
        stdio: ['ignore', 'ignore', 'inherit'],
      });
      const [code] = (await once(runner, 'exit')) as unknown[];
      expect(code).toBe(0);
      expect(platformUrl).toMatch(/^https:/);
      expect(stage.platform.reports).toMatchObject([{ outcome: 'finished' }]);
      expect(await stage.git('log', '--format=%s', 'main..codex/issue-7')).not.toBe('');
    });
  },
);
