/** The comment of learning mode: what an agent explains of the places that it changed. */
import type { Locale } from '../locale.ts';
import type { Explanation } from '../run/runs.ts';
import { codeLine, embedded } from './markdown.ts';

/** Characters of a path that are shown. */
const PATH_LENGTH = 200;

const TITLES: Readonly<Record<Locale, string>> = {
  en: '### What is worth understanding here',
  ru: '### Что здесь стоит понять',
};

/** The hidden marker by which the comment is found again. */
export function learningMarker(runId: string): string {
  return `<!-- codex-k8s:learning ${runId} -->`;
}

/** The comment. */
export function renderLearning(runId: string, explanations: readonly Explanation[], locale: Locale): string {
  const places = explanations.map(
    ({ path, line, explanation }) =>
      `**${codeLine(line === null ? path : `${path}:${line}`, PATH_LENGTH)}**\n\n${embedded(explanation)}`,
  );
  return [learningMarker(runId), TITLES[locale], ...places].join('\n\n');
}
