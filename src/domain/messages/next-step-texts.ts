/** The words of the next steps, in the languages a project can choose. */
import type { Locale } from '../locale.ts';
import type { NextStep } from './next-steps.ts';

/** What the words point to; links are Markdown. */
interface Links {
  readonly runPage: string;
  readonly issuePage: string;
  readonly runId: string;
  readonly pullRequest: string | null;
}

interface NextStepTexts {
  readonly title: string;
  readonly want: string;
  readonly how: string;
  steps(step: NextStep, links: Links): { readonly want: string; readonly how: string };
}

const EN: NextStepTexts = {
  title: 'Next steps',
  want: 'What you want',
  how: 'What to do',
  steps(step, { runPage, issuePage, runId, pullRequest }) {
    const pull = pullRequest ?? 'the pull request';
    switch (step.step) {
      case 'follow':
        return { want: 'Follow the agent', how: `[live log](${runPage})` };
      case 'answer':
        return {
          want: 'Answer the question',
          how: `comment on the issue with the number or the words of an option, or with an answer of your own where there are none; or \`codex-k8s runs answer ${runId} TEXT\``,
        };
      case 'resume':
        return { want: 'Let it go on', how: `\`codex-k8s runs resume ${runId}\`` };
      case 'see_queue':
        return { want: 'See what it waits for', how: `[this issue on the dashboard](${issuePage})` };
      case 'see_why':
        return { want: 'See what went wrong', how: `[log](${runPage})` };
      case 'see_end':
        return { want: 'See how far it came', how: `[log](${runPage})` };
      case 'cancel_by_label':
        return { want: 'Cancel', how: `take the label \`${step.label}\` off` };
      case 'cancel_by_command':
        return { want: 'Cancel', how: `\`codex-k8s runs cancel ${runId}\`, or the button on [its page](${runPage})` };
      case 'ask_again':
        return { want: 'Try again', how: `put the label \`${step.label}\` on the issue again` };
      case 'ask_again_on_pull_request':
        return { want: 'Try again', how: `put the label \`${step.label}\` on ${pull} again` };
      case 'ask_review_again':
        return { want: 'Try again', how: `request changes on ${pull} again` };
      case 'say_more':
        return { want: 'Go on talking', how: 'write a comment on the issue' };
      case 'end_discussion':
        return { want: 'End the conversation', how: `take the label \`${step.label}\` off` };
      case 'review':
        return { want: 'Review the work', how: `${pull}: “Request changes” has the agent revise it` };
      case 'have_reviewed':
        return { want: 'Have an agent review it', how: `put the label \`${step.label}\` on ${pull}` };
      case 'read_review':
        return { want: 'Read the review', how: pull };
      case 'have_worked_in':
        return { want: 'Have it worked in', how: `request changes on ${pull}` };
      case 'revise':
        return {
          want: 'Have it revised without a review',
          how: `put the label \`${step.label}\` on the [issue](${issuePage})`,
        };
      case 'go_on':
        return {
          want: `Next stage (${step.profiles.join(', ')})`,
          how: `put the label \`${step.label}\` on the [issue](${issuePage})`,
        };
      case 'go_back':
        return { want: 'Do the stage anew', how: `put the label \`${step.label}\` on the [issue](${issuePage})` };
      case 'rethink':
        return {
          want: 'Go back to an earlier stage',
          how: `put the label \`${step.label}\` on the [issue](${issuePage})`,
        };
    }
  },
};

const RU: NextStepTexts = {
  title: 'Что дальше',
  want: 'Что нужно',
  how: 'Что сделать',
  steps(step, { runPage, issuePage, runId, pullRequest }) {
    const pull = pullRequest ?? 'pull request';
    switch (step.step) {
      case 'follow':
        return { want: 'Следить за агентом', how: `[журнал](${runPage})` };
      case 'answer':
        return {
          want: 'Ответить на вопрос',
          how: `написать комментарий к issue: номер или текст варианта, а если вариантов нет, ответ своими словами; или \`codex-k8s runs answer ${runId} TEXT\``,
        };
      case 'resume':
        return { want: 'Возобновить', how: `\`codex-k8s runs resume ${runId}\`` };
      case 'see_queue':
        return { want: 'Узнать, чего он ждёт', how: `[этот issue на панели](${issuePage})` };
      case 'see_why':
        return { want: 'Узнать, что случилось', how: `[журнал](${runPage})` };
      case 'see_end':
        return { want: 'Узнать, что сделано', how: `[журнал](${runPage})` };
      case 'cancel_by_label':
        return { want: 'Отменить', how: `снять метку \`${step.label}\`` };
      case 'cancel_by_command':
        return {
          want: 'Отменить',
          how: `\`codex-k8s runs cancel ${runId}\` или кнопка на [странице запуска](${runPage})`,
        };
      case 'ask_again':
        return { want: 'Повторить', how: `снова поставить метку \`${step.label}\` на issue` };
      case 'ask_again_on_pull_request':
        return { want: 'Повторить', how: `снова поставить метку \`${step.label}\` на ${pull}` };
      case 'ask_review_again':
        return { want: 'Повторить', how: `снова запросить изменения в ${pull}` };
      case 'say_more':
        return { want: 'Продолжить разговор', how: 'написать комментарий к issue' };
      case 'end_discussion':
        return { want: 'Закончить разговор', how: `снять метку \`${step.label}\`` };
      case 'review':
        return { want: 'Проверить работу', how: `${pull}: «Request changes» запускает доработку` };
      case 'have_reviewed':
        return { want: 'Поручить проверку агенту', how: `поставить метку \`${step.label}\` на ${pull}` };
      case 'read_review':
        return { want: 'Прочитать ревью', how: pull };
      case 'have_worked_in':
        return { want: 'Поручить доработку', how: `запросить изменения в ${pull}` };
      case 'revise':
        return { want: 'Доработать без ревью', how: `поставить метку \`${step.label}\` на [issue](${issuePage})` };
      case 'go_on':
        return {
          want: `Следующий этап (${step.profiles.join(', ')})`,
          how: `поставить метку \`${step.label}\` на [issue](${issuePage})`,
        };
      case 'go_back':
        return { want: 'Пройти этап заново', how: `поставить метку \`${step.label}\` на [issue](${issuePage})` };
      case 'rethink':
        return {
          want: 'Вернуться к более раннему этапу',
          how: `поставить метку \`${step.label}\` на [issue](${issuePage})`,
        };
    }
  },
};

const TEXTS: Readonly<Record<Locale, NextStepTexts>> = { en: EN, ru: RU };

/** The texts of a locale. */
export function nextStepTexts(locale: Locale): NextStepTexts {
  return TEXTS[locale];
}
