/** The conversion that src/temporal/history-json.ts takes from inside of Temporal's SDK. */
import { expect, test } from 'vitest';

const CHANGED = "Temporal's SDK has changed inside: see src/temporal/history-json.ts before updating it";

test('a history becomes the JSON of Temporal', async () => {
  const { historyToJSON } = await import('../../src/temporal/history-json.ts').catch((cause: unknown) => {
    throw new Error(CHANGED, { cause });
  });
  const history = JSON.parse(historyToJSON({ events: [{ eventType: 1 }] })) as unknown;
  expect(history, CHANGED).toMatchObject({ events: [{ eventType: 'EVENT_TYPE_WORKFLOW_EXECUTION_STARTED' }] });
});
