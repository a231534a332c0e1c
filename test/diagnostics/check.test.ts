import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { ok, runChecks, errorText } from '../../src/diagnostics/check.ts';
import { describe as describeReport, reportOf } from '../../src/diagnostics/report.ts';
import { linesOf } from './support.ts';

test('findings come in the order of the checks, and one that throws has failed', async () => {
  const findings = await runChecks([
    { name: 'slow', run: async () => delay(50, ok('there')) },
    {
      name: 'broken',
      remedy: 'mend it',
      async run() {
        throw new Error('it fell', { cause: new Error('from the table') });
      },
    },
    { name: 'several', run: async () => [ok('one'), ok('two')] },
  ]);
  expect(linesOf(findings)).toEqual([
    'ok slow: there',
    'failed broken: it fell: from the table',
    'ok several: one',
    'ok several: two',
  ]);
  expect(findings[1]?.remedy).toBe('mend it');
});

test('a check that does not end is given up, and says so', async () => {
  let abandoned = false;
  const [finding] = await runChecks([
    {
      name: 'silent',
      limitMs: 30,
      run: async (signal) => {
        signal.addEventListener('abort', () => (abandoned = true));
        return delay(60_000, ok('never'), { ref: false });
      },
    },
  ]);
  expect(finding).toMatchObject({ verdict: 'failed', found: 'timed out: no answer within 0.03 s' });
  expect(abandoned).toBe(true);
});

test('an error is one line', () => {
  expect(errorText(new AggregateError([new Error('refused\n  twice')], ''))).toBe('refused twice');
});

test('secrets are shown nowhere, and what has failed makes the report unhealthy', () => {
  const finding = { check: 'x', verdict: 'failed', found: 'password hunter2hunter2', remedy: 'not hunter2hunter2' };
  const report = reportOf('Here:', [finding as never], ['hunter2hunter2']);
  expect(JSON.stringify(report)).not.toContain('hunter2');
  expect(report.healthy).toBe(false);
  expect(describeReport(report)).toMatch(/^Here:\n\nFAILED {3}x: password \[redacted\]\n {9}-> not [^]*1 failed\.$/);
});
