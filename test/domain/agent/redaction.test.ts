import { describe, expect, test } from 'vitest';
import { createRedactor, redactDeep } from '../../../src/domain/agent/redaction.ts';

const redact = createRedactor(['run-token-1']);
const LETTERS = 'a1B2c3D4e5'.repeat(4);
const KEY = `-----BEGIN RSA PRIVATE KEY-----\n${LETTERS}\n-----END RSA PRIVATE KEY-----`;

describe('what is hidden', () => {
  test.each([
    ['the run token, also inside a word', 'xrun-token-1x', 'x[redacted]x'],
    [
      'the token of another attempt',
      `TOKEN=ck8s_run_0f0f0f0f-0000-4000-8000-000000000001_1_${LETTERS}`,
      'TOKEN=[redacted]',
    ],
    ['a classic token of GitHub', `token ghp_${LETTERS}.`, 'token [redacted].'],
    ['a token of a GitHub App', `ghs_${LETTERS}`, '[redacted]'],
    ['a fine-grained token of GitHub', `github_pat_${LETTERS}_${LETTERS}`, '[redacted]'],
    ['a key of OpenAI', `OPENAI_API_KEY=sk-proj-${LETTERS}`, 'OPENAI_API_KEY=[redacted]'],
    ['a token after an escaped newline in JSON', `{"a":"\\nghp_${LETTERS}"}`, '{"a":"\\n[redacted]"}'],
    ['a private key', `before\n${KEY}\nafter`, 'before\n[redacted]\nafter'],
    ['a private key that is cut off', `-----BEGIN PRIVATE KEY-----\n${LETTERS}`, '[redacted]'],
    [
      'a cut-off private key in JSON, no further than its string',
      '{"a":"-----BEGIN PRIVATE KEY-----\\nabc","b":1}',
      '{"a":"[redacted]","b":1}',
    ],
  ])('%s', (_what, text, clean) => {
    expect(redact(text)).toBe(clean);
  });
});

describe('what stays', () => {
  test.each([
    ['a word that only looks like the beginning of a key', 'task-force sk-8 ghp_short'],
    ['base64url that happens to contain the beginning of a key', `gAAAAsk-${LETTERS}`],
  ])('%s', (_what, text) => {
    expect(redact(text)).toBe(text);
  });
});

test('every string in a value is redacted', () => {
  expect(redactDeep({ list: ['run-token-1', 2] }, redact)).toEqual({ list: ['[redacted]', 2] });
});

test('a megabyte takes no noticeable time', () => {
  const text = 'sk-x '.repeat(200_000);
  // The processor's time: others may be at work too.
  const before = process.cpuUsage();
  redact(text);
  const { user, system } = process.cpuUsage(before);
  expect(user + system).toBeLessThan(1_000_000);
});
