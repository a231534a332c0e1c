/**
 * Converts a history to the JSON of Temporal's tools. The SDK does so in an undocumented module; its version is pinned, and
 * test/temporal/history-json.test.ts fails if another version lacks the module.
 */
export { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
