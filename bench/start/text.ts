/** The results of `npm run bench:start`, for people. */
import { PLATFORM } from '../processes.ts';
import { markdownTable } from '../table.ts';
import type { Spread, Summary } from './summary.ts';
import { PHASES } from './timeline.ts';

/** Limit for the platform's overhead over a bare start: the median on an idle machine, in ms. */
export const ADDED_LIMIT_MS = 500;

export function render(result: Summary & { readonly date: string; readonly load: number }, machine: string): string {
  const { platform, bare, added, cold, parts, steps } = result;
  const met = added.p50 <= ADDED_LIMIT_MS;
  const ms = (value: number): string => value.toFixed(0);
  const row = (name: string, { p50, p95 }: Spread, first: number | null): string[] => [
    name,
    ms(p50),
    ms(p95),
    first === null ? '—' : ms(first),
  ];
  const times = [
    row('delivery arrives → the agent’s first instruction', platform, cold.platform),
    row('the same process spawned bare', bare, null),
    row('what the platform adds', added, cold.platform - bare.p50),
    row('the platform’s own time until the run’s row is `succeeded`', result.ownUntilRow, cold.ownUntilRow),
    row('the platform’s own time until the last status comment', result.ownUntilComment, cold.ownUntilComment),
  ];
  return [
    '# Starting an agent',
    `${result.date.slice(0, 10)}. ${machine} Load of the machine before: ${result.load.toFixed(1)}.`,
    `${result.rounds} rounds of ${result.runs} runs, one after the other, on a whole \`up\` with a no-op agent; each number is that of its worst round. All times in ms.`,
    markdownTable(['', 'p50', 'p95', 'first run after `up`'], times),
    `**Limit: p50 at most ${ADDED_LIMIT_MS} ms more than bare. ${met ? 'Met' : 'Missed'}: ${ms(added.p50)} ms, ${(platform.p50 / bare.p50).toFixed(1)} times a bare start.**`,
    '## Where the time goes',
    `Medians of each part. On the way lie ${steps.workflowTasks} workflow tasks and ${steps.activities} activities.`,
    markdownTable(
      ['part', 'ms', 'first run'],
      PHASES.map(([name, what]) => [what, parts[name].toFixed(1), cold.parts[name].toFixed(1)]),
    ),
    '## What a run costs',
    `Processor time of a whole run in ms, without the agent: ${PLATFORM.map((name) => `${name} ${ms(result.cpu[name])}`).join(', ')}; together ${ms(PLATFORM.reduce((sum, name) => sum + result.cpu[name], 0))}.`,
  ].join('\n\n');
}
