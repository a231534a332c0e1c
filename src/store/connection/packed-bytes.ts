/**
 * Bodies of deliveries in Postgres are gzipped: JSON shrinks to a sixth, and packing it here costs less than Postgres' own
 * compression. `psql` shows them with `\copy … to program 'gunzip'`.
 */
import { gunzipSync, gzipSync } from 'node:zlib';
import { customType } from 'drizzle-orm/pg-core';

/** Packs bytes, losslessly. */
export function pack(bytes: Buffer): Buffer {
  return gzipSync(bytes, { level: 1 });
}

/** Unpacks bytes of {@link pack}. */
export function unpack(bytes: Buffer): Buffer {
  return gunzipSync(bytes);
}

/** A column of packed bytes. */
export const packedBytes = customType<{ data: Buffer; driverData: Buffer }>({
  dataType: () => 'bytea',
  toDriver: pack,
  fromDriver: unpack,
});
