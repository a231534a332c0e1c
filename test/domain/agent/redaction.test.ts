import { describe, expect, test } from 'vitest';
import { createLinesRedactor, createRedactor, redactDeep } from '../../../src/domain/agent/redaction.ts';
import { redactedStream } from '../../../src/domain/agent/redacted-stream.ts';

const KNOWN = 'run-token-1';
const redact = createRedactor([KNOWN]);
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
    [
      'a token of a GitHub App that carries a JWT',
      `is ghs_1234567_eyJ${LETTERS}.eyJ${LETTERS.repeat(8)}.${LETTERS}_-x. Next`,
      'is [redacted]. Next',
    ],
    ['a token of GitHub right after a word', `GITHUB_TOKENgho_${LETTERS}`, 'GITHUB_TOKEN[redacted]'],
    ['the id of a key of AWS', 'id=AKIAIOSFODNN7EXAMPLE', 'id=[redacted]'],
    ['the id of a temporary key of AWS', '"ASIAIOSFODNN7EXAMPLE"', '"[redacted]"'],
    [
      'a secret key of AWS after its name',
      'aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
      'aws_secret_access_key = [redacted]',
    ],
    ["a service account's token", `eyJ${LETTERS}.eyJ${LETTERS}.${LETTERS}`, '[redacted]'],
    ['a token of npm', `//registry:_authToken=npm_${LETTERS.slice(4)}`, '//registry:_authToken=[redacted]'],
    ['a token of Slack', `xoxb-1234567890-${LETTERS}`, '[redacted]'],
    ['a password in a URL', 'postgres://app:p4ss_w0rd@db/app', 'postgres://app:[redacted]@db/app'],
    [
      'what a header authenticates with',
      '"authorization": "Bearer abc.def-12345"',
      '"authorization": "Bearer [redacted]"',
    ],
    ['the run token in other letters', KNOWN.toUpperCase(), '[redacted]'],
    ['the run token in hexadecimal', `0x${Buffer.from(KNOWN).toString('hex')}`, '0x[redacted]'],
    ['a token of GitHub in base64', Buffer.from(`ghp_${LETTERS}`).toString('base64'), '[redacted]'],
    [
      'credentials of git in base64, after an escaped newline in JSON',
      `"\\n${Buffer.from(`x-access-token:ghs_${LETTERS}`).toString('base64url')}"`,
      '"\\n[redacted]"',
    ],
    ['a private key in base64', `key: ${Buffer.from(KEY).toString('base64')}`, 'key: [redacted]'],
    ['a key of OpenAI', `OPENAI_API_KEY=sk-proj-${LETTERS}`, 'OPENAI_API_KEY=[redacted]'],
    ['a token after an escaped newline in JSON', `{"a":"\\nghp_${LETTERS}"}`, '{"a":"\\n[redacted]"}'],
    ['a private key', `before\n${KEY}\nafter`, 'before\n[redacted]\nafter'],
    ['a private key that is cut off', `-----BEGIN PRIVATE KEY-----\n${LETTERS}`, '[redacted]'],
    [
      'a cut-off private key in JSON, no further than its string',
      '{"a":"-----BEGIN PRIVATE KEY-----\\nabc","b":1}',
      '{"a":"[redacted]","b":1}',
    ],
    ['a coloured key of OpenAI', `\u001b[1;32msk-proj-${LETTERS}\u001b[0m`, '\u001b[1;32m[redacted]\u001b[0m'],
  ])('%s', (_what, text, clean) => {
    expect(redact(text)).toBe(clean);
  });
});

describe('S2, S5: what is hidden behind escapes of JSON', () => {
  test.each([
    ['a token of GitHub', String.raw`{"a":"\u0067hp_${LETTERS}"}`, '{"a":"[redacted]"}'],
    ['a token with an escape in its midst', String.raw`{"a":"ghp_${LETTERS}\u0061b"}`, '{"a":"[redacted]"}'],
    ['a token whose letters are all escaped', `{"a":"${escapedWhole(`ghp_${LETTERS}`)}"}`, '{"a":"[redacted]"}'],
    ['JSON within JSON', JSON.stringify(String.raw`{"a":"\u0067hp_${LETTERS}"}`), String.raw`"{\"a\":\"[redacted]\"}"`],
    ['an escape of an escape', String.raw`{"a":"\u005cu0067hp_${LETTERS}"}`, '{"a":"[redacted]"}'],
    ['the run token', `{"a":"x${escapedWhole(KNOWN)}x"}`, '{"a":"x[redacted]x"}'],
    [
      'a password in a URL',
      String.raw`{"a":"postgres:\/\/app:p4ss_w0rd@db\/app"}`,
      String.raw`{"a":"postgres:\/\/app:[redacted]@db\/app"}`,
    ],
    [
      'base64 with escaped slashes',
      JSON.stringify(Buffer.from(`???ghp_${LETTERS}`).toString('base64')).replaceAll('/', String.raw`\/`),
      '"[redacted]"',
    ],
    [
      'a coloured token of npm',
      String.raw`{"a":"\u001b[32mnpm_${LETTERS.slice(4)}\u001b[0m"}`,
      String.raw`{"a":"\u001b[32m[redacted]\u001b[0m"}`,
    ],
  ])('%s', (_what, text, clean) => {
    expect(redact(text)).toBe(clean);
    expect(() => JSON.parse(clean) as unknown).not.toThrow();
  });

  test('escapes that hide nothing stay as they are', () => {
    const text = String.raw`{"a":"\u003cb\u003e caf\u00e9 \/ \ud83d\ude00","b":"C:\\users\\u0067"}`;
    expect(redact(text)).toBe(text);
  });
});

function escapedWhole(text: string): string {
  return Array.from(text, (one) => String.raw`\u` + (one.codePointAt(0) ?? 0).toString(16).padStart(4, '0')).join('');
}

test.each([0, 1, 2, 3, 40, 41, 42])(
  'the run token in base64 after %i bytes leaves four of its characters at most',
  (before) => {
    const token = `ck8s_run_0f0f0f0f-0000-4000-8000-000000000001_1_${'7f'.repeat(32)}`;
    const hide = createRedactor([token]);
    for (const encoding of ['base64', 'base64url'] as const) {
      const text = Buffer.from('x'.repeat(before) + token + 'y'.repeat(5)).toString(encoding);
      const wrapped = text.replaceAll(/.{76}/g, '$&\n');
      for (const clean of [hide(text), hide(wrapped), hide(JSON.stringify(wrapped))]) {
        expect(clean).toContain('[redacted]');
        expect(Buffer.from(clean.replace(/^"|"$/g, ''), 'base64').toString('latin1')).not.toMatch(/7f7f7/);
      }
    }
  },
);

describe('lines that belong together', () => {
  const lines = createLinesRedactor([KNOWN]);

  test('a private key over several lines is hidden in each', () => {
    expect(lines(['before', ...KEY.split('\n'), 'after'])).toEqual([
      'before',
      '[redacted]',
      '[redacted]',
      '[redacted]',
      'after',
    ]);
  });

  test('base64 of the run token that was wrapped is hidden in each', () => {
    const encoded = Buffer.from(KNOWN).toString('base64').replace(/=+$/, '');
    expect(lines(['a', encoded.slice(0, 9), encoded.slice(9), 'b'])).toEqual([
      'a',
      '[redacted]',
      expect.stringMatching(/^\[redacted\].?$/),
      'b',
    ]);
  });

  test('lines without a secret stay as they are, empty ones too', () => {
    expect(lines(['', 'a', ''])).toEqual(['', 'a', '']);
  });
});

async function redacted(chunks: Iterable<Uint8Array>): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const piece of redactedStream(chunks, redact)) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

test('a stream is redacted wherever its chunks are cut', async () => {
  const text = `{"a":"é ghp_${LETTERS}"}\n`.repeat(3) + `{"b":"${KNOWN}"}`;
  const bytes = Buffer.from(text);
  for (const size of [1, 7, 1000]) {
    const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, n) =>
      bytes.subarray(n * size, (n + 1) * size),
    );
    const clean = await redacted(chunks);
    expect(clean).toBe('{"a":"é [redacted]"}\n'.repeat(3) + '{"b":"[redacted]"}');
  }
});

test('a stream of a mebibyte is redacted to its end', async () => {
  const line = `{"text":"${'word '.repeat(2000)}","token":"ghp_${LETTERS}"}\n`;
  const bytes = Buffer.from(line.repeat(150));
  const clean = await redacted([bytes]);
  expect(clean).toBe(line.replace(/ghp_\w+/, '[redacted]').repeat(150));
});

describe('what stays', () => {
  test.each([
    ['a word that only looks like the beginning of a key', 'task-force sk-8 ghp_short'],
    ['a path', 'src/domain/agent/redaction/and/some/more/folders/that/are/long/index.ts'],
    [
      'a commit, a UUID and a digest',
      `${'0a'.repeat(20)} 0f0f0f0f-0000-4000-8000-000000000001 sha256:${'9f'.repeat(32)}`,
    ],
    ['a URL with a port and an @', 'http://localhost:3000/@scope/name and git@github.com:owner/name.git'],
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
