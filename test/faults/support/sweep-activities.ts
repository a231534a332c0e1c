import type { Activities } from '../../../activities/index.ts';

/** The activities that Schedules start; the others are steps in the life of an issue. */
export const SWEEP_ACTIVITIES: readonly (keyof Activities)[] = [
  'listSweptRepositories',
  'redeliverFailed',
  'reconcileRepositories',
  'endLostRuns',
  'findAbandonedIssues',
  'findOrphans',
  'removeOrphans',
  'pruneRecords',
];
