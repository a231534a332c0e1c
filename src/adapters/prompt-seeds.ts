/** The prompt seeds of prompts/, read once. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Locale } from '../domain/locale.ts';

/** Returns a look-up of `<name>.<locale>.md`; English where a language has none. */
export function readPromptSeeds(directory: string): (name: string, locale: Locale) => string | undefined {
  const seeds = new Map(
    readdirSync(directory)
      .filter((file) => file.endsWith('.md'))
      .map((file) => [file, readFileSync(join(directory, file), 'utf8')]),
  );
  return (name, locale) => seeds.get(`${name}.${locale}.md`) ?? seeds.get(`${name}.en.md`);
}
