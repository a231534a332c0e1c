/** The results of `npm run bench:cluster`, for people. */
import { markdownTable } from '../table.ts';
import type { Summary } from './summary.ts';
import { PHASES } from './timeline.ts';

/** Limit for the platform's overhead over a bare Job: the median on an idle machine, in ms. */
const ADDED_LIMIT_MS = 1000;

export interface Result extends Summary {
  readonly date: string;
  /** Of the machine, before. */
  readonly load: number;
  readonly runs: number;
  readonly rounds: readonly { readonly load: number }[];
  readonly atOnce: number;
  /** Why Kubernetes was not content on the way, and how often. */
  readonly warnings: Readonly<Record<string, number>>;
}

export function render(result: Result, machine: string): string {
  const { platform, bare, added, ratio, cold, parts, bareParts, platformAtOnce, bareAtOnce, atOnce } = result;
  const ms = (value: number | null | undefined): string =>
    value === null || value === undefined ? '—' : value.toFixed(0);
  const times = (value: number): string => value.toFixed(1);
  const part = (value: number | undefined): string => value?.toFixed(1) ?? '—';
  const loads = result.rounds.map(({ load }) => load.toFixed(1)).join(', ');
  const { warnings } = result;
  return [
    '# Starting an agent on Kubernetes',
    `${result.date.slice(0, 10)}. ${machine} Load of the machine before: ${result.load.toFixed(1)}; after each round: ${loads}.`,
    `${result.rounds.length} rounds of ${result.runs} runs and as many bare Jobs, in turn, on a whole \`up\` and a local cluster of one node; each number is that of its worst round. All times in ms.`,
    markdownTable(
      ['', 'p50', 'p95', 'first after `up`'],
      [
        [
          'delivery arrives → first instruction of the agent’s container',
          ms(platform.p50),
          ms(platform.p95),
          ms(cold.platform),
        ],
        ['the same Job created bare, in a namespace that is ready', ms(bare.p50), ms(bare.p95), ms(cold.bare)],
        ['what the platform adds', ms(added.p50), ms(added.p95), ms(cold.platform - cold.bare)],
        ['times a bare Job', times(ratio.p50), times(ratio.p95), times(cold.platform / cold.bare)],
      ],
    ),
    `**Limit: p50 at most ${ADDED_LIMIT_MS} ms more than bare. ${added.p50 <= ADDED_LIMIT_MS ? 'Met' : 'Missed'}: ${ms(added.p50)} ms, ${times(ratio.p50)} times a bare Job.**`,
    ...(platformAtOnce && bareAtOnce
      ? [
          `## ${atOnce} issues at once`,
          `Beside ${atOnce} bare Jobs at once; of the round in which the platform took longest.`,
          markdownTable(
            ['', 'platform', 'bare', 'times'],
            [
              ...(
                [
                  ['the first agent’s first instruction', 'first'],
                  ['that of half of them', 'half'],
                  ['that of all', 'all'],
                ] as const
              ).map(([what, which]) => [
                what,
                ms(platformAtOnce[which]),
                ms(bareAtOnce[which]),
                times(platformAtOnce[which] / bareAtOnce[which]),
              ]),
              ['all namespaces and objects are there', ms(platformAtOnce.objects), '—', '—'],
            ],
          ),
        ]
      : []),
    '## Where the time goes',
    'Medians of each part, for one run at a time.',
    markdownTable(
      ['part', 'ms', 'bare', 'first run'],
      PHASES.map(([name, what]) => [what, part(parts[name]), part(bareParts[name]), part(cold.parts[name])]),
    ),
    Object.keys(warnings).length === 0
      ? 'Kubernetes gave no warnings.'
      : `Kubernetes’ warnings in the namespaces of runs: ${Object.entries(warnings)
          .map(([reason, count]) => `${reason} ${count}`)
          .join(', ')}.`,
  ].join('\n\n');
}
