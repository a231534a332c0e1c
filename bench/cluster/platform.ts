/** Runs of the platform whose agents only record their start, and fail. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import pLimit from 'p-limit';
import { issueKey } from '../../src/domain/issue/facts.ts';
import type { BoundRepository, Scene } from '../../test/e2e/support/scene.ts';
import { eventually } from '../../test/support/stack.ts';
import { runWorkflowId } from '../../workflows/messages.ts';
import { readHistory } from '../histories.ts';
import { deliver, labeledIssue, type Delivered } from '../start/deliveries.ts';
import type { Sightings } from './sightings.ts';
import { timeInLog, timelineOf, type Timeline } from './timeline.ts';

export interface Place {
  readonly scene: Scene;
  readonly repository: BoundRepository;
  readonly sightings: Sightings;
  readonly client: Client;
}

/** The machine is left alone for so long before a delivery arrives. */
const QUIET_MS = 400;

/** Looks at the database, not at the platform: seldom, so that looking costs nothing. */
const LOOK_MS = 250;
const LIMIT_MS = 180_000;
/** Issues that are opened and labeled at once, before anything is measured. */
const LABELED_AT_ONCE = 4;

/** Runs one issue from its label to the end of its agent. */
export async function measureRun(place: Place): Promise<Timeline> {
  const { number, body } = await labeledIssue(place.scene, place.repository.name, 'run:dev');
  await sleep(QUIET_MS);
  const delivered = await deliver(place.scene, 'issues', body);
  const timeline = await timelineOfRun(place, number, delivered);
  await sleep(QUIET_MS);
  return timeline;
}

/** Runs many issues whose deliveries arrive at once; all times are since the first of them. */
export async function measureAtOnce(place: Place, count: number): Promise<Timeline[]> {
  const { scene, repository } = place;
  const issues = await pLimit(LABELED_AT_ONCE).map(Array.from({ length: count }), async () =>
    labeledIssue(scene, repository.name, 'run:dev'),
  );
  await sleep(2 * QUIET_MS);
  const all = await Promise.all(
    issues.map(async ({ number, body }) => ({ number, delivered: await deliver(scene, 'issues', body) })),
  );
  const since = Math.min(...all.map(({ delivered }) => delivered.arrivedAt));
  const timelines = await Promise.all(
    all.map(async ({ number, delivered }) => timelineOfRun(place, number, delivered, since)),
  );
  await sleep(2 * QUIET_MS);
  return timelines;
}

async function timelineOfRun(
  { scene, repository, sightings, client }: Place,
  number: number,
  delivered: Delivered,
  since?: number,
): Promise<Timeline> {
  const { runId } = delivered;
  await untilOver(scene, runId);
  const log = await scene.sql<{ text: string }[]>`select text from run_log_lines where run_id = ${runId} order by n`;
  const [issue, run] = await Promise.all([
    readHistory(client, issueKey({ repositoryId: repository.id, number })),
    readHistory(client, runWorkflowId(runId)),
  ]);
  await scene.ended(repository.name, number);
  const began = timeInLog(log.map(({ text }) => text).join('\n'));
  return timelineOf(delivered, [issue, run], sightings.of(runId), began, since);
}

async function untilOver({ sql }: Scene, runId: string): Promise<void> {
  await eventually(
    `the end of run ${runId}`,
    async () => {
      await sleep(LOOK_MS);
      const [row] = await sql`select 1 from runs where id::text = ${runId} and finished_at is not null`;
      return row;
    },
    LIMIT_MS,
  );
}
