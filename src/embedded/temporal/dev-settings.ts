/** Reads temporal-dev.yaml, the settings of a development server. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';

const release = z.string().regex(/^\d+\.\d+\.\d+$/, 'expected a release such as 1.2.3');

export const SEARCH_ATTRIBUTE_TYPES = ['Text', 'Keyword', 'Int', 'Double', 'Bool', 'Datetime', 'KeywordList'] as const;
export type SearchAttributeType = (typeof SEARCH_ATTRIBUTE_TYPES)[number];

const TemporalDevFile = z.strictObject({
  cli: release,
  server: release,
  production: release,
  namespace: z.strictObject({ name: z.string().min(1), retentionDays: z.number().int().min(1) }),
  searchAttributes: z.record(z.string().regex(/^[A-Za-z]\w*$/), z.enum(SEARCH_ATTRIBUTE_TYPES)),
  dynamicConfig: z.record(z.string().regex(/^[A-Za-z][\w.]*$/), z.json()),
  sqlite: z.record(z.string().regex(/^\w+$/), z.union([z.string(), z.number()])),
});
export type TemporalDev = Readonly<z.infer<typeof TemporalDevFile>>;

/** Reads and validates the file at `path`; an error names the invalid field. */
export function readTemporalDev(path: string | URL): TemporalDev {
  const parsed = TemporalDevFile.safeParse(parse(readFileSync(path, 'utf8')));
  if (!parsed.success) throw new Error(`${String(path)} is not valid:\n${z.prettifyError(parsed.error)}`);
  return parsed.data;
}
