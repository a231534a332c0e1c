/** Writes docs/labels.md from the tables that it describes. */
import { writeFileSync } from 'node:fs';
import { labelsDocument } from './labels-document.ts';

writeFileSync(new URL('../docs/labels.md', import.meta.url), labelsDocument());
