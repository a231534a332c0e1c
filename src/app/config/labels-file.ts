/** The file with an installation's label names (CODEXK8S_LABELS_FILE). */
import { readFileSync } from 'node:fs';
import { labelNames, type ChosenNames } from '../../domain/stages/label-names.ts';

/** The names in the file, or its problems, a sentence each. */
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
