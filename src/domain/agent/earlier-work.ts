/** What an agent is told of earlier work whose conversation it cannot go on with, since another program had it. Pure. */
import { withoutInvisible } from '../invisible.ts';
import type { Locale } from '../locale.ts';
import type { AgentReport } from '../run/runs.ts';
import { CLI_NAMES, type AgentCliName } from '../stages/clis.ts';

interface Texts {
  readonly before: (program: string) => string;
  readonly said: string;
  readonly asked: string;
  readonly silent: string;
}

const TEXTS: Readonly<Record<Locale, Texts>> = {
  en: {
    before: (program) =>
      `An earlier agent (${program}) worked on this, and its conversation cannot be gone on with here. Its commits are on the branch: look at them first.`,
    said: 'It said of its work:',
    asked: 'It ended with a question:',
    silent: 'It left no summary.',
  },
  ru: {
    before: (program) =>
      `Раньше над этим работал другой агент (${program}), и продолжить его разговор здесь нельзя. Его коммиты есть в ветке: сначала посмотрите на них.`,
    said: 'О своей работе он сказал:',
    asked: 'Он закончил вопросом:',
    silent: 'Итога он не оставил.',
  },
};

/** The end of a prompt: who worked before, and its summary, quoted. `report`: the last one of that run. */
export function earlierWorkOfAnother(locale: Locale, cli: AgentCliName, report: AgentReport | undefined): string {
  const texts = TEXTS[locale];
  return [texts.before(CLI_NAMES[cli]), ...summaryOf(texts, report)].join('\n\n');
}

function summaryOf(texts: Texts, report: AgentReport | undefined): string[] {
  switch (report?.outcome) {
    case 'finished':
      return [texts.said, quoted(`${report.answer.title}\n\n${report.answer.summary}`)];
    case 'asked':
      return [texts.asked, quoted(report.question.text)];
    case 'parked':
    case 'failed':
    case undefined:
      return [texts.silent];
  }
}

function quoted(text: string): string {
  return withoutInvisible(text)
    .text.trim()
    .split(/\r\n|\r|\n/)
    .map((line) => `> ${line}`.trimEnd())
    .join('\n');
}
