import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  acquire,
  grant,
  IDLE,
  release,
  queuePosition,
  RUN_LIMITS,
  type PermitState,
  type RunLimits,
} from '../../../src/domain/run/permits.ts';
import { ROLES, type Role } from '../../../src/domain/stages/stages.ts';

/** `<project> <role> <run>` asks; `-<run>` leaves. */
type Step = string;

interface Played {
  readonly state: PermitState;
  /** In the order in which they were granted. */
  readonly granted: readonly string[];
}

function play(steps: readonly Step[], limits: RunLimits = RUN_LIMITS): Played {
  let state = IDLE;
  const granted: string[] = [];
  for (const [index, step] of steps.entries()) {
    const [project = '', role = '', runId = ''] = step.split(' ');
    const at = new Date(index * 1000).toISOString();
    const change = step.startsWith('-')
      ? release(state, step.slice(1), limits)
      : acquire(state, { runId, project, role: role as Role, at }, limits);
    ({ state } = change);
    granted.push(...change.granted);
  }
  return { state, granted };
}

function limits({
  roles,
  ...given
}: Partial<Omit<RunLimits, 'roles'>> & { roles?: Partial<RunLimits['roles']> }): RunLimits {
  return { ...RUN_LIMITS, ...given, roles: { ...RUN_LIMITS.roles, ...roles } };
}

const PAIR = limits({ installation: 2 });

describe('who is granted a permit', () => {
  test.each<[string, Step[], string[], RunLimits?]>([
    ['a run that asks while nothing is full has its permit', ['a dev 1'], ['1']],
    ['two developers work at once in a project, a third waits', ['a dev 1', 'a dev 2', 'a dev 3'], ['1', '2']],
    ['one product manager works in a project, a second waits', ['a pm 1', 'a pm 2'], ['1']],
    ['who leaves makes room', ['a dev 1', 'a dev 2', 'a dev 3', '-1'], ['1', '2', '3']],
    ['within a project it is first come first served', ['a pm 1', 'a pm 2', 'a pm 3', '-1', '-2'], ['1', '2', '3']],
    ['a role that is full does not hold up another', ['a pm 1', 'a pm 2', 'a dev 3'], ['1', '3']],
    ['a project that is full does not hold up another', ['a pm 1', 'a pm 2', 'b pm 3'], ['1', '3']],
    [
      'a project is full with all its roles together',
      ['a dev 1', 'a qa 2', 'a pm 3', 'b pm 4'],
      ['1', '2', '4'],
      limits({ project: 2 }),
    ],
    ['an installation is full with all its projects together', ['a dev 1', 'b dev 2', 'c dev 3'], ['1', '2'], PAIR],
    [
      'the next turn is for the project that has the fewest at work, though others wait longer',
      ['a dev 1', 'b dev 2', 'a dev 3', 'c dev 4', '-2'],
      ['1', '2', '4'],
      PAIR,
    ],
    [
      'of projects with equally many the one is next whose last turn is longest ago',
      ['a dev 1', 'b dev 2', 'a dev 3', 'a dev 4', 'c dev 5', 'b dev 6', '-1', '-2', '-5', '-3'],
      ['1', '2', '5', '3', '6', '4'],
      PAIR,
    ],
    [
      'of projects that had no turn yet the one is next that waits longest',
      ['a dev 1', 'a dev 2', 'c dev 3', 'b dev 4', '-1', '-2'],
      ['1', '2', '3', '4'],
      PAIR,
    ],
    ['one who asks twice has one turn', ['a dev 1', 'a dev 1', 'a dev 2', 'a dev 3'], ['1', '2']],
    ['one who asks twice while he waits waits once', ['a pm 1', 'a pm 2', 'a pm 2', '-1', '-2'], ['1', '2']],
    ['one who leaves twice makes room once', ['a pm 1', 'a pm 2', 'a pm 3', '-1', '-1'], ['1', '2']],
    ['one who never asked leaves nothing', ['-9', 'a pm 1', '-9', 'a pm 2'], ['1']],
    ['one who leaves the queue is not called any more', ['a pm 1', 'a pm 2', 'a pm 3', '-2', '-1'], ['1', '3']],
  ])('%s', (_, steps, granted, given) => {
    expect(play(steps, given).granted).toEqual(granted);
  });

  test('higher limits grant permits at once, lower ones take none away', () => {
    const { state } = play(['a pm 1', 'a pm 2', 'a pm 3']);
    expect(grant(state, limits({ roles: { pm: 2 } })).granted).toEqual(['2']);
    const { state: full } = play(['a dev 1', 'a dev 2']);
    expect(grant(full, limits({ roles: { dev: 1 } }))).toEqual({ state: full, granted: [] });
  });
});

describe('the position in the queue', () => {
  test.each<[string, Step[], string, number | null]>([
    ['is counted from 1', ['a pm 1', 'a pm 2', 'a pm 3'], '2', 1],
    ['goes on with those who asked later', ['a pm 1', 'a pm 2', 'a pm 3'], '3', 2],
    ['moves up when somebody before leaves', ['a pm 1', 'a pm 2', 'a pm 3', '-2'], '3', 1],
    ['is that in the own project', ['a pm 1', 'a pm 2', 'b pm 3', 'b pm 4'], '4', 1],
    ['is none for one at work', ['a pm 1'], '1', null],
    ['is none for a stranger', ['a pm 1', 'a pm 2'], '9', null],
  ])('%s', (_, steps, runId, expected) => {
    expect(queuePosition(play(steps).state, runId)).toBe(expected);
  });
});

describe('whatever comes in whatever order', () => {
  const LIMITS = limits({ installation: 5, project: 3 });
  const anyRun = fc.record({
    project: fc.constantFrom('a', 'b', 'c'),
    role: fc.constantFrom<Role>(...ROLES.map(({ role }) => role)),
  });
  /** Runs that ask one after the other, and who leaves before each of them: the one that many places before. */
  const anyLoad = fc.array(fc.tuple(anyRun, fc.option(fc.nat(20))), { maxLength: 60 });

  function within({ holders }: PermitState): boolean {
    const count = (keep: (run: (typeof holders)[number]) => boolean): number => holders.filter(keep).length;
    return (
      holders.length <= LIMITS.installation &&
      holders.every(
        (run) =>
          count(({ project }) => project === run.project) <= LIMITS.project &&
          count(({ project, role }) => project === run.project && role === run.role) <= LIMITS.roles[run.role],
      )
    );
  }

  test('no limit is passed, nobody waits for nothing, and everybody has one turn when all leave', () => {
    fc.assert(
      fc.property(anyLoad, (load) => {
        let state = IDLE;
        const granted: string[] = [];
        const left = new Set<string>();
        const apply = (change: ReturnType<typeof acquire>): void => {
          ({ state } = change);
          granted.push(...change.granted);
          expect(within(state)).toBe(true);
          // Whoever could have a turn has it already.
          expect(grant(state, LIMITS).granted).toEqual([]);
        };
        for (const [index, [run, back]] of load.entries()) {
          if (back !== null && index > back) {
            left.add(`${index - back}`);
            apply(release(state, `${index - back}`, LIMITS));
          }
          apply(acquire(state, { ...run, runId: `${index + 1}`, at: new Date(index).toISOString() }, LIMITS));
          expect(JSON.parse(JSON.stringify(state))).toEqual(state);
        }
        while (state.holders[0]) apply(release(state, state.holders[0].runId, LIMITS));
        expect(state).toEqual(IDLE);
        expect(new Set(granted).size).toBe(granted.length);
        const asked = load.map((_, index) => `${index + 1}`);
        expect(asked.filter((runId) => !granted.includes(runId) && !left.has(runId))).toEqual([]);
      }),
    );
  });

  test('however long the queues of others are, a project waits for one run of each of them at most', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 6 }), fc.integer({ min: 1, max: 4 }), (greedy, installation) => {
        const few = limits({ installation, project: 99, roles: { dev: 99 } });
        let { state } = play(
          Array.from({ length: greedy * 20 }, (_, index) => `g${index % greedy} dev ${index}`),
          few,
        );
        ({ state } = acquire(state, { runId: 'modest', project: 'm', role: 'dev', at: '' }, few));
        let grants = 0;
        while (queuePosition(state, 'modest') !== null) {
          grants += 1;
          ({ state } = release(state, state.holders[0]?.runId ?? '', few));
        }
        expect(grants).toBeLessThanOrEqual(greedy);
      }),
    );
  });

  test('a run of a role is not passed by another of its role', () => {
    fc.assert(
      fc.property(fc.array(anyRun, { maxLength: 40 }), (runs) => {
        const { state, granted } = play(
          runs.map(({ project, role }, index) => `${project} ${role} ${index}`),
          LIMITS,
        );
        const order = [...granted];
        let now = state;
        while (now.holders[0]) {
          const change = release(now, now.holders[0].runId, LIMITS);
          now = change.state;
          order.push(...change.granted);
        }
        for (const project of ['a', 'b', 'c'])
          for (const { role } of ROLES) {
            const of = order.map(Number).filter((run) => runs[run]?.project === project && runs[run]?.role === role);
            expect(of).toEqual(of.toSorted((one, other) => one - other));
          }
      }),
    );
  });
});
