/** The workflows' code as the worker runs it: bundled at the start, or once when an image is made. */
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, type Logger, type WorkflowBundleOption } from '@temporalio/worker';
import { dataConverter } from './data-converter.ts';

/** Bundles the workflows of this source. */
export async function bundleWorkflows(logger: Logger): Promise<{ readonly code: string }> {
  return bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('../../workflows/index.ts', import.meta.url)),
    ...dataConverter,
    logger,
  });
}

/** The bundle that a file holds; without a file, one that is made now. */
export async function workflowCode(file: string | undefined, logger: Logger): Promise<WorkflowBundleOption> {
  return file === undefined ? bundleWorkflows(logger) : { codePath: file };
}
