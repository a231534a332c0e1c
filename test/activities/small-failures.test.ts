import {
  ApplicationFailure,
  CancelledFailure,
  DefaultFailureConverter,
  defaultPayloadConverter,
} from '@temporalio/common';
import { describe, expect, test } from 'vitest';
import { toSmallFailure, withSmallFailures } from '../../activities/small-failures.ts';
import { createRedactor } from '../../src/domain/agent/redaction.ts';

const SECRET = 'the secret of the installation';
const TOKEN = `ghp_${'a1'.repeat(18)}`;
const redact = createRedactor([SECRET]);

/** The failure as it stands in Temporal's history, as JSON. */
function inHistory(thrown: unknown): { bytes: number; text: string; type: string | undefined } {
  const failure = new DefaultFailureConverter().errorToFailure(toSmallFailure(thrown, redact), defaultPayloadConverter);
  const text = JSON.stringify(failure, (_key, value: unknown) =>
    value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : value,
  );
  const { type } = failure.applicationFailureInfo ?? {};
  return { bytes: Buffer.byteLength(text), text, type: type ?? undefined };
}

const circular: Record<string, unknown> = { name: 'a circle' };
circular['self'] = circular;
const long = new RangeError('too much');
long.stack = `RangeError: too much\n${'    at somewhere (file.ts:1:1)\n'.repeat(40_000)}`;
const chain = new Error('outermost', { cause: new Error('y'.repeat(1_000_000), { cause: new Error('innermost') }) });

describe('T38: whatever an activity throws', () => {
  test.each<[string, unknown, string]>([
    ['a string', 'no', 'string'],
    ['a megabyte of a string', 'é'.repeat(600_000), 'string'],
    ['nothing', undefined, 'undefined'],
    ['a circular object', circular, 'object'],
    ['an error with a stack of a mebibyte', long, 'RangeError'],
    ['an error with a message of a megabyte', new TypeError('x'.repeat(1_000_000)), 'TypeError'],
    ['an error with a cause of a megabyte', chain, 'Error'],
    [
      'a failure with details of a megabyte',
      ApplicationFailure.create({ type: 'GitHubFailed', message: 'no', details: ['z'.repeat(1_000_000)] }),
      'GitHubFailed',
    ],
  ])('T38: %s becomes a failure of at most 8 KiB and of its type', (_what, thrown, type) => {
    const { bytes, type: kept } = inHistory(thrown);
    expect(bytes).toBeLessThanOrEqual(8192);
    expect(kept).toBe(type);
  });

  test.each<[string, unknown]>([
    ['a message', new Error(`refused ${TOKEN} and ${SECRET}`)],
    ['a stack', Object.assign(new Error('refused'), { stack: `Error: refused\n at ${TOKEN} ${SECRET}` })],
    ['a cause', new Error('refused', { cause: new Error(`${TOKEN} ${SECRET}`) })],
    ['details', ApplicationFailure.create({ message: 'refused', details: [{ token: TOKEN, secret: SECRET }] })],
    ['an object', { token: TOKEN, secret: SECRET }],
    ['a string', `${TOKEN} ${SECRET}`],
  ])('T38: a token in %s does not reach the history', (_what, thrown) => {
    const { text } = inHistory(thrown);
    expect(text).not.toContain(TOKEN);
    expect(text).not.toContain(SECRET);
  });

  test('T38: keeps what says whether and when it is tried again', () => {
    const thrown = ApplicationFailure.create({
      type: 'GitHubRateLimited',
      message: 'x'.repeat(9000),
      nonRetryable: true,
      nextRetryDelay: 1234,
      details: ['image_pull'],
    });
    expect(toSmallFailure(thrown, redact)).toMatchObject({
      type: 'GitHubRateLimited',
      nonRetryable: true,
      nextRetryDelay: 1234,
      details: ['image_pull'],
    });
  });

  test('T38: that is small and holds no secret stays as it is', () => {
    for (const thrown of [ApplicationFailure.create({ message: 'no' }), new CancelledFailure('canceled')])
      expect(toSmallFailure(thrown, redact)).toBe(thrown);
  });

  test('T38: is what an activity throws', async () => {
    const { act } = withSmallFailures(
      { act: async (input: { say: string }) => Promise.reject<void>(new Error(input.say)) },
      redact,
    );
    await expect(act({ say: TOKEN })).rejects.toThrow('[redacted]');
  });
});
