/**
 * Times and durations of Temporal's API, which are protobuf messages, as milliseconds and dates. The SDK converts them in a
 * module that it uses itself and does not promise to keep; its version is pinned, and test/temporal/times.test.ts fails when
 * another one has no such module.
 */
export { msToTs, optionalTsToDate, optionalTsToMs } from '@temporalio/common/lib/time.js';
