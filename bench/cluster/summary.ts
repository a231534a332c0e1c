/** The numbers of the cluster start benchmark; all times in ms. */
import { quantile } from '../quantiles.ts';
import { partsOf, PHASES, type Moment, type Timeline } from './timeline.ts';

/** Runs and bare Jobs in turn, then many of each at once. */
export interface Round {
  readonly platform: readonly Timeline[];
  readonly bare: readonly Timeline[];
  readonly platformAtOnce: readonly Timeline[];
  readonly bareAtOnce: readonly Timeline[];
  /** Of the machine, after the round. */
  readonly load: number;
}

export interface Spread {
  readonly p50: number;
  readonly p95: number;
}

/** Many at once. */
export interface Flood {
  readonly first: number;
  readonly half: number;
  readonly all: number;
  /** Until the last namespace had all its objects; of the platform. */
  readonly objects: number | null;
}

type Parts = Readonly<Partial<Record<Moment, number>>>;

export interface Summary {
  /** Each from the round in which it was the largest. */
  readonly platform: Spread;
  readonly bare: Spread;
  /** Overhead of the platform over a bare Job: the difference of the same quantile of one round. */
  readonly added: Spread;
  /** The platform's times in proportion to those of a bare Job: of the round in which they were the largest. */
  readonly ratio: Spread;
  /** Medians over all runs. */
  readonly parts: Parts;
  readonly bareParts: Parts;
  /** Of the round in which the platform took longest. */
  readonly platformAtOnce: Flood | null;
  readonly bareAtOnce: Flood | null;
  /** The first run after `up`, which is in no other number. */
  readonly cold: { readonly platform: number; readonly bare: number; readonly parts: Parts };
}

export function summarize(rounds: readonly Round[], cold: { platform: Timeline; bare: Timeline }): Summary {
  const worst = (of: (round: Round, share: number) => number): Spread => ({
    p50: Math.max(...rounds.map((round) => of(round, 0.5))),
    p95: Math.max(...rounds.map((round) => of(round, 0.95))),
  });
  const platform = (round: Round, share: number): number => quantile(starts(round.platform), share);
  const bare = (round: Round, share: number): number => quantile(starts(round.bare), share);
  const [slowest] = rounds
    .filter(({ platformAtOnce }) => platformAtOnce.length > 0)
    .toSorted((one, other) => floodOf(other.platformAtOnce).all - floodOf(one.platformAtOnce).all);
  return {
    platform: worst(platform),
    bare: worst(bare),
    added: worst((round, share) => platform(round, share) - bare(round, share)),
    ratio: worst((round, share) => platform(round, share) / bare(round, share)),
    parts: medians(rounds.flatMap((round) => round.platform)),
    bareParts: medians(rounds.flatMap((round) => round.bare)),
    platformAtOnce: slowest ? floodOf(slowest.platformAtOnce) : null,
    bareAtOnce: slowest ? floodOf(slowest.bareAtOnce) : null,
    cold: {
      platform: cold.platform.firstInstruction,
      bare: cold.bare.firstInstruction,
      parts: partsOf(cold.platform),
    },
  };
}

function starts(timelines: readonly Timeline[]): number[] {
  return timelines.map(({ firstInstruction }) => firstInstruction);
}

function floodOf(timelines: readonly Timeline[]): Flood {
  const objects = timelines.flatMap((timeline) => timeline.objects ?? []);
  const began = starts(timelines);
  return {
    first: Math.min(...began),
    half: quantile(began, 0.5),
    all: Math.max(...began),
    objects: objects.length === 0 ? null : Math.max(...objects),
  };
}

function medians(timelines: readonly Timeline[]): Parts {
  const parts = timelines.map(partsOf);
  return Object.fromEntries(
    PHASES.flatMap(([name]) => {
      const values = parts.flatMap((part) => part[name] ?? []);
      return values.length === 0 ? [] : [[name, quantile(values, 0.5)] as const];
    }),
  );
}
