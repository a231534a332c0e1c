/** Whole runs without incidents, one after the other: what each leaves in Temporal. */
import type { Client } from '@temporalio/client';
import { issueKey } from '../../src/domain/issue/facts.ts';
import { OWNER } from '../../src/embedded/accounts.ts';
import type { RunView } from '../../ingress/api/views.ts';
import type { BoundRepository, Scene } from '../../test/e2e/support/scene.ts';
import { eventually } from '../../test/support/stack.ts';
import { runWorkflowId } from '../../workflows/messages.ts';
import { readHistory, type HistoryEvent } from '../histories.ts';
import { deliver, labeledIssue } from '../start/deliveries.ts';
import { costOf, type Cost } from './actions.ts';
import { writeReviews } from './reviews.ts';

export interface WholeRuns {
  /** From the label to the wait for a review. */
  readonly work: Cost;
  /** From the review to the wait for the next. */
  readonly revise: Cost;
}

/** Counts the events of an issue's and its runs' histories. Throws unless both runs succeed. */
export async function countWholeRuns(scene: Scene, repository: BoundRepository, client: Client): Promise<WholeRuns> {
  const { number, body } = await labeledIssue(scene, repository.name, 'run:dev');
  const key = issueKey({ repositoryId: repository.id, number });
  await deliver(scene, 'issues', body);
  const first = await succeeded(scene, repository, number, 0);
  const afterWork = await atRest(client, key);
  const pullRequest = { number: first.pullRequest ?? 0, url: first.pullRequestUrl ?? '' };
  const issue = { repositoryId: repository.id, owner: OWNER, name: repository.name, number, title: '', url: '' };
  const [review = ''] = await writeReviews(scene, [{ ...issue, pullRequest }]);
  await deliver(scene, 'pull_request_review', review);
  const second = await succeeded(scene, repository, number, 1);
  const afterRevise = await atRest(client, key);
  return {
    work: costOf(await wholeHistory(client, runWorkflowId(first.id)), afterWork),
    revise: costOf(await wholeHistory(client, runWorkflowId(second.id)), afterRevise.slice(afterWork.length)),
  };
}

async function succeeded(scene: Scene, { name }: BoundRepository, issue: number, place: number): Promise<RunView> {
  const run = await scene.ended(name, issue, place);
  if (run.status !== 'succeeded') throw new Error(`run ${run.id} is ${run.status}: ${run.detail}`);
  return run;
}

/** The history of a workflow, when it has ended: a run that is told to be over still has its last words to write. */
async function wholeHistory(client: Client, workflowId: string): Promise<HistoryEvent[]> {
  await client.workflow.getHandle(workflowId).result();
  return readHistory(client, workflowId);
}

/** The history of a workflow that has nothing to do: its last event is the timer that it waits with. */
async function atRest(client: Client, workflowId: string): Promise<HistoryEvent[]> {
  return eventually(`${workflowId} comes to rest`, async () => {
    const history = await readHistory(client, workflowId);
    return history.at(-1)?.type === 'timerStarted' && history;
  });
}
