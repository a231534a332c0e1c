/**
 * A history as the JSON that Temporal's own tools read and write. The SDK makes it in a module that it uses itself and does not
 * promise to keep; its version is pinned, and test/temporal/history-json.test.ts fails when another one has no such module.
 */
export { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
