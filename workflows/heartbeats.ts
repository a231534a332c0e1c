/**
 * Times without a beat after which Temporal takes an activity's worker for dead and gives the activity to another one: within
 * half a minute also where an agent works. Tests of whole stacks bundle the workflows with shorter ones
 * (test/support/short-heartbeats.ts).
 */
export const HEARTBEATS = { activity: '10 seconds', agent: '20 seconds' } as const;
