/** The numbers of the start benchmark; all times in ms. */
import { quantile } from '../quantiles.ts';
import { PLATFORM, type PlatformProcess } from '../processes.ts';
import type { Measured } from './measure.ts';
import { partsOf, PHASES, type Moment, type Steps } from './timeline.ts';

/** Runs one after the other, and as many bare starts between them. */
export interface Round {
  readonly measured: readonly Measured[];
  readonly bare: readonly number[];
  /** The platform's processor time per run in ms, without agents and emulators. */
  readonly cpu: Readonly<Record<PlatformProcess, number>>;
}

export interface Spread {
  readonly p50: number;
  readonly p95: number;
}

export interface Summary {
  readonly runs: number;
  readonly rounds: number;
  /** Each from the round in which it was the largest. */
  readonly platform: Spread;
  readonly bare: Spread;
  /** Overhead of the platform over a bare start: the difference of the same quantile of one round. */
  readonly added: Spread;
  readonly ownUntilRow: Spread;
  readonly ownUntilComment: Spread;
  /** Medians over all runs. */
  readonly parts: Readonly<Record<Moment, number>>;
  readonly steps: Steps;
  /** Processor time for one run, in ms: the mean of the round in which it was the largest. */
  readonly cpu: Readonly<Record<PlatformProcess, number>>;
  /** The first run after `up`, which is in no other number. */
  readonly cold: {
    readonly platform: number;
    readonly ownUntilRow: number;
    readonly ownUntilComment: number;
    readonly parts: Readonly<Record<Moment, number>>;
  };
}

export function summarize(rounds: readonly Round[], cold: Measured): Summary {
  const runs = rounds.flatMap(({ measured }) => measured);
  const worst = (of: (round: Round, share: number) => number): Spread => ({
    p50: Math.max(...rounds.map((round) => of(round, 0.5))),
    p95: Math.max(...rounds.map((round) => of(round, 0.95))),
  });
  const start = ({ measured }: Round, share: number): number =>
    quantile(
      measured.map(({ timeline }) => timeline.firstInstruction),
      share,
    );
  const own = (which: 'ownUntilRow' | 'ownUntilComment'): Spread =>
    worst(({ measured }, share) =>
      quantile(
        measured.map((one) => one[which]),
        share,
      ),
    );
  const parts = runs.map(({ timeline }) => partsOf(timeline));
  const median = (values: readonly number[]): number => quantile(values, 0.5);
  return {
    runs: rounds[0]?.measured.length ?? 0,
    rounds: rounds.length,
    platform: worst(start),
    bare: worst(({ bare }, share) => quantile(bare, share)),
    added: worst((round, share) => start(round, share) - quantile(round.bare, share)),
    ownUntilRow: own('ownUntilRow'),
    ownUntilComment: own('ownUntilComment'),
    parts: Object.fromEntries(PHASES.map(([name]) => [name, median(parts.map((part) => part[name]))])) as Record<
      Moment,
      number
    >,
    steps: {
      workflowTasks: median(runs.map(({ steps }) => steps.workflowTasks)),
      activities: median(runs.map(({ steps }) => steps.activities)),
    },
    cpu: mostOf(rounds.map(({ cpu }) => cpu)),
    cold: {
      platform: cold.timeline.firstInstruction,
      ownUntilRow: cold.ownUntilRow,
      ownUntilComment: cold.ownUntilComment,
      parts: partsOf(cold.timeline),
    },
  };
}

function mostOf(rounds: readonly Round['cpu'][]): Round['cpu'] {
  const total = (cpu: Round['cpu']): number => PLATFORM.reduce((sum, name) => sum + cpu[name], 0);
  const [most] = rounds.toSorted((one, other) => total(other) - total(one));
  if (!most) throw new Error('nothing was measured');
  return most;
}
