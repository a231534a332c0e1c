/** The words of a question on GitHub, in the languages a project can choose. */
import type { Locale } from '../locale.ts';

interface RequestTexts {
  readonly title: string;
  /** How to answer, and until when. */
  how(options: number, runId: string, until: string): string;
  answered(actor: string, at: string): string;
  readonly closed: string;
  edited(actor: string): string;
}

const EN: RequestTexts = {
  title: 'The agent asks',
  how: (options, runId, until) =>
    `${options > 0 ? 'Answer with a comment: the number of an option, or its text' : 'Answer with a comment'}. Or: \`codex-k8s runs answer ${runId} TEXT\`. The agent waits until ${until}; people who may start runs can answer.`,
  answered: (actor, at) => `Answered by ${actor} at ${at}:`,
  closed: 'No answer is needed any more: the run has ended.',
  edited: (actor) =>
    `The comment of ${actor} was edited before it was read, so it is not taken as the answer: only what its author wrote counts. Please answer again in a new comment.`,
};

const RU: RequestTexts = {
  title: 'Вопрос агента',
  how: (options, runId, until) =>
    `${options > 0 ? 'Ответьте комментарием: номером варианта или его текстом' : 'Ответьте комментарием'}. Или: \`codex-k8s runs answer ${runId} TEXT\`. Агент ждёт до ${until}; отвечать могут те, кто может запускать.`,
  answered: (actor, at) => `Ответ дан (${actor}, ${at}):`,
  closed: 'Ответ больше не нужен: запуск завершён.',
  edited: (actor) =>
    `Комментарий ${actor} изменили до того, как он был прочитан, поэтому он не принят как ответ: считается только то, что написал автор. Ответьте, пожалуйста, ещё раз новым комментарием.`,
};

const TEXTS: Readonly<Record<Locale, RequestTexts>> = { en: EN, ru: RU };

/** The texts of a locale. */
export function requestTexts(locale: Locale): RequestTexts {
  return TEXTS[locale];
}
