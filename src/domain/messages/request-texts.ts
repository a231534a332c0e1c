/** The words of a question on GitHub, in the languages a project can choose. */
import type { Locale } from '../locale.ts';
import type { RequestKind } from '../run/requests.ts';

interface RequestTexts {
  readonly titles: Readonly<Record<RequestKind, string>>;
  /** How to answer, and until when. */
  how(options: number, runId: string, until: string): string;
  answered(actor: string, at: string): string;
  readonly closed: string;
  edited(actor: string): string;
  /** A command or an answer that was refused; `why` is a sentence. */
  refused(actor: string, why: string): string;
  readonly approval: {
    /** What is to be done, by `tool` and `action`. */
    what(tool: string, action: string): string;
    readonly args: string;
    why(reason: string): string;
    /** Who may decide, by mode. */
    readonly who: Readonly<Record<'read_write' | 'delegated' | 'owner', string>>;
    /** `n` is the request's number. */
    how(n: string, id: string, until: string): string;
    ended(decision: 'approved' | 'denied', actor: string, at: string): string;
  };
  /** How to answer a question of a tool by a command. */
  command(n: string): string;
}

const EN: RequestTexts = {
  titles: { question: 'The agent asks', budget: 'A budget is spent', approval: 'The agent needs an approval' },
  how: (options, runId, until) =>
    `${options > 0 ? 'Answer with a comment: the number of an option, or its text' : 'Answer with a comment'}. Or: \`codex-k8s runs answer ${runId} TEXT\`. The agent waits until ${until}; people who may start runs can answer.`,
  answered: (actor, at) => `Answered by ${actor} at ${at}:`,
  closed: 'No answer is needed any more: the run has ended.',
  edited: (actor) =>
    `The comment of ${actor} was edited before it was read, so it is not taken as the answer: only what its author wrote counts. Please answer again in a new comment.`,
  refused: (actor, why) => `${actor}: this was not taken. ${why}.`,
  approval: {
    what: (tool, action) =>
      `It has called \`${tool}\` (${action}). The platform does it when somebody approves, and nothing until then.`,
    args: 'Arguments, without secret values:',
    why: (reason) => `Why a person is asked: ${reason}.`,
    who: {
      read_write: 'Who may answer: members of the project with the role `read_write` or more.',
      delegated:
        'Who may decide: a member of the project with the role `read_write` or more who did not start the run.',
      owner: 'Who may decide: an owner or administrator who did not start the run.',
    },
    how: (n, id, until) =>
      `Comment \`/approve ${n}\` or \`/deny ${n} REASON\`. Or: \`codex-k8s decisions approve ${id}\`. The run waits until ${until}, without an agent; then it fails.`,
    ended: (decision, actor, at) => `${decision === 'approved' ? 'Approved' : 'Denied'} by ${actor} at ${at}.`,
  },
  command: (n) => `With a command: \`/answer ${n} TEXT\`.`,
};

const RU: RequestTexts = {
  titles: { question: 'Вопрос агента', budget: 'Бюджет израсходован', approval: 'Агенту нужно разрешение' },
  how: (options, runId, until) =>
    `${options > 0 ? 'Ответьте комментарием: номером варианта или его текстом' : 'Ответьте комментарием'}. Или: \`codex-k8s runs answer ${runId} TEXT\`. Агент ждёт до ${until}; отвечать могут те, кто может запускать.`,
  answered: (actor, at) => `Ответ дан (${actor}, ${at}):`,
  closed: 'Ответ больше не нужен: запуск завершён.',
  edited: (actor) =>
    `Комментарий ${actor} изменили до того, как он был прочитан, поэтому он не принят как ответ: считается только то, что написал автор. Ответьте, пожалуйста, ещё раз новым комментарием.`,
  refused: (actor, why) => `${actor}: не принято. ${why}.`,
  approval: {
    what: (tool, action) =>
      `Он вызвал \`${tool}\` (${action}). Платформа выполнит вызов, когда кто-нибудь его разрешит; до тех пор ничего не происходит.`,
    args: 'Аргументы, без секретных значений:',
    why: (reason) => `Почему нужно решение человека: ${reason}.`,
    who: {
      read_write: 'Отвечать могут участники проекта с ролью `read_write` и выше.',
      delegated: 'Решать может участник проекта с ролью `read_write` и выше, который не запускал этот запуск.',
      owner: 'Решать может владелец или администратор, который не запускал этот запуск.',
    },
    how: (n, id, until) =>
      `Комментарий \`/approve ${n}\` или \`/deny ${n} ПРИЧИНА\`. Или: \`codex-k8s decisions approve ${id}\`. Запуск ждёт до ${until} без агента, затем завершится ошибкой.`,
    ended: (decision, actor, at) => `${decision === 'approved' ? 'Разрешено' : 'Отказано'}: ${actor}, ${at}.`,
  },
  command: (n) => `Командой: \`/answer ${n} ТЕКСТ\`.`,
};

const TEXTS: Readonly<Record<Locale, RequestTexts>> = { en: EN, ru: RU };

/** The texts of a locale. */
export function requestTexts(locale: Locale): RequestTexts {
  return TEXTS[locale];
}
