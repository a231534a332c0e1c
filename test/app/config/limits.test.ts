import { expect, test } from 'vitest';
import { HEARTBEATS } from '../../../workflows/heartbeats.ts';
import { PRODUCTION_LIMITS } from '../../../src/app/config/limits.ts';

test('a worker that is dead is known to be within ten seconds, and within twenty while an agent works', () => {
  expect(HEARTBEATS).toEqual({ activity: '10 seconds', agent: '20 seconds' });
});

test('production keeps the times that people are promised', () => {
  expect(PRODUCTION_LIMITS).toEqual({
    // No client holds a connection for more than fifteen seconds by sending little, agents a minute.
    requests: { headersMs: 10_000, requestMs: 300_000, lookMs: 2000, tlsLookMs: 60_000 },
    bodies: { wholeMs: 10_000, idleMs: 60_000 },
    // GitHub is promised an answer within five seconds.
    intakeCommitMs: 4500,
    // A comment is written at most once in two seconds, and with nothing but what the agent says at most once in twenty.
    comments: {
      betweenWritesMs: 2000,
      betweenOutputsMs: 20_000,
      holdMs: 10_000,
      lookMs: 250,
      patienceMs: 20_000,
      momentMs: 3000,
      firstLookMs: 2500,
      nextLookMs: 20_000,
    },
    // Of both gateways to their servers: a model may be silent for as long as its agent waits, 15 minutes, and a minute more.
    gateways: { connectMs: 10_000, graceMs: 60_000 },
    github: { callMs: 20_000, settleMs: 10_000, keeperMs: 5000 },
    // An issue is signaled at most twice a second.
    relay: {
      paceMs: 500,
      claimMs: 15_000,
      firstRetryMs: 500,
      longestRetryMs: 30_000,
      pollMs: 500,
      idlePollMs: 2500,
      awayMs: 1000,
    },
    localRuntime: {
      claimMs: 20_000,
      claimLookMs: 200,
      stopGraceMs: 10_000,
      killMs: 10_000,
      groupMs: 2000,
      livenessMs: 1000,
    },
    // A deploy waits thirty seconds for a worker to end.
    worker: { beatMs: 2000, heartbeatMs: 3000, shutdownGraceMs: 1000, shutdownLimitMs: 20_000 },
  });
});
