import { describe, expect, test } from 'vitest';
import { usableSettings } from '../../../src/app/config/all-settings.ts';
import { largerSize, sizeOf, sizeRow, SIZES, useOf, type SizeName } from '../../../src/domain/workspace/workspaces.ts';
import { permissionsOf } from '../../../src/domain/agent/permissions.ts';
import { roleOf, STAGES, type RunKind, type Stage } from '../../../src/domain/stages/stages.ts';

const LEASE = { project: 'demo', issue: { repositoryId: 7, number: 42 }, until: '2026-11-22T10:00:00.000Z' };

/** What a run of this stage and kind asks for. */
const asked = (stage: Stage, kind: RunKind = 'work'): SizeName => sizeOf(useOf({ stage, kind }, LEASE));

/** Of the quantities in the table: thousandths of a core, and MiB. */
function amount(quantity: string): number {
  const [, digits, unit] = /^(\d+)(m|Mi|Gi)?$/.exec(quantity)!;
  return Number(digits) * { m: 1, Mi: 1, Gi: 1024, none: 1000 }[unit ?? 'none']!;
}

type Container = ReturnType<typeof sizeRow>['container'];

/** The same in numbers, each under its name. */
function amounts({ pods, requests, limits, ephemeralStorage }: Container & { pods: number }): Record<string, number> {
  return {
    pods,
    'requests.cpu': amount(requests.cpu),
    'requests.memory': amount(requests.memory),
    'limits.cpu': amount(limits.cpu),
    'limits.memory': amount(limits.memory),
    disk: amount(ephemeralStorage),
  };
}

/** How many pods of one container fit in a size; by default, one that asks for nothing. */
function fitting(size: SizeName, container: Container = sizeRow(size).container): number {
  const one = amounts({ pods: 1, ...container });
  return Math.min(...Object.entries(amounts(sizeRow(size))).map(([what, most]) => Math.floor(most / one[what]!)));
}

/** An agent's, as it is when nobody has set it otherwise. */
const SETTINGS = usableSettings({});
const AGENT: Container = {
  requests: { cpu: SETTINGS.CODEXK8S_AGENT_CPU_REQUEST!, memory: SETTINGS.CODEXK8S_AGENT_MEMORY_REQUEST! },
  limits: { cpu: SETTINGS.CODEXK8S_AGENT_CPU!, memory: SETTINGS.CODEXK8S_AGENT_MEMORY! },
  ephemeralStorage: SETTINGS.CODEXK8S_AGENT_DISK!,
};

const NAMES = SIZES.map(({ size }) => size);
const STEPS = NAMES.slice(1).map((larger, index) => ({ smaller: NAMES[index]!, larger }));

describe('a run', () => {
  test.each(['work', 'revise'] as const)('that is to %s says its stage', (kind) => {
    expect(useOf({ stage: 'qa', kind }, LEASE)).toMatchObject({ role: 'qa', mode: 'full-env', stage: 'qa' });
  });

  test.each(['review', 'discussion'] as const)('that only reads, for a %s, says none', (kind) => {
    expect(useOf({ stage: 'qa', kind }, LEASE)).not.toHaveProperty('stage');
  });
});

describe('the sizes', () => {
  test('are in order', () => {
    expect(NAMES).toEqual(['checkout', 'reading', 'working', 'testing']);
  });

  test.each(STEPS)('$larger has no less of anything than $smaller', ({ smaller, larger }) => {
    const [less, more] = [amounts(sizeRow(smaller)), amounts(sizeRow(larger))];
    expect(Object.keys(more).filter((what) => more[what]! < less[what]!)).toEqual([]);
  });

  test.each(STEPS)('$larger lets no fewer objects and volumes be than $smaller', ({ smaller, larger }) => {
    const [less, more] = [sizeRow(smaller), sizeRow(larger)];
    expect(amount(more.volumes)).toBeGreaterThanOrEqual(amount(less.volumes));
    for (const [kind, most] of Object.entries(less.objects))
      expect([kind, Object.entries(more.objects).find(([other]) => other === kind)?.[1]]).toEqual([
        kind,
        expect.toSatisfy((count: number) => count >= most),
      ]);
  });

  test.each(NAMES)('%s lets as many pods lie there as may work, and Jobs for them', (size) => {
    const { pods, objects } = sizeRow(size);
    expect(objects.pods).toBeGreaterThan(pods);
    expect(objects['jobs.batch']).toBeGreaterThan(pods);
  });

  test.each(STEPS)('$larger has room for the containers that stand in $smaller', ({ smaller, larger }) => {
    expect(fitting(larger)).toBeGreaterThanOrEqual(fitting(smaller));
  });

  test.each(NAMES)('%s has room for an agent’s pod and the one that follows it', (size) => {
    expect(fitting(size, AGENT)).toBeGreaterThanOrEqual(2);
  });

  test.each(NAMES)('%s asks for no more than it limits', (size) => {
    const { requests, limits } = sizeRow(size).container;
    expect(amount(requests.cpu)).toBeLessThanOrEqual(amount(limits.cpu));
    expect(amount(requests.memory)).toBeLessThanOrEqual(amount(limits.memory));
  });
});

describe('the size that is asked for', () => {
  const staged = (mode: 'code-only' | 'full-env') => STAGES.filter((row) => row.mode === mode);

  test.each(staged('code-only'))('by $stage, which has the code only, is a checkout', ({ stage }) => {
    expect(asked(stage)).toBe('checkout');
  });

  test.each(staged('full-env'))('by $stage, which has a whole workspace, is more than a checkout', ({ stage }) => {
    expect(asked(stage)).not.toBe('checkout');
  });

  test.each(['arch', 'design', 'plan', 'rethink'] as const)('by %s is for reading', (stage) => {
    expect(asked(stage)).toBe('reading');
  });

  test.each(['dev', 'doc-audit', 'release', 'postdeploy', 'ops'] as const)('by %s is for working', (stage) => {
    expect(asked(stage)).toBe('working');
  });

  test('by qa is for testing', () => {
    expect(asked('qa')).toBe('testing');
  });

  test.each(STAGES.filter(({ stage }) => asked(stage) === 'reading'))('by $stage is small: no pods are made', (row) => {
    const rules = permissionsOf(roleOf({ stage: row.stage, kind: 'work' }), 'full-env');
    expect(rules.filter(({ verbs }) => verbs.includes('create'))).toEqual([]);
  });

  test('by a revise is that of the work', () => {
    expect(asked('qa', 'revise')).toBe('testing');
  });

  test.each(['review', 'discussion'] as const)('by a %s is a checkout, whatever the stage', (kind) => {
    expect(asked('qa', kind)).toBe('checkout');
  });

  test('with the code only is a checkout, whatever the stage', () => {
    expect(sizeOf({ mode: 'code-only', stage: 'qa' })).toBe('checkout');
  });

  test('without a stage is that of dev', () => {
    expect(sizeOf({ mode: 'full-env' })).toBe('working');
  });
});

describe('the size of a workspace that is there', () => {
  test('grows with what is asked for', () => {
    expect(largerSize('reading', 'testing')).toBe('testing');
  });

  test('does not shrink', () => {
    expect(largerSize('testing', 'checkout')).toBe('testing');
  });

  test('stays when the same is asked for', () => {
    expect(largerSize('working', 'working')).toBe('working');
  });

  test.each([undefined, '', 'huge'])('counts for nothing when it is %j', (found) => {
    expect(largerSize(found, 'reading')).toBe('reading');
  });
});
