/** The workflows that the worker bundles. */
export { permitsWorkflow } from './concurrency/workflow.ts';
export { issueWorkflow } from './issue/workflow.ts';
export { runWorkflow } from './run/workflow.ts';
export { workspaceSweep, reconcileSweep, redeliverySweep, retentionSweep } from './maintenance/workflows.ts';
