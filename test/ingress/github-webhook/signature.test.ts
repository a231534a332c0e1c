import { createHmac } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sign, signedBy } from '../../../ingress/github-webhook/signature.ts';

const SECRET = 'a secret of the tests';
const BODY = Buffer.from('{"zen":"Keep it logically awesome."}');
const GOOD = sign(SECRET, BODY);

describe('T01: a signature', () => {
  test('is the one that GitHub documents', () => {
    const secret = "It's a Secret to Everybody";
    const documented = 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17';
    expect(sign(secret, Buffer.from('Hello, World!'))).toBe(documented);
    expect(signedBy([secret], Buffer.from('Hello, World!'), documented)).toBe(0);
  });

  test.each([0, 1, 2])('is found when the secret is number %i', (index) => {
    const secrets = ['not this one', 'nor this one', 'nor that one'].with(index, SECRET);
    expect(signedBy(secrets, BODY, GOOD)).toBe(index);
  });

  test.each<[string, string | undefined]>([
    ['missing', undefined],
    ['empty', ''],
    ['of another secret', sign('another secret', BODY)],
    ['of another body', sign(SECRET, Buffer.from('{}'))],
    ['of SHA-1', `sha1=${createHmac('sha1', SECRET).update(BODY).digest('hex')}`],
    ['of SHA-1, said to be of SHA-256', `sha256=${createHmac('sha1', SECRET).update(BODY).digest('hex')}`],
    ['without its prefix', GOOD.slice('sha256='.length)],
    ['of odd length', GOOD.slice(0, -1)],
    ['too long', `${GOOD}0`],
    ['in capitals', `sha256=${GOOD.slice(7).toUpperCase()}`],
    ['with a space after it', `${GOOD} `],
    ['with a space before it', ` ${GOOD}`],
    ['with a line break', `${GOOD}\n`],
    ['not hexadecimal', `sha256=${'g'.repeat(64)}`],
    ['given twice', `${GOOD}, ${GOOD}`],
    ['only a prefix', 'sha256='],
  ])('is refused when it is %s', (_what, signature) => {
    expect(signedBy([SECRET], BODY, signature)).toBe(-1);
  });

  test('is refused where there is no secret', () => {
    expect(signedBy([], BODY, GOOD)).toBe(-1);
  });

  test('is refused as soon as one bit of the body differs', () => {
    fc.assert(
      fc.property(fc.nat(BODY.length - 1), fc.nat(7), (at, bit) => {
        const changed = Buffer.from(BODY);
        changed[at] = (changed[at] ?? 0) ^ (1 << bit);
        expect(signedBy([SECRET], changed, GOOD)).toBe(-1);
      }),
    );
  });

  test('fits its body and its secret, whatever they are', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.string({ minLength: 1 }), (bytes, secret) => {
        expect(signedBy(['not this one', secret], Buffer.from(bytes), sign(secret, Buffer.from(bytes)))).toBe(1);
      }),
    );
  });
});
