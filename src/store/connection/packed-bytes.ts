/**
 * Bodies of deliveries as they lie in Postgres: gzip, since JSON is a sixth of its size then, and packing it here costs less
 * than Postgres' own compression. `psql` shows them with `\copy … to program 'gunzip'`; a row of before is plain, and JSON
 * never begins with gzip's magic number.
 */
import { gunzipSync, gzipSync } from 'node:zlib';
import { customType } from 'drizzle-orm/pg-core';

/** Packs bytes, losslessly. */
export function pack(bytes: Buffer): Buffer {
  return gzipSync(bytes, { level: 1 });
}

/** What was packed; bytes that never were stay as they are. */
export function unpack(bytes: Buffer): Buffer {
  return bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes;
}

/** A column of bytes that are packed where they lie. */
export const packedBytes = customType<{ data: Buffer; driverData: Buffer }>({
  dataType: () => 'bytea',
  toDriver: pack,
  fromDriver: unpack,
});
