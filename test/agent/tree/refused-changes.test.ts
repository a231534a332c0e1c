/** S3: an agent whose push the git gateway refuses is told why, and may take the change out. */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { describe, expect, test } from 'vitest';
import { createGitGateway } from '../../../ingress/gateways/git-gateway.ts';
import type { RunAccess } from '../../../ingress/gateways/run-access.ts';
import { createPushInspection } from '../../../src/adapters/git/push-inspection.ts';
import type { Report } from '../../../src/agent/platform/protocol.ts';
import type { AssignmentRow } from '../../../src/store/runs/assignments.ts';
import { RUN_LIMIT_MS, setStage, type Stage } from '../support/stage.ts';

const BRANCH = 'codex/issue-7';

/** A run of these commands, whose clone comes from the git gateway itself. */
async function run(stage: Stage, ...commands: string[]): Promise<Report> {
  const { token, url } = stage.platform;
  const row = { repositoryFullName: 'git/demo', branch: BRANCH, baseBranch: 'main', kind: 'work', stage: 'dev' };
  const access: RunAccess = { open: async (given) => (given === token ? (row as AssignmentRow) : undefined) };
  const github = { upstream: url, token };
  const lease = async () => ({ lost: new AbortController().signal, release: async () => undefined });
  const gateway = createGitGateway({ access, ...github, lease, inspection: createPushInspection(github) });
  const server = await new Promise<Server>((resolve) => {
    const { fetch } = new Hono().route('/gateway', gateway);
    const started = serve({ fetch, hostname: '127.0.0.1', port: 0 }, () => resolve(started)) as Server;
  });
  const { port } = server.address() as AddressInfo;
  stage.assign(
    { title: 'As told [script: does]', body: commands.map((command) => `$ ${command}`).join('\n') },
    { cloneUrl: `http://127.0.0.1:${port}/gateway/git/demo.git` },
  );
  try {
    return await stage.run();
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

const COMMIT = 'git add --all && git commit --quiet -m Work';
const ADD = `mkdir -p .github/workflows && echo 'on: push' > .github/workflows/ci.yml && echo code > a.js && ${COMMIT}`;

describe('S3: an agent that adds a workflow', { timeout: RUN_LIMIT_MS }, () => {
  test('is told that it may not, takes it out, and its other work is pushed', async () => {
    await using stage = await setStage();
    const takeOut = `git rm --quiet -r .github && ${COMMIT}`;
    const report = await run(stage, `if [ -e "$HOME/tried" ]; then ${takeOut}; else ${ADD} && touch "$HOME/tried"; fi`);
    expect(report).toMatchObject({ outcome: 'finished' });
    expect(await stage.git('ls-tree', '-r', '--name-only', BRANCH)).toBe('README.md\na.js');
    const log = stage.platform.log().join('\n');
    expect(log).toContain('this run may not change .github/workflows/ci.yml (workflows of GitHub Actions)');
    expect(log).toContain('asking the agent to take that out');
  });

  test('and insists on it fails with the reason, and nothing is pushed', async () => {
    await using stage = await setStage();
    const report = await run(stage, `test -e .github || { ${ADD}; }`);
    expect(report).toMatchObject({
      outcome: 'failed',
      failure: 'push_refused',
      detail: expect.stringContaining('this run may not change .github/workflows/ci.yml') as string,
    });
    await expect(stage.git('rev-parse', '--verify', '--quiet', BRANCH)).rejects.toThrow('exit code 1');
  });
});
