/** What the worker bundles. */
export { issueWorkflow } from './issue.ts';
export { runWorkflow } from './run.ts';
