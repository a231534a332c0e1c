/** The demo with agents on Kubernetes, as a person starts it: it tells its story to the end, and leaves the cluster as it was. */
import { existsSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { V1Namespace } from '@kubernetes/client-node';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { createKubernetesApi, readKubeConfig } from '../../src/adapters/kubernetes/api.ts';
import { LABELS } from '../../src/adapters/kubernetes/names.ts';
import { eventually } from '../support/stack.ts';

const CLI = fileURLToPath(new URL('../../src/cli/cli.ts', import.meta.url));
const STORY_MS = 600_000;

const directory = mkdtempSync(join(tmpdir(), 'codex-k8s-demo-'));

let before: Set<string>;
let ended: { exitCode?: number | undefined; all?: string | undefined };

/** The workspaces of every platform on the cluster, by their uids. */
async function workspaces(): Promise<Set<string>> {
  const admin = createKubernetesApi(() => readKubeConfig(inject('kubeconfig')));
  const found = await admin.list<V1Namespace>('v1', 'Namespace', { labelSelector: LABELS.managedBy });
  return new Set(found.map(({ metadata }) => metadata?.uid ?? ''));
}

beforeAll(async () => {
  before = await workspaces();
  const { OPENAI_API_KEY: _, DATABASE_URL: __, ...inherited } = process.env;
  ended = await execa(process.execPath, [CLI, 'demo', '--runtime', 'kubernetes', '--data', directory], {
    env: {
      ...inherited,
      KUBECONFIG: inject('kubeconfig'),
      CODEXK8S_AGENT_IMAGE: inject('agentImage'),
      CODEXK8S_GATEWAYS_HOST: inject('nodeAddress'),
    },
    extendEnv: false,
    all: true,
    reject: false,
    stdin: 'ignore',
    timeout: STORY_MS,
  });
});

afterAll(() => {
  // Root's database is elsewhere.
  const database = join(directory, 'postgres');
  const home = existsSync(database) ? dirname(realpathSync(database)) : directory;
  for (const each of [home, directory]) rmSync(each, { recursive: true, force: true, maxRetries: 5 });
});

test('the demo tells its story to the end, with agents on Kubernetes', () => {
  expect(ended.all).toContain('agents on Kubernetes: KUBECONFIG=');
  expect(ended.all).toContain('the workspace is removed, and the workflow ends');
  expect(ended.exitCode).toBe(0);
});

test('the demo leaves no workspace in the cluster', async () => {
  await eventually('every workspace that was not there before is gone', async () => {
    const now = await workspaces();
    return [...now].every((uid) => before.has(uid));
  });
});
