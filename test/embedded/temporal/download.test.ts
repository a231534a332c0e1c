/** What src/embedded/temporal/download-process.ts calls of Temporal's SDK is there. */
import { Runtime } from '@temporalio/worker';
import { expect, test } from 'vitest';

test("the SDK's runtime starts servers that it has downloaded", () => {
  const CHANGED = "Temporal's SDK has changed inside: see src/embedded/temporal/download-process.ts before updating it";
  for (const method of ['createEphemeralServer', 'shutdownEphemeralServer'] as const)
    expect(typeof Runtime.prototype[method], CHANGED).toBe('function');
});
