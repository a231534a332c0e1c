/** One run, from its delivery to its end, as everybody concerned saw it. */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { issueKey } from '../../src/domain/issue/facts.ts';
import { placesOf } from '../../test/e2e/support/agents.ts';
import type { BoundRepository, Scene } from '../../test/e2e/support/scene.ts';
import { eventually } from '../../test/support/stack.ts';
import { runWorkflowId } from '../../workflows/messages.ts';
import { readHistory } from '../histories.ts';
import { readBeginning } from './bare.ts';
import { deliver, labeledIssue } from './deliveries.ts';
import { stepsBefore, timelineOf, type Steps, type Timeline } from './timeline.ts';
import type { Witness } from './witness.ts';

export interface Measured {
  readonly timeline: Timeline;
  /** Temporal's steps before the launch. */
  readonly steps: Steps;
  /** From the delivery until the run's row said `succeeded`, less the life of the agent's process, in ms. */
  readonly ownUntilRow: number;
  /** The same until GitHub told that the status comment was written for the last time. */
  readonly ownUntilComment: number;
  /** The life of the agent's process, in ms. */
  readonly agent: number;
}

export interface Place {
  readonly scene: Scene;
  readonly repository: BoundRepository;
  readonly witness: Witness;
  readonly client: Client;
}

/** The machine is left alone for so long before a delivery arrives. */
const QUIET_MS = 400;

/** Runs one issue from its label to its pull request. */
export async function measureRun({ scene, repository, witness, client }: Place): Promise<Measured> {
  const { number, body } = await labeledIssue(scene, repository.name, 'run:dev');
  await sleep(QUIET_MS);
  const delivered = await deliver(scene, 'issues', body);
  const succeededAt = await witness.succeeded(delivered.runId);
  await client.workflow.getHandle(runWorkflowId(delivered.runId)).result();
  const run = await scene.ended(repository.name, number);
  await sleep(QUIET_MS);

  const [place] = placesOf(scene.stack.directory, run.workspace ?? '', run.id);
  if (!place) throw new Error(`run ${run.id} had no agent`);
  const beginning = readBeginning(place.directory);
  const exit = join(place.directory, 'exit.json');
  await eventually('the end of the agent', () => existsSync(exit));
  const agent = statSync(exit).mtimeMs - beginning.begun;
  const [ofIssue, ofRun] = await Promise.all([
    readHistory(client, issueKey({ repositoryId: repository.id, number })),
    readHistory(client, runWorkflowId(run.id)),
  ]);
  const since = (at: number): number => at - delivered.arrivedAt - agent;
  const commentAt = witness.lastComment(run.id);
  if (commentAt === undefined) throw new Error(`run ${run.id} has no comment`);
  return {
    timeline: timelineOf(delivered, ofIssue, ofRun, beginning),
    steps: stepsBefore(beginning.begun, ofIssue, ofRun),
    ownUntilRow: since(succeededAt),
    ownUntilComment: since(commentAt),
    agent,
  };
}
