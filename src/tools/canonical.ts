/** One text for equal arguments, whatever the order of their fields: what is approved is what is performed. */
import { createHash } from 'node:crypto';

/** JSON with the fields of every object in the order of their names, without white space; undefined fields are left out. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(sorted(value));
}

/** SHA-256 of tool and canonical arguments, hexadecimal. */
export function digestOf(tool: string, args: unknown): string {
  return createHash('sha256')
    .update(`${tool}\n${canonicalJson(args)}`)
    .digest('hex');
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => sorted(item));
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  // Without a prototype, so that a field `__proto__` is a field.
  const copy = Object.create(null) as Record<string, unknown>;
  for (const [name, field] of fields) if (field !== undefined) copy[name] = sorted(field);
  return copy;
}
