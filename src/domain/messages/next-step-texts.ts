/** The texts of the next steps, in each language. */
import type { Locale } from '../locale.ts';
import type { NextStep } from './next-steps.ts';

/** The links in the texts, as Markdown. */
interface Links {
  readonly runPage: string;
  readonly issuePage: string;
  /** The issue on GitHub, where labels are put on. */
  readonly issue: string;
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
  steps(step, { runPage, issuePage, issue, runId, pullRequest }) {
    const pull = pullRequest ?? 'the pull request';
    switch (step.step) {
      case 'follow':
        return { want: 'Follow the agent', how: `[live log](${runPage})` };
      case 'answer':
        return {
          want: 'Answer the question',
          how: `comment on the issue with the number or text of an option, or with your own answer if there are none; or \`codex-k8s runs answer ${runId} TEXT\``,
        };
      case 'resume':
        return { want: 'Resume the run', how: `\`codex-k8s runs resume ${runId}\`` };
      case 'see_queue':
        return { want: 'See what it waits for', how: `[this issue on the dashboard](${issuePage})` };
      case 'see_why':
        return { want: 'See what went wrong', how: `[log](${runPage})` };
      case 'see_end':
        return { want: 'See how far it got', how: `[log](${runPage})` };
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
        return { want: 'Continue the discussion', how: 'write a comment on the issue' };
      case 'end_discussion':
        return { want: 'End the discussion', how: `take the label \`${step.label}\` off` };
      case 'review':
        return { want: 'Review the work', how: `${pull}: “Request changes” has the agent revise it` };
      case 'review_by_label':
        return {
          want: 'Review the work',
          how: `${pull}: comment on its lines or in its conversation, then put the label \`${step.label}\` on the issue ${issue}. GitHub does not let you request changes on pull requests that your own account has opened`,
        };
      case 'have_reviewed':
        return { want: 'Have an agent review it', how: `put the label \`${step.label}\` on ${pull}` };
      case 'read_review':
        return { want: 'Read the review', how: pull };
      case 'have_worked_in':
        return { want: 'Have it addressed', how: `request changes on ${pull}` };
      case 'have_worked_in_by_label':
        return {
          want: 'Have it addressed',
          how: `say on ${pull} what is to be changed, then put the \`:revise\` label of its stage on the issue ${issue}`,
        };
      case 'revise':
        return {
          want: 'Have it revised without a review',
          how: `put the label \`${step.label}\` on the issue ${issue}`,
        };
      case 'go_on':
        return {
          want: `Next stage (${step.profiles.join(', ')})`,
          how: `put the label \`${step.label}\` on the issue ${issue}`,
        };
      case 'go_back':
        return { want: 'Repeat the stage', how: `put the label \`${step.label}\` on the issue ${issue}` };
      case 'rethink':
        return {
          want: 'Go back to an earlier stage',
          how: `put the label \`${step.label}\` on the issue ${issue}`,
        };
    }
  },
};

const RU: NextStepTexts = {
  title: 'Что дальше',
  want: 'Что нужно',
  how: 'Что сделать',
  steps(step, { runPage, issuePage, issue, runId, pullRequest }) {
    const pull = pullRequest ?? 'pull request';
    switch (step.step) {
      case 'follow':
        return { want: 'Следить за агентом', how: `[журнал](${runPage})` };
      case 'answer':
        return {
          want: 'Ответить на вопрос',
          how: `написать в комментарии к issue номер или текст варианта, а если вариантов нет, ответить своими словами; или \`codex-k8s runs answer ${runId} TEXT\``,
        };
      case 'resume':
        return { want: 'Возобновить запуск', how: `\`codex-k8s runs resume ${runId}\`` };
      case 'see_queue':
        return { want: 'Узнать, чего ждёт запуск', how: `[этот issue на панели](${issuePage})` };
      case 'see_why':
        return { want: 'Узнать, что случилось', how: `[журнал](${runPage})` };
      case 'see_end':
        return { want: 'Узнать, что успел агент', how: `[журнал](${runPage})` };
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
        return { want: 'Продолжить обсуждение', how: 'написать комментарий к issue' };
      case 'end_discussion':
        return { want: 'Завершить обсуждение', how: `снять метку \`${step.label}\`` };
      case 'review':
        return { want: 'Провести ревью', how: `${pull}: «Request changes» запускает доработку` };
      case 'review_by_label':
        return {
          want: 'Провести ревью',
          how: `${pull}: оставить комментарии к строкам или в обсуждении, затем поставить метку \`${step.label}\` на issue ${issue}. На pull request своей же учётной записи GitHub не даёт запросить изменения`,
        };
      case 'have_reviewed':
        return { want: 'Поручить ревью агенту', how: `поставить метку \`${step.label}\` на ${pull}` };
      case 'read_review':
        return { want: 'Прочитать ревью', how: pull };
      case 'have_worked_in':
        return { want: 'Поручить доработку', how: `запросить изменения в ${pull}` };
      case 'have_worked_in_by_label':
        return {
          want: 'Учесть замечания',
          how: `написать в ${pull}, что изменить, затем поставить на issue ${issue} метку \`:revise\` его этапа`,
        };
      case 'revise':
        return { want: 'Доработать без ревью', how: `поставить метку \`${step.label}\` на issue ${issue}` };
      case 'go_on':
        return {
          want: `Следующий этап (${step.profiles.join(', ')})`,
          how: `поставить метку \`${step.label}\` на issue ${issue}`,
        };
      case 'go_back':
        return { want: 'Повторить этап', how: `поставить метку \`${step.label}\` на issue ${issue}` };
      case 'rethink':
        return {
          want: 'Вернуться к более раннему этапу',
          how: `поставить метку \`${step.label}\` на issue ${issue}`,
        };
    }
  },
};

const TEXTS: Readonly<Record<Locale, NextStepTexts>> = { en: EN, ru: RU };

/** The texts of a locale. */
export function nextStepTexts(locale: Locale): NextStepTexts {
  return TEXTS[locale];
}
