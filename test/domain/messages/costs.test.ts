import { describe, expect, test } from 'vitest';
import { costMarker, withCost, type RunCost } from '../../../src/domain/messages/costs.ts';

const NOTHING: RunCost = { calls: 0, cost: 0, prompt: 0, cached: 0, output: 0 };
const SPENT: RunCost = { calls: 3, cost: 1_234_567, prompt: 120_000, cached: 90_000, output: 4000 };
const none = async () => undefined;
const body = (status: Parameters<typeof costMarker>[0], locale: 'en' | 'ru' = 'en') =>
  `facts\n\n${costMarker(status, locale)}\n\nend`;

describe('the status comment', () => {
  test('says what a run at work has cost so far', async () => {
    expect(await withCost(body('working'), SPENT, none)).toBe(
      'facts\n\n**Cost so far**: $1.23 for 3 requests to the model, with 120,000 tokens read (90,000 of them cached) and 4,000 written\n\nend',
    );
  });

  test('says what a run that is over has cost, in the language of the project', async () => {
    expect(await withCost(body('succeeded', 'ru'), SPENT, none)).toContain('**Стоимость**: $1.23');
  });

  test('says nothing of money for a run that has spent none', async () => {
    expect(await withCost(body('working'), NOTHING, none)).toBe('facts\n\nend');
  });

  test('warns when most of a budget is spent', async () => {
    const warning = { scope: 'issue', percent: 90 } as const;
    expect(await withCost(body('working'), { ...SPENT, warning }, none)).toContain(
      'More than 90 % of the budget of this issue is spent',
    );
  });

  test('says what a run will likely cost, from runs before it', async () => {
    const estimate = { runs: 12, median: 800_000, least: 200_000, most: 2_100_000 };
    expect(await withCost(body('queued'), NOTHING, async () => estimate)).toContain(
      '**Likely cost**: $0.80; the last 12 runs of this stage here cost $0.20 to $2.10',
    );
  });

  test('says so if there are none', async () => {
    expect(await withCost(body('preparing'), NOTHING, none)).toContain('**Likely cost**: unknown');
  });

  test('takes no marker in a text of an agent for its own', async () => {
    const forged = `${costMarker('working', 'en')}\n\n${body('working')}`;
    expect(await withCost(forged, SPENT, none)).toMatch(/^<!-- codex-k8s:cost/);
  });
});
