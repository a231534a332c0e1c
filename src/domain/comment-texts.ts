/** The words of what the platform writes on GitHub, in the languages a project can choose (requirements.md 3.5). */
import type { Failure, RunStatus } from './runs.ts';

export type Locale = 'en' | 'ru';

interface CommentTexts {
  title(label: string): string;
  details: string;
  queued(place: number): string;
  succeeded(pullRequest: number): string;
  /** Somebody merged it while the agent still worked. */
  merged(pullRequest: number, by: string): string;
  canceled(by: string, reason: string): string;
  states: Record<RunStatus, string>;
  steps: Record<RunStatus, string>;
  timeline: string;
  facts: {
    run: string;
    requestedBy: string;
    branch: string;
    environment: string;
    environmentUntil: string;
    model: string;
    pullRequest: string;
  };
  failures: Record<Failure, string>;
  nextTitle: string;
  next: Record<RunStatus, string>;
  /** Where a review asked for the run, and there is no label to take off or to put on. */
  nextAfterReview: Partial<Record<RunStatus, string>>;
  refused: { title: string; reasons: Record<string, string>; unknown: string; remove: string; code: string };
  pullRequest: { checks: string; passed: string; failed: string; requested(label: string, by: string): string };
  reviewAnswer: string;
}

const EN: CommentTexts = {
  title: (label) => `Agent run: \`${label}\``,
  details: 'Details',
  queued: (place) => `Waiting for its turn: place ${place} in this issue's queue.`,
  succeeded: (pullRequest) => `Done. The work is in #${pullRequest} and waits for your review.`,
  merged: (pullRequest, by) => `Done: ${by} merged #${pullRequest} meanwhile, so the agent was stopped.`,
  canceled: (by, reason) => `Canceled by ${by}: ${reason}.`,
  states: {
    queued: 'Waiting for its turn.',
    preparing: 'Preparing the environment.',
    running: 'The agent is working.',
    publishing: 'The agent is done; its work is being published.',
    succeeded: 'Done.',
    failed: 'The run failed.',
    canceled: 'The run was canceled.',
  },
  steps: {
    queued: 'Requested',
    preparing: 'Environment in preparation',
    running: 'Agent working',
    publishing: 'Work being published',
    succeeded: 'Finished',
    failed: 'Failed',
    canceled: 'Canceled',
  },
  timeline: 'Timeline',
  facts: {
    run: 'Run',
    requestedBy: 'Requested by',
    branch: 'Branch',
    environment: 'Environment',
    environmentUntil: 'Environment kept until',
    model: 'Model',
    pullRequest: 'Pull request',
  },
  failures: {
    agent_failed: 'The agent ended with an error.',
    no_changes: 'The agent finished without changing anything, so there is no pull request.',
    answer_invalid: 'The agent did not give its answer in the form that was asked for.',
    agent_stalled: 'Nothing was heard from the agent for too long, so it was stopped.',
    deadline_exceeded: 'The agent worked longer than a run may take, so it was stopped.',
    push_rejected:
      'Somebody pushed to the branch while the agent worked, so its push was rejected. Nothing was overwritten.',
    clone_failed: 'The repository could not be cloned.',
    agent_lost: "The agent's process disappeared without a report, and starting it again did not help.",
    launch_failed: 'The agent could not be started.',
    pull_request_not_found: 'There is no open pull request to revise.',
    publish_failed: 'The work is pushed, but GitHub refused the pull request.',
    platform_error: 'The platform failed; this is not about your issue.',
  },
  nextTitle: 'Next:',
  next: {
    queued: '',
    preparing: 'take the label `{label}` off to cancel.',
    running: 'follow [the live log]({url}), or take the label `{label}` off to cancel.',
    publishing: '',
    succeeded:
      'review the pull request. “Request changes” starts a revise; merging it closes the issue and removes the environment.',
    failed: 'read [the log]({url}), then put the label `{label}` on again to try once more.',
    canceled: 'put the label `{label}` on again to start anew.',
  },
  nextAfterReview: {
    preparing: '`codex-k8s runs cancel {run}` cancels it.',
    running: 'follow [the live log]({url}); `codex-k8s runs cancel {run}` cancels it.',
    failed: 'read [the log]({url}), then request changes again to try once more.',
    canceled: 'request changes again to start anew.',
  },
  refused: {
    title: 'No run was started',
    reasons: {
      issue_trigger_label_conflict:
        'This issue carries several labels that start a run, and only one may be on at a time.',
      stage_not_launchable: 'This installation cannot run that stage yet.',
      sender_not_project_member: 'You are not a member of the project that this repository belongs to.',
      sender_role_read_not_permitted: 'Your role in the project may read, but not start runs.',
      sender_role_not_permitted: 'You have no role in the project that may start runs.',
      pull_request_review_stage_ambiguous:
        'The labels on the pull request name several stages, so it is unclear which one to revise.',
      pull_request_review_stage_not_resolved: 'It is unclear which stage the review sends back.',
      queue_full: 'Too many runs of this issue wait already. Ask again when one of them has finished.',
      review_outdated:
        'The review is of a commit that is not the newest any more. Look at the newest one, and request changes again if they are still needed.',
    },
    unknown: 'The request could not be carried out.',
    remove: 'Take off all of these but one, then put the one you want on again:',
    code: 'Reason',
  },
  pullRequest: {
    checks: 'Checks',
    passed: 'passed',
    failed: 'failed',
    requested: (label, by) => `Requested with \`${label}\` by @${by}.`,
  },
  reviewAnswer: 'The review was worked in.',
};

const RU: CommentTexts = {
  title: (label) => `Запуск агента: \`${label}\``,
  details: 'Подробности',
  queued: (place) => `Ждёт своей очереди: место ${place} в очереди этого issue.`,
  succeeded: (pullRequest) => `Готово. Работа лежит в #${pullRequest} и ждёт ревью.`,
  merged: (pullRequest, by) => `Готово: тем временем #${pullRequest} слит (${by}), агент остановлен.`,
  canceled: (by, reason) => `Отменено (${by}): ${reason}.`,
  states: {
    queued: 'Ждёт своей очереди.',
    preparing: 'Готовится окружение.',
    running: 'Агент работает.',
    publishing: 'Агент закончил, результат публикуется.',
    succeeded: 'Готово.',
    failed: 'Запуск не удался.',
    canceled: 'Запуск отменён.',
  },
  steps: {
    queued: 'Запрошено',
    preparing: 'Подготовка окружения',
    running: 'Агент работает',
    publishing: 'Публикация результата',
    succeeded: 'Завершено',
    failed: 'Ошибка',
    canceled: 'Отменено',
  },
  timeline: 'Ход работы',
  facts: {
    run: 'Запуск',
    requestedBy: 'Запросил',
    branch: 'Ветка',
    environment: 'Окружение',
    environmentUntil: 'Окружение хранится до',
    model: 'Модель',
    pullRequest: 'Pull request',
  },
  failures: {
    agent_failed: 'Агент завершился с ошибкой.',
    no_changes: 'Агент закончил, ничего не изменив, поэтому pull request не создан.',
    answer_invalid: 'Агент дал ответ не в той форме, которую у него просили.',
    agent_stalled: 'От агента слишком долго не было вестей, он остановлен.',
    deadline_exceeded: 'Агент работал дольше, чем разрешено, и был остановлен.',
    push_rejected:
      'Пока агент работал, кто-то отправил изменения в ту же ветку, и его push был отклонён. Ничего не перезаписано.',
    clone_failed: 'Не удалось клонировать репозиторий.',
    agent_lost: 'Процесс агента исчез без отчёта, повторный запуск не помог.',
    launch_failed: 'Не удалось запустить агента.',
    pull_request_not_found: 'Нет открытого pull request, который можно доработать.',
    publish_failed: 'Работа отправлена, но GitHub отклонил pull request.',
    platform_error: 'Сбой самой платформы; дело не в вашем issue.',
  },
  nextTitle: 'Дальше:',
  next: {
    queued: '',
    preparing: 'чтобы отменить, снимите метку `{label}`.',
    running: 'смотрите [журнал]({url}); чтобы отменить, снимите метку `{label}`.',
    publishing: '',
    succeeded:
      'проверьте pull request. «Request changes» запускает доработку; слияние закрывает issue и удаляет окружение.',
    failed: 'прочитайте [журнал]({url}) и снова поставьте метку `{label}`, чтобы повторить.',
    canceled: 'чтобы начать заново, снова поставьте метку `{label}`.',
  },
  nextAfterReview: {
    preparing: 'отменить: `codex-k8s runs cancel {run}`.',
    running: 'смотрите [журнал]({url}); отменить: `codex-k8s runs cancel {run}`.',
    failed: 'прочитайте [журнал]({url}) и снова запросите изменения, чтобы повторить.',
    canceled: 'чтобы начать заново, снова запросите изменения.',
  },
  refused: {
    title: 'Запуск не создан',
    reasons: {
      issue_trigger_label_conflict: 'На этом issue несколько меток запуска, а допустима только одна.',
      stage_not_launchable: 'Эта установка пока не умеет выполнять такой этап.',
      sender_not_project_member: 'Вы не участник проекта, к которому относится репозиторий.',
      sender_role_read_not_permitted: 'Ваша роль в проекте позволяет читать, но не запускать.',
      sender_role_not_permitted: 'У вас нет роли в проекте, которая позволяет запускать.',
      pull_request_review_stage_ambiguous:
        'Метки на pull request называют несколько этапов, неясно, какой дорабатывать.',
      pull_request_review_stage_not_resolved: 'Неясно, какой этап возвращает ревью.',
      queue_full: 'Слишком много запусков этого issue уже ждут. Повторите, когда один из них закончится.',
      review_outdated:
        'Ревью относится не к последнему коммиту. Посмотрите последний и, если нужно, снова запросите изменения.',
    },
    unknown: 'Запрос не может быть выполнен.',
    remove: 'Снимите все метки, кроме одной, и поставьте нужную заново:',
    code: 'Причина',
  },
  pullRequest: {
    checks: 'Проверки',
    passed: 'пройдена',
    failed: 'не пройдена',
    requested: (label, by) => `Запрошено меткой \`${label}\`, @${by}.`,
  },
  reviewAnswer: 'Замечания ревью учтены.',
};

/** The texts of a locale. */
export function commentTexts(locale: Locale): CommentTexts {
  return locale === 'ru' ? RU : EN;
}
