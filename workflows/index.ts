/** What the worker bundles. */
export { issueWorkflow } from './issue.ts';
export { runWorkflow } from './run.ts';
export { environmentSweep, reconcileSweep, redeliverySweep } from './sweeps.ts';
