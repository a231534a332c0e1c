/** Schemas as the checks that `readJsonFile` takes. */
import type { z } from 'zod';

/** A type guard for values of `schema`. */
export function fits<T>(schema: z.ZodType<T>): (value: unknown) => value is T {
  return (value): value is T => schema.safeParse(value).success;
}
