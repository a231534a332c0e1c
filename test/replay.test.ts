import { execFile } from 'node:child_process';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { historiesIn } from '../src/cli/histories/replay.ts';
import { replayAndReport } from '../src/cli/commands/replay.ts';
import { issueKey } from '../src/domain/issue/facts.ts';
import { observed, TASK_QUEUE } from '../workflows/messages.ts';
import { nonDeterministicBuild, type Build } from './support/build.ts';
import { createFakeWorld, ISSUE, labeled } from './support/fake-activities.ts';
import { eventually } from './support/stack.ts';
import { createTestWorker, openTemporal } from './support/temporal.ts';

const HISTORIES = fileURLToPath(new URL('histories/', import.meta.url));
const FILES = readdirSync(HISTORIES).filter((name) => name.endsWith('.json'));
const CLI = fileURLToPath(new URL('../src/cli/cli.ts', import.meta.url));

/** The file of a recorded history: `run-work-0.4.0.json` for `run-work`. */
function recorded(scenario: string): string {
  const file = FILES.find((name) => /^(.+?)-\d/.exec(name)?.[1] === scenario);
  if (file === undefined) throw new Error(`no history of ${scenario} is recorded`);
  return file;
}

test('histories are recorded, each with its events', () => {
  const events = FILES.map((file) => {
    const { history } = JSON.parse(readFileSync(join(HISTORIES, file), 'utf8')) as { history: { events: unknown[] } };
    return history.events.length;
  });
  expect(events.filter((count) => count > 10).length).toBeGreaterThanOrEqual(6);
});

/** Runs a build's program; answers with its exit code and what it printed. */
async function command(cli: string, args: string[], env: Record<string, string> = {}) {
  return promisify(execFile)(process.execPath, [cli, ...args], { env: { ...process.env, ...env } }).then(
    ({ stdout, stderr }) => ({ code: 0, out: stdout, error: stderr }),
    ({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }) => ({
      code,
      out: stdout,
      error: stderr,
    }),
  );
}

describe('the gate before a deploy (T32)', () => {
  let changed: Build;
  beforeAll(() => {
    changed = nonDeterministicBuild();
  });
  afterAll(() => changed?.remove());

  test('succeeds for this build, which replays every recorded history', async () => {
    const { code, out, error } = await command(CLI, ['replay', '--histories', HISTORIES]);
    expect([code, error]).toEqual([0, '']);
    expect(out).toMatch(new RegExp(`^${FILES.length} histories \\(\\d+ events\\) replayed without errors\n$`));
  });

  test('fails for a nondeterministic build, and names the histories and the events', async () => {
    const { code, out } = await command(changed.cli, ['replay', '--histories', HISTORIES]);
    expect(code).toBe(1);
    expect(out).toContain(`(${recorded('run-work')}): `);
    expect(out).toMatch(/^failed {2}run:[0-9a-f-]+ \(run-work-\S+\.json\): .*TMPRL1100.*$/m);
    expect(out).toMatch(/\d+ histories \(\d+ events\) replayed; [1-9]\d* failed\n$/);
    expect(out).not.toContain('issue-merged');
  });

  test('says the same in JSON', async () => {
    const some = mkdtempSync(join(tmpdir(), 'codex-k8s-histories-'));
    const files = [recorded('issue-merged'), recorded('run-work')];
    for (const file of files) copyFileSync(join(HISTORIES, file), join(some, file));
    const printed: string[] = [];
    const terminal = { out: (line: string) => void printed.push(line), error: () => {}, color: false };
    const code = await replayAndReport(historiesIn(some), { json: true, workflowsPath: changed.workflows }, terminal);
    rmSync(some, { recursive: true });
    expect(code).toBe(1);
    expect(JSON.parse(printed.join('\n'))).toMatchObject({
      replayed: files.length,
      failed: [{ source: recorded('run-work'), failure: expect.stringContaining('TMPRL1100') as string }],
    });
  });

  test.each<[string[], number]>([
    [['replay'], 2],
    [['replay', '--running', '--histories', HISTORIES], 2],
    [['replay', '--histories', fileURLToPath(new URL('support/', import.meta.url))], 1],
    [['replay', '--histories', '/nowhere'], 1],
  ])('does not take %j for a pass', async (args, expected) => {
    expect((await command(CLI, args)).code).toBe(expected);
  });

  describe('with workflows that run', () => {
    let temporal: TestWorkflowEnvironment;
    let env: Record<string, string>;
    beforeAll(async () => {
      temporal = await openTemporal();
      env = {
        CODEXK8S_TEMPORAL_ADDRESS: temporal.address,
        CODEXK8S_TEMPORAL_NAMESPACE: temporal.namespace ?? 'default',
      };
      const { world, activities } = createFakeWorld();
      const worker = await createTestWorker(temporal, activities);
      await worker.runUntil(async () => {
        await temporal.client.workflow.signalWithStart('issueWorkflow', {
          workflowId: issueKey(ISSUE),
          taskQueue: TASK_QUEUE,
          args: [{ issue: ISSUE, title: 'Add a flag', url: 'http://github/acme/app/issues/12' }],
          signal: observed,
          signalArgs: [{ facts: [labeled(1)] }],
        });
        await eventually('an agent at work', () => world.names().includes('awaitAgent'));
        await eventually('both workflows in the list', async () => {
          let running = 0;
          for await (const _ of temporal.client.workflow.list({ query: "ExecutionStatus = 'Running'" })) running += 1;
          return running === 2;
        });
      });
    });
    afterAll(async () => temporal?.teardown());

    test('lets a build through that goes on with them', async () => {
      const { code, out } = await command(CLI, ['replay', '--running'], env);
      expect([code, out]).toEqual([0, expect.stringMatching(/^2 histories .* without errors\n$/) as string]);
    });

    test('holds up a build that cannot, and names the workflow', async () => {
      const { code, out } = await command(changed.cli, ['replay', '--running'], env);
      expect(code).toBe(1);
      expect(out).toMatch(/^failed {2}run:00000000-0000-4000-8000-000000000001 \(.+\): .*TMPRL1100/);
      expect(out).toMatch(/2 histories \(\d+ events\) replayed; 1 failed\n$/);
    });
  });
});
