/** An issue's workspace is a lease: when it is taken, kept and given back (docs/decisions.md, 10). */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { changesRequested, delivered, FINISHED } from '../../support/fake-activities.ts';
import { openIssueStage, type IssueStage } from '../../support/issue-stage.ts';
import { openTemporal } from '../../support/temporal.ts';

const TEMPLATE = '{{ .Project }}-dev-{{ .Slot }}';

let temporal: TestWorkflowEnvironment;
let number = 1200;
let stage: IssueStage;

beforeAll(async () => {
  temporal = await openTemporal();
});
afterAll(async () => temporal?.teardown());
beforeEach(async () => {
  number += 1;
  stage = await openIssueStage(temporal, number);
});
afterEach(async () => stage.close());

/** Closes the issue, and waits for the end of its workflow. */
async function closed(seq = 2): Promise<void> {
  stage.world.open = false;
  await stage.tell(delivered(seq, { kind: 'issue_closed' }));
  await stage.handle.result();
}

/** A run of this stage, from its label to its end. */
async function does(n: number, name: 'intake' | 'rethink'): Promise<void> {
  const label = `run:${name}`;
  stage.world.labels = [label];
  stage.world.events = [{ id: 100 * n, account: 7, clearedByPlatform: false }];
  const target = { stage: name, kind: 'work' } as const;
  await stage.tell(delivered(n, { kind: 'trigger_label_added', label, target, runId: stage.id(n) }));
  stage.world.endAgent(stage.id(n), FINISHED);
  await stage.until(() => stage.world.rows.get(stage.id(n))?.status === 'succeeded');
}

async function workspaceName(): Promise<string | undefined> {
  return (await stage.state()).workspace?.name;
}

test('one that something holds is reported, and the issue goes on without it', async () => {
  await stage.delivered();
  stage.world.held = 'a finalizer';
  await closed();
  expect(stage.world.countEvents('run.namespace.cleanup_blocked')).toBe(1);
});

test('its agents get the addresses that the project lists', async () => {
  stage.world.egress = ['203.0.113.0/24'];
  await stage.delivered();
  const launched = stage.world.calls.find(({ name }) => name === 'launchAgent');
  expect(launched?.input).toMatchObject({ use: { project: 'trial', egress: ['203.0.113.0/24'] } });
});

test('a run shows the namespace that it works in, where that has another name', async () => {
  stage.world.namespace = 'trial-12-2';
  await stage.delivered();
  expect(stage.world.rows.get(stage.id(1))?.workspace).toBe('trial-12-2');
});

test('a revise works in the workspace of the work, and its lease starts again', async () => {
  await stage.delivered();
  const before = (await stage.state()).workspace;
  await stage.tell(changesRequested(2, 1, stage.id(2)));
  stage.world.endAgent(stage.id(2), FINISHED);
  await stage.until(() => stage.world.rows.get(stage.id(2))?.status === 'succeeded');
  const after = (await stage.state()).workspace;
  expect(after?.name).toBe(before?.name);
  expect(Date.parse(after?.until ?? '')).toBeGreaterThan(Date.parse(before?.until ?? ''));
});

describe('of a project that names its namespaces', () => {
  beforeEach(() => {
    stage.world.namespaceTemplate = TEMPLATE;
  });

  test('it has a slot while it is there', async () => {
    await stage.delivered();
    expect(await workspaceName()).toBe('trial-dev-1');
    await closed();
    expect([stage.called('leaseNamespace'), stage.called('releaseNamespace')]).toEqual([1, 1]);
  });

  test('a checkout has none, and gives way when a whole workspace is needed', async () => {
    await does(1, 'intake');
    await stage.until(async () => (await stage.state()).active === null);
    const checkout = await workspaceName();
    expect(stage.called('leaseNamespace')).toBe(0);
    await does(2, 'rethink');
    expect(await workspaceName()).toBe('trial-dev-1');
    const removed = stage.world.calls.filter(({ name }) => name === 'removeWorkspace').map(({ input }) => input);
    expect(removed).toMatchObject([{ workspace: checkout }]);
  });
});

describe('with `run:debug`', () => {
  beforeEach(() => {
    stage.world.workspaceHours = 1 / 3600;
    stage.world.labels = ['run:dev', 'run:debug'];
  });

  test('it is kept when its lease runs out', async () => {
    await stage.delivered();
    await stage.until(() => stage.world.countEvents('run.namespace.cleanup_skipped') >= 2);
    expect(stage.called('removeWorkspace')).toBe(0);
  });

  test('it goes when the label was taken off', async () => {
    await stage.delivered();
    await stage.until(() => stage.world.countEvents('run.namespace.cleanup_skipped') >= 1);
    stage.world.labels = [];
    await stage.until(() => stage.called('removeWorkspace') === 1);
  });
});
