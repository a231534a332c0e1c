/** What the worker bundles. */
export { capacityWorkflow } from './capacity.ts';
export { issueWorkflow } from './issue.ts';
export { runWorkflow } from './run.ts';
export { environmentSweep, reconcileSweep, redeliverySweep } from './sweeps.ts';
