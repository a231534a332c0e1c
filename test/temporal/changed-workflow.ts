/** A workflow that does other things than its recorded history, for watched-worker.test.ts. */
import { sleep } from '@temporalio/workflow';

export async function runWorkflow(): Promise<void> {
  await sleep(1);
}
