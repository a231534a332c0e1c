/**
 * Heartbeat timeouts, after which Temporal gives an activity to another worker: within half a minute also where an agent works.
 * Tests of whole stacks bundle the workflows with shorter ones (test/support/short-heartbeats.ts).
 */
export const HEARTBEATS = { activity: '10 seconds', agent: '20 seconds' } as const;
