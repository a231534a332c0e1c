/** The results of `npm run bench:issues`, for people. */
import type { Machine } from '../machine.ts';
import type { Audited } from './audit.ts';
import { markdownTable, type Row } from '../table.ts';
import { PLATFORM, type PlatformProcess } from '../processes.ts';
import type { TakenUp } from './reviews.ts';
import type { WholeRuns } from './whole-runs.ts';

export interface Result {
  readonly date: string;
  readonly machine: Machine;
  readonly load: number;
  readonly issues: number;
  readonly wholeRuns: WholeRuns;
  /** Workflows that the worker keeps in memory. */
  readonly cached: number;
  /** The worker's memory in MiB, by the number of issues that wait. */
  readonly memory: readonly { readonly issues: number; readonly mib: number }[];
  /** Percent of one core. */
  readonly idle: Readonly<Record<PlatformProcess, number>>;
  readonly taken: TakenUp;
  readonly audited: Audited;
}

/** Events that the history of a run without incidents may have. What the issue's history has of it is shown beside. */
const EVENTS_LIMIT = 60;
/** Percent of one core that worker, server and Temporal may use while nothing happens. */
const IDLE_LIMIT_PERCENT = 1;
/** Percent by which the worker's memory may grow with issues that are more than it keeps in memory. */
const GROWTH_LIMIT_PERCENT = 10;

export function render(result: Result, machine: string): string {
  const { wholeRuns, memory, idle, taken, audited, issues, cached } = result;
  const events = Math.max(wholeRuns.work.events, wholeRuns.revise.events);
  const busy = idle.server + idle.worker + idle.temporal;
  const verdict = (met: boolean): string => (met ? 'met' : 'missed');
  const full = memory.find(({ issues: waiting }) => waiting >= cached);
  const growth = full && ((memory.at(-1)?.mib ?? 0) / full.mib - 1) * 100;
  const limited: Row[] = [
    ['events of a run’s history', events, `≤ ${EVENTS_LIMIT}`, verdict(events <= EVENTS_LIMIT)],
    [
      'processor while nothing happens, % of a core',
      busy.toFixed(2),
      `≤ ${IDLE_LIMIT_PERCENT}`,
      verdict(busy <= IDLE_LIMIT_PERCENT),
    ],
    ...(growth === undefined
      ? []
      : [
          [
            `worker’s memory from ${cached} to ${issues} waiting issues, %`,
            growth.toFixed(1),
            `≤ ${GROWTH_LIMIT_PERCENT}`,
            verdict(growth <= GROWTH_LIMIT_PERCENT),
          ],
        ]),
    ['reviews lost or taken up twice', taken.wrong.length, '≤ 0', verdict(taken.wrong.length === 0)],
  ];
  return [
    '# Issues that wait',
    `${result.date.slice(0, 10)}. ${machine} Load of the machine before: ${result.load.toFixed(1)}.`,
    markdownTable(['', 'measured', 'limit', 'verdict'], limited),
    '## Runs',
    markdownTable(
      ['a run without incidents', 'events of its history', 'events of the issue’s history', 'actions of both'],
      [
        ['that a label asked for', wholeRuns.work.events, wholeRuns.work.share, wholeRuns.work.actions],
        ['that a review asked for', wholeRuns.revise.events, wholeRuns.revise.share, wholeRuns.revise.actions],
      ],
    ),
    '## Rest',
    'While all of them wait. The sweeps, which look every few minutes for what webhooks have missed, are not in it.',
    markdownTable(
      ['process', '% of a core'],
      PLATFORM.map((name) => [name, idle[name].toFixed(2)]),
    ),
    `The worker keeps ${cached} workflows in memory; its memory is measured when its garbage was collected and it has come to rest.`,
    markdownTable(
      ['issues that wait', 'worker’s memory, MiB'],
      memory.map(({ issues: waiting, mib }) => [waiting, mib.toFixed(0)]),
    ),
    `## ${taken.reviews} reviews at once`,
    'The issues were put into the state that a run leaves behind, by starting their workflows with it, as continue-as-new does; twenty share one pull request of the stand-in. Their agents fail as soon as they have begun.',
    markdownTable(
      ['from the first delivery until', 's'],
      [
        ['all are answered', taken.answered.toFixed(1)],
        ['all their runs are there', taken.rows?.toFixed(1) ?? 'never'],
        ['all their runs are over', taken.ended?.toFixed(1) ?? 'never'],
      ],
    ),
    `Processor time for one review in ms, without the agent: ${PLATFORM.map((name) => `${name} ${taken.cpu[name].toFixed(0)}`).join(', ')}; together ${PLATFORM.reduce((sum, name) => sum + taken.cpu[name], 0).toFixed(0)}.`,
    '## The audit trail of it',
    `${audited.events} events of the audit trail, from ${audited.executions} executions of workflows. The histories are read first, when Temporal may have to fetch them from its disk. The commands run in processes of their own, which start, read the same histories and compare them with the tables.`,
    markdownTable(
      ['', 's', 'times as long'],
      [
        ['only reading the histories', audited.bare.toFixed(1), '1.0'],
        ['`audit verify`', audited.verify.toFixed(1), (audited.verify / audited.bare).toFixed(1)],
        ['`read-model rebuild`', audited.rebuild.toFixed(1), (audited.rebuild / audited.bare).toFixed(1)],
      ],
    ),
    ...taken.wrong,
    ...audited.wrong,
  ].join('\n\n');
}
