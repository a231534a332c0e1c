/** Whole runs on Kubernetes whose API server is killed while their agents work (docs/reliability.md T45). */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { V1Pod } from '@kubernetes/client-node';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import { startComponent, stopComponent } from '../../deploy/local-cluster/cluster.ts';
import { clusterPaths } from '../../deploy/local-cluster/paths.ts';
import { beginnings } from '../e2e/support/agents.ts';
import { eventually } from '../support/stack.ts';
import { LONG_MS, openRuns, release, type Runs, SUCCEEDED } from './support/runs.ts';

const dataDirectory = inject('clusterDataDirectory');

let runs: Runs;

/** Lets the agent in a pod go on from the node itself, which needs no API server. */
function releaseOnNode({ metadata }: V1Pod): void {
  const pods = join(clusterPaths(dataDirectory).kubelet, 'pods');
  writeFileSync(join(pods, metadata?.uid ?? '', 'volumes', 'kubernetes.io~empty-dir', 'tmp', 'go-on'), '');
}

async function hasReported(runId: string): Promise<boolean> {
  const [row] = await runs.scene.sql`select report is not null as reported from agent_attempts where run_id = ${runId}`;
  return row?.['reported'] === true;
}

describe.skipIf(dataDirectory === '')('T45: an API server that is killed while an agent works', () => {
  beforeAll(async () => {
    runs = await openRuns('api-server-away');
  });
  afterEach(async () => startComponent(dataDirectory, 'apiserver'));
  afterAll(async () => runs?.close());

  test('and comes back: the run goes on with the same agent, and succeeds', async () => {
    const { issue, run, pod } = await runs.waiting('the API server dies');
    await stopComponent(dataDirectory, 'apiserver', 'SIGKILL');
    await startComponent(dataDirectory, 'apiserver');
    await release(pod);
    expect(await runs.endedAtLast(issue)).toMatchObject({ ...SUCCEEDED, id: run.id });
    expect(beginnings(await runs.scene.log(run.id))).toHaveLength(1);
  });

  test('and comes back when the agent has finished: the run succeeds, and no other agent is started', async () => {
    const { issue, run, pod } = await runs.waiting('the API server is away');
    await stopComponent(dataDirectory, 'apiserver', 'SIGKILL');
    releaseOnNode(pod);
    await eventually('the agent has reported', async () => hasReported(run.id), LONG_MS);
    await startComponent(dataDirectory, 'apiserver');
    expect(await runs.endedAtLast(issue)).toMatchObject({ ...SUCCEEDED, id: run.id });
    expect(beginnings(await runs.scene.log(run.id))).toHaveLength(1);
  });
});
