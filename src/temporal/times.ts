/**
 * Converts protobuf times and durations of Temporal's API to milliseconds and dates. The SDK does so in an undocumented
 * module; its version is pinned, and test/temporal/times.test.ts fails if another version lacks the module.
 */
export { msToTs, optionalTsToDate, optionalTsToMs } from '@temporalio/common/lib/time.js';
