import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readPushHead, refusal, refusePush, type RefCommand } from '../../../ingress/gateways/receive-pack.ts';

const BRANCH = 'codex/issue-7';
const OWN = `refs/heads/${BRANCH}`;
const NONE = '0'.repeat(40);
const OLD = 'a'.repeat(40);
const NEW = 'b'.repeat(40);
const FLUSH = Buffer.from('0000');
const PACK = Buffer.from('PACK\0\0\0\u0002');

function pkt(content: string | Buffer): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([Buffer.from((bytes.length + 4).toString(16).padStart(4, '0')), bytes]);
}

/** The start of a push as git sends it: the first command carries the capabilities. */
function push(commands: readonly string[], capabilities = 'report-status side-band-64k'): Buffer {
  const lines = commands.map((command, index) => pkt(index === 0 ? `${command}\0 ${capabilities}` : command));
  return Buffer.concat([...lines, FLUSH, PACK]);
}

/** Takes pkt-lines apart as git does; throws on what git would not read. */
function unpack(bytes: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const digits = bytes.toString('latin1', at, at + 4);
    if (!/^[0-9a-f]{4}$/.test(digits)) throw new Error(`no pkt-line at ${at}: ${digits}`);
    const length = Number.parseInt(digits, 16);
    if (length > 65_520 || (length > 0 && at + length > bytes.length)) throw new Error(`a pkt-line of ${length} bytes`);
    if (length > 0) lines.push(bytes.subarray(at + 4, at + length));
    at += Math.max(4, length);
  }
  return lines;
}

/** The report that git reads out of a refusal, with or without side-band. */
function report(bytes: Buffer, sideBand: boolean): string[] {
  const lines = unpack(bytes);
  if (!sideBand) return lines.map(String);
  for (const line of lines) expect(line[0]).toBe(1);
  return unpack(Buffer.concat(lines.map((line) => line.subarray(1)))).map(String);
}

describe('the start of a push', () => {
  test('is read with its commands and capabilities', () => {
    expect(readPushHead(push([`${OLD} ${NEW} ${OWN}`, `${NONE} ${NEW} refs/tags/v1\n`]))).toEqual({
      commands: [
        { oldId: OLD, newId: NEW, ref: OWN },
        { oldId: NONE, newId: NEW, ref: 'refs/tags/v1' },
      ],
      capabilities: ['report-status', 'side-band-64k'],
      length: 242,
    });
  });

  test('is read with object ids of SHA-256', () => {
    const id = 'c'.repeat(64);
    expect(readPushHead(push([`${id} ${id} ${OWN}`]))?.commands).toEqual([{ oldId: id, newId: id, ref: OWN }]);
  });

  test('may name no command: git asks so whether it may push before it sends a large pack', () => {
    expect(readPushHead(FLUSH)).toEqual({ commands: [], capabilities: [], length: 4 });
  });

  test('may come from a shallow clone, which says first where it ends', () => {
    const shallow = Buffer.concat([pkt(`shallow ${OLD}`), push([`${OLD} ${NEW} ${OWN}`])]);
    expect(readPushHead(shallow)?.commands).toEqual([{ oldId: OLD, newId: NEW, ref: OWN }]);
  });

  test('is awaited until it is whole, wherever it is cut', () => {
    const whole = push([`${OLD} ${NEW} ${OWN}`, `${NONE} ${NEW} refs/tags/v1`]);
    const end = whole.length - PACK.length;
    for (let length = 0; length < end; length++) expect(readPushHead(whole.subarray(0, length))).toBeUndefined();
    expect(readPushHead(whole.subarray(0, end))?.commands).toHaveLength(2);
  });

  test.each<[string, Buffer]>([
    ['is no pkt-line', Buffer.from('GET / HTTP/1.1')],
    ['has a length that counts less than itself', Buffer.from('0003')],
    ['has an empty line', Buffer.from('0004')],
    ['is a delimiter of protocol 2', Buffer.from('00010000')],
    ['is a signed push', Buffer.concat([pkt('push-cert\0report-status'), FLUSH])],
    ['has a short object id', push([`${'a'.repeat(39)} ${NEW} ${OWN}`])],
    ['has no ref', push([`${OLD} ${NEW} `])],
    ['has more than a ref', push([`${OLD} ${NEW} ${OWN} refs/heads/main`])],
    ['has a ref with a line break', push([`${OLD} ${NEW} ${OWN}\nrefs/heads/main`])],
    ['has a line break before the capabilities', push([`${OLD} ${NEW} ${OWN}\n`])],
    ['has two spaces', push([`${OLD}  ${NEW} ${OWN}`])],
    ['is a fetch', Buffer.concat([pkt(`want ${OLD}\n`), FLUSH])],
  ])('is refused when it %s', (_what, bytes) => {
    expect(() => readPushHead(bytes)).toThrow(/^not a (pkt-line|command)/);
  });
});

describe('what a push may change', () => {
  const command = (ref: string, newId = NEW): RefCommand => ({ oldId: OLD, newId, ref });

  test.each<[string, RefCommand[]]>([
    ["the run's branch", [command(OWN)]],
    ["the run's branch, newly made", [{ oldId: NONE, newId: NEW, ref: OWN }]],
    ['nothing', []],
  ])('is %s', (_what, commands) => {
    expect(refusePush(commands, BRANCH)).toBeUndefined();
  });

  test.each<[string, RefCommand[], string]>([
    ['another branch', [command('refs/heads/main')], `this run may push to ${BRANCH} only, not to refs/heads/main`],
    ["the run's branch and another", [command(OWN), command('refs/heads/main')], 'not to refs/heads/main'],
    ['a tag', [command('refs/tags/v1')], 'not to refs/tags/v1'],
    ["a tag named like the run's branch", [command(`refs/tags/${BRANCH}`)], 'not to refs/tags/'],
    ["a branch that begins like the run's", [command(`${OWN}7`)], `not to ${OWN}7`],
    ["a branch below the run's", [command(`${OWN}/x`)], 'not to'],
    ["the run's branch in capitals", [command('refs/heads/CODEX/issue-7')], 'not to'],
    ['a branch without its full name', [command(BRANCH)], 'not to'],
    ['a branch with a control character', [command(`${OWN}\u0001`)], 'not to'],
    ['a ref that is no branch', [command('refs/pull/1/head')], 'not to refs/pull/1/head'],
    ['HEAD', [command('HEAD')], 'not to HEAD'],
    ["the removal of the run's branch", [command(OWN, NONE)], `this run may not delete ${BRANCH}`],
    [
      "the removal of the run's branch with SHA-256",
      [command(OWN, '0'.repeat(64))],
      `this run may not delete ${BRANCH}`,
    ],
    ["the removal of the run's branch beside an update", [command(OWN), command(OWN, NONE)], 'may not delete'],
  ])('is not %s', (_what, commands, reason) => {
    expect(refusePush(commands, BRANCH)).toContain(reason);
  });
});

describe('a refusal', () => {
  test.each([true, false])('says why for each ref, as git reads it (side-band: %s)', (sideBand) => {
    const head = readPushHead(
      push(
        [`${OLD} ${NEW} refs/heads/main`, `${OLD} ${NEW} ${OWN}`],
        sideBand ? 'report-status side-band-64k' : 'report-status',
      ),
    );
    expect(head && report(refusal(head, 'no'), sideBand)).toEqual([
      'unpack ok\n',
      'ng refs/heads/main no\n',
      `ng ${OWN} no\n`,
    ]);
  });

  test.each([true, false])('of a thousand refs is still what git reads (side-band: %s)', (sideBand) => {
    const commands = Array.from({ length: 1000 }, (_, n) => ({
      oldId: OLD,
      newId: NEW,
      ref: `refs/tags/a-rather-long-name-${n}`,
    }));
    const capabilities = sideBand ? ['report-status', 'side-band-64k'] : ['report-status'];
    const reason = refusePush(commands, BRANCH) ?? '';
    expect(report(refusal({ commands, capabilities }, reason), sideBand)).toHaveLength(1001);
  });
});

describe('whatever comes as a push', () => {
  /** The decision of the gateway: what would be let through. */
  function passes(bytes: Buffer): RefCommand[] {
    try {
      const head = readPushHead(bytes);
      return head && refusePush(head.commands, BRANCH) === undefined ? [...head.commands] : [];
    } catch (error) {
      expect(error).toBeInstanceOf(Error);
      return [];
    }
  }

  test('arbitrary bytes neither crash it nor change a ref', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        expect(passes(Buffer.from(bytes))).toEqual([]);
      }),
      { numRuns: 1000 },
    );
  });

  test('arbitrary lines change nothing but the branch of the run', () => {
    const anId = fc.constantFrom(OLD, NEW, NONE, 'c'.repeat(64), 'A'.repeat(40), 'short');
    const aRef = fc.oneof(
      fc.constantFrom(OWN, `${OWN}\n`, 'refs/heads/main', `${OWN}x`, `${OWN}\0caps`, 'refs/tags/v1'),
      fc.string(),
    );
    const aLine = fc.oneof(
      fc.tuple(anId, anId, aRef).map(([oldId, newId, ref]) => `${oldId} ${newId} ${ref}`),
      fc.string(),
      fc.constant(`shallow ${OLD}`),
    );
    fc.assert(
      fc.property(fc.array(aLine, { maxLength: 5 }), fc.uint8Array({ maxLength: 20 }), (lines, rest) => {
        const bytes = Buffer.concat([...lines.map(pkt), FLUSH, Buffer.from(rest)]);
        for (const { ref, newId } of passes(bytes)) {
          expect(ref).toBe(OWN);
          expect(newId).not.toMatch(/^0+$/);
        }
      }),
      { numRuns: 1000 },
    );
  });

  test('a command that git would carry out is never overlooked', () => {
    const aCommand = fc.constantFrom(`${OLD} ${NEW} ${OWN}`, `${OLD} ${NEW} refs/heads/main`, `${OLD} ${NONE} ${OWN}`);
    fc.assert(
      fc.property(fc.array(aCommand, { minLength: 1, maxLength: 6 }), (commands) => {
        const allowed = commands.length === 1 && commands[0] === `${OLD} ${NEW} ${OWN}`;
        expect(passes(push(commands))).toHaveLength(allowed ? commands.length : 0);
      }),
    );
  });
});
