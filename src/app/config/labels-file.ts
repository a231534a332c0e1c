/** The file of the names that an installation gives to labels (CODEXK8S_LABELS_FILE). */
import { readFileSync } from 'node:fs';
import { labelNames, type ChosenNames } from '../../domain/stages/label-names.ts';

/** What the file says, or what is wrong with it, a sentence each. */
export function readLabelsFile(path: string): ChosenNames {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return { problems: [`cannot be read: ${path}`] };
  }
  const chosen = namesIn(text);
  return 'problems' in chosen ? { problems: chosen.problems.map((problem) => `${path}: ${problem}`) } : chosen;
}

function namesIn(text: string): ChosenNames {
  try {
    return labelNames(JSON.parse(text));
  } catch {
    return { problems: ['is not JSON'] };
  }
}
