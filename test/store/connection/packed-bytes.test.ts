import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { pack, unpack } from '../../../src/store/connection/packed-bytes.ts';

test('any bytes come out as they went in', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      expect(unpack(pack(Buffer.from(bytes)))).toEqual(Buffer.from(bytes));
    }),
  );
});
