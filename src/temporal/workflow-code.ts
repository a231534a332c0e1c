/** The bundle of workflow code: made at the worker's start, or once in the image's build. */
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, type Logger, type WorkflowBundleOption } from '@temporalio/worker';
import { dataConverter } from './data-converter.ts';

/** Bundles workflows/index.ts. */
export async function bundleWorkflows(logger: Logger): Promise<{ readonly code: string }> {
  return bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('../../workflows/index.ts', import.meta.url)),
    ...dataConverter,
    logger,
  });
}

/** The bundle in `file`; without a file, a new one. */
export async function workflowCode(file: string | undefined, logger: Logger): Promise<WorkflowBundleOption> {
  return file === undefined ? bundleWorkflows(logger) : { codePath: file };
}
