/** Stands for workflows/heartbeats.ts in the workflows of whole stacks: their workers are killed, and beat twice a second. */
export const HEARTBEATS = { activity: '4 seconds', agent: '6 seconds' } as const;
