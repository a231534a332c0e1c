/** The texts of the platform's comments on GitHub, in each language. */
import { CLI_NAMES, type AgentCliName } from '../stages/clis.ts';
import type { Locale } from '../locale.ts';
import type { Failure, RunStatus } from '../run/runs.ts';
import type { WaitKind } from '../run/waits.ts';

interface CommentTexts {
  title(label: string): string;
  details: string;
  queued(position: number, of?: 'project'): string;
  succeeded(pullRequest: number): string;
  /** Somebody merged it while the agent still worked. */
  merged(pullRequest: number, actor: string): string;
  canceled(actor: string, reason: string): string;
  states: Record<RunStatus, string>;
  steps: Record<RunStatus, string>;
  /** By kind of wait; `until` is its deadline. */
  waits: Record<WaitKind, (until: string) => string>;
  /** What nobody sees of the issue's texts, and the agent was not given. */
  hidden(removed: number): string;
  /** The documents that `services.yaml` names were left out. */
  documentsProblem(problem: string): string;
  queuedAgain: string;
  timeline: string;
  facts: {
    run: string;
    requestedBy: string;
    branch: string;
    workspace: string;
    workspaceUntil: string;
    agent: string;
    model: string;
    pullRequest: string;
  };
  agents: Record<AgentCliName, string>;
  failures: Record<Failure, string>;
  refused: {
    title: string;
    reasons: Record<string, string>;
    unknown: string;
    remove: string;
    takeOff: string;
    possible: string;
    code: string;
  };
  pullRequest: { checks: string; passed: string; failed: string; requested(label: string, actor: string): string };
  reviewAnswer: string;
}

const EN: CommentTexts = {
  title: (label) => `Agent run: \`${label}\``,
  details: 'Details',
  queued: (position, of) =>
    `Queued: position ${position} in ${of === 'project' ? 'the queue of the project' : "this issue's queue"}.`,
  succeeded: (pullRequest) => `Done. The work is in #${pullRequest} and waits for your review.`,
  merged: (pullRequest, actor) => `Done: ${actor} merged #${pullRequest} meanwhile, so the agent was stopped.`,
  canceled: (actor, reason) => `Canceled by ${actor}: ${reason}.`,
  states: {
    queued: 'Queued.',
    preparing: 'Preparing the workspace.',
    working: 'The agent is working.',
    waiting: 'Waiting for people.',
    publishing: 'The agent is done; its work is being published.',
    succeeded: 'Done.',
    failed: 'The run failed.',
    canceled: 'The run was canceled.',
  },
  steps: {
    queued: 'Requested',
    preparing: 'Preparing the workspace',
    working: 'Agent working',
    waiting: 'Waiting for people',
    publishing: 'Publishing the work',
    succeeded: 'Finished',
    failed: 'Failed',
    canceled: 'Canceled',
  },
  waits: {
    question: (until) => `The agent has asked a question. Anybody who may start runs can answer it until ${until}.`,
    approval: (until) =>
      `A tool call of the agent waits for an approval until ${until}; its comment says who may decide.`,
    paused: (until) => `Paused by an operator. Unless it is resumed by ${until}, the run fails.`,
  },
  hidden: (removed) =>
    `⚠️ ${removed} hidden passages or invisible characters were removed from what people wrote before the agent read it.`,
  documentsProblem: (problem) => `⚠️ The agent was not told of the project's documents: \`services.yaml\` ${problem}.`,
  queuedAgain: 'Queued in the project',
  timeline: 'Timeline',
  facts: {
    run: 'Run',
    requestedBy: 'Requested by',
    branch: 'Branch',
    workspace: 'Workspace',
    workspaceUntil: 'Workspace kept until',
    agent: 'Agent',
    model: 'Model',
    pullRequest: 'Pull request',
  },
  agents: CLI_NAMES,
  failures: {
    agent_failed: 'The agent ended with an error.',
    no_changes: 'The agent finished without changing anything, so there is no pull request.',
    answer_invalid: 'The agent did not give its answer in the required format.',
    unmerged: 'The agent stopped in the middle of a merge, or left conflict markers in files.',
    agent_stalled: 'The agent wrote nothing for too long, so it was stopped.',
    deadline_exceeded: 'The agent worked longer than a run may take, so it was stopped.',
    push_refused: 'The push was refused for the reason below, so the work is not on GitHub.',
    push_rejected:
      'Somebody pushed to the branch while the agent worked, so its push was rejected. Nothing was overwritten.',
    branch_conflict: 'A branch of the repository stands in the way of the branch of this run.',
    clone_failed: 'The repository could not be cloned.',
    edited_since: 'The issue was edited after the label was put on, so it is unclear what you asked for.',
    repository_empty: 'The repository has no commit to start from.',
    agent_lost: "The agent's process disappeared without a report, and starting it again did not help.",
    agent_error: "The agent's runner failed without a report.",
    agent_oom: 'The agent used more memory than allowed, so it was killed.',
    disk_exceeded: 'The agent wrote more on disk than allowed, so it was killed.',
    evicted: "The agent's node was short of resources, and starting it again did not help.",
    node_lost: "The agent's node was lost, and starting it again did not help.",
    image_pull: "The agent's image cannot be pulled.",
    unschedulable: 'No node of the cluster has room for the agent.',
    quota_exceeded: "The quota of the issue's namespace is exhausted.",
    container_error: "The agent's container could not be created.",
    sandbox_rejected: "The cluster's policies refused the agent's pod.",
    launch_failed: 'The agent could not be started.',
    pull_request_not_found: 'There is no open pull request to revise.',
    nothing_to_revise:
      'There is nothing to revise: no review that requests changes, no open thread, and no new comment on the pull request or the issue.',
    prompt_unusable: "The repository's own prompt for this stage cannot be used, so no agent was started.",
    failed_precondition: 'The labels contradict each other, so it is unclear how the agent is to work.',
    scope_violation:
      'The work changes files that this stage may not change. It was pushed, but no pull request was opened or updated for it.',
    publish_failed: 'The work is pushed, but GitHub refused the pull request.',
    wait_expired: 'Nobody answered in time, so the run was ended.',
    budget_spent: 'Its budget for the model was spent, and it was stopped.',
    platform_error: 'The platform itself failed; your issue is not the cause.',
  },
  refused: {
    title: 'No run was started',
    reasons: {
      issue_trigger_label_conflict:
        'This issue carries several labels that start a run, and only one may be on at a time.',
      sender_not_project_member: 'You are not a member of the project that this repository belongs to.',
      sender_role_read_not_permitted: 'Your role in the project may read, but not start runs.',
      sender_role_not_permitted: 'You have no role in the project that may start runs.',
      pull_request_review_stage_ambiguous:
        'The labels on the pull request name several stages, so it is unclear which one to revise.',
      pull_request_review_stage_not_resolved: 'It is unclear which stage the review sends back.',
      state_blocked: 'The issue is blocked: nothing is started while that label is on.',
      needs_input: 'The issue waits for a person to answer: nothing is started while that label is on.',
      profile_label_conflict: 'The issue carries several profiles, and only one can be followed.',
      stage_not_in_profile:
        'The profile of this issue does not have that stage. Choose another profile with a label, or another stage.',
      stage_entry_not_met:
        'The stage before this one is not done yet. A profile that leaves it out can be chosen with a label.',
      issue_trigger_candidate_not_found: 'This stage needs a pull request of this issue, and there is none yet.',
      discussion_mode_trigger_label_conflict: 'A discussion cannot begin while a run is active, queued or requested.',
      trigger_by_agent: 'An agent asked for this. A person who may start runs has to put the label on.',
      pull_request_not_current:
        'This is not the open pull request of the issue, so agents do not work on its branch any more.',
      too_many_triggers:
        'This issue has asked for too many runs within an hour, so nothing more is started. If that is meant, take `need:input` off and ask again; until then its labels and reviews start nothing.',
      queue_full: 'Too many runs of this issue are queued already. Ask again when one of them has finished.',
      review_outdated:
        'The review is of a commit that is not the newest any more. Look at the newest one, and request changes again if they are still needed.',
    },
    unknown: 'The request could not be carried out.',
    remove: 'Take off all of these but one, then put the one you want on again:',
    takeOff: 'Take it off, then ask again:',
    possible: 'Possible now:',
    code: 'Reason',
  },
  pullRequest: {
    checks: 'Checks',
    passed: 'passed',
    failed: 'failed',
    requested: (label, actor) => `Requested with \`${label}\` by @${actor}.`,
  },
  reviewAnswer: 'The review was addressed.',
};

const RU: CommentTexts = {
  title: (label) => `Запуск агента: \`${label}\``,
  details: 'Подробности',
  queued: (position, of) => `В очереди ${of === 'project' ? 'проекта' : 'этого issue'}, место ${position}.`,
  succeeded: (pullRequest) => `Готово. Результат в #${pullRequest}, ждёт вашего ревью.`,
  merged: (pullRequest, actor) => `Готово: #${pullRequest} уже слит (${actor}), поэтому агент остановлен.`,
  canceled: (actor, reason) => `Отменено (${actor}): ${reason}.`,
  states: {
    queued: 'В очереди.',
    preparing: 'Готовится рабочее пространство.',
    working: 'Агент работает.',
    waiting: 'Ждёт ответа или действия человека.',
    publishing: 'Агент закончил, результат публикуется.',
    succeeded: 'Готово.',
    failed: 'Запуск не удался.',
    canceled: 'Запуск отменён.',
  },
  steps: {
    queued: 'Запрошено',
    preparing: 'Подготовка рабочего пространства',
    working: 'Агент работает',
    waiting: 'Ожидание человека',
    publishing: 'Публикация результата',
    succeeded: 'Завершено',
    failed: 'Ошибка',
    canceled: 'Отменено',
  },
  waits: {
    question: (until) =>
      `Агент задал вопрос и ждёт ответа до ${until}. Ответить может любой, кто вправе запускать агентов.`,
    approval: (until) =>
      `Вызов инструмента агентом ждёт разрешения до ${until}; кто решает, сказано в его комментарии.`,
    paused: (until) => `Приостановлено оператором. Если не возобновить до ${until}, запуск завершится ошибкой.`,
  },
  hidden: (removed) =>
    `⚠️ Из текстов удалены скрытые места и невидимые символы (${removed}), прежде чем их прочитал агент.`,
  documentsProblem: (problem) => `⚠️ Агенту не сообщили о документах проекта: \`services.yaml\` ${problem}.`,
  queuedAgain: 'В очереди проекта',
  timeline: 'Ход работы',
  facts: {
    run: 'Запуск',
    requestedBy: 'Запросил',
    branch: 'Ветка',
    workspace: 'Рабочее пространство',
    workspaceUntil: 'Рабочее пространство хранится до',
    agent: 'Агент',
    model: 'Модель',
    pullRequest: 'Pull request',
  },
  agents: { ...CLI_NAMES, command: 'собственная программа проекта' },
  failures: {
    agent_failed: 'Агент завершился с ошибкой.',
    no_changes: 'Агент закончил, ничего не изменив, поэтому pull request не создан.',
    answer_invalid: 'Ответ агента не соответствует требуемому формату.',
    unmerged: 'Агент остановился посреди слияния или оставил в файлах маркеры конфликтов.',
    agent_stalled: 'Агент слишком долго ничего не выводил и был остановлен.',
    deadline_exceeded: 'Агент работал дольше, чем разрешено, и был остановлен.',
    push_refused: 'Push отклонён по причине ниже, поэтому результата на GitHub нет.',
    push_rejected:
      'Пока агент работал, кто-то отправил изменения в ту же ветку, и его push был отклонён. Ничего не перезаписано.',
    branch_conflict: 'Ветке этого запуска мешает другая ветка репозитория.',
    clone_failed: 'Не удалось клонировать репозиторий.',
    edited_since: 'Текст issue изменили после того, как поставили метку, поэтому неясно, о чём просили.',
    repository_empty: 'В репозитории нет коммита, с которого можно начать.',
    agent_lost: 'Процесс агента пропал, не прислав отчёта; повторный запуск не помог.',
    agent_error: 'Раннер агента завершился с ошибкой, не прислав отчёта.',
    agent_oom: 'Агент превысил лимит памяти и был остановлен.',
    disk_exceeded: 'Агент превысил лимит места на диске и был остановлен.',
    evicted: 'Узлу агента не хватило ресурсов; повторный запуск не помог.',
    node_lost: 'Узел агента потерян; повторный запуск не помог.',
    image_pull: 'Не удалось загрузить образ агента.',
    unschedulable: 'Ни на одном узле кластера нет места для агента.',
    quota_exceeded: 'Квота пространства имён этого issue исчерпана.',
    container_error: 'Не удалось создать контейнер агента.',
    sandbox_rejected: 'Политики кластера не допустили под агента.',
    launch_failed: 'Не удалось запустить агента.',
    pull_request_not_found: 'Нет открытого pull request, который можно доработать.',
    nothing_to_revise:
      'Дорабатывать нечего: нет ревью с требованиями, открытых обсуждений и новых комментариев к pull request или issue.',
    prompt_unusable: 'Собственный промпт репозитория для этого этапа использовать нельзя, поэтому агент не запущен.',
    failed_precondition: 'Метки противоречат друг другу: неясно, как должен работать агент.',
    scope_violation:
      'Изменены файлы, которые на этом этапе менять нельзя. Изменения отправлены в ветку, но pull request не создан и не обновлён.',
    publish_failed: 'Изменения отправлены в ветку, но GitHub отклонил pull request.',
    wait_expired: 'Ответа слишком долго не было, поэтому запуск завершён.',
    budget_spent: 'Бюджет на модель израсходован, и запуск остановлен.',
    platform_error: 'Сбой самой платформы; ваш issue ни при чём.',
  },
  refused: {
    title: 'Агент не запущен',
    reasons: {
      issue_trigger_label_conflict: 'На этом issue несколько меток запуска, а допустима только одна.',
      sender_not_project_member: 'Вы не участник проекта, к которому относится репозиторий.',
      sender_role_read_not_permitted: 'Ваша роль в проекте даёт право на чтение, но не на запуск агентов.',
      sender_role_not_permitted: 'У вас нет роли в проекте, которая даёт право запускать агентов.',
      pull_request_review_stage_ambiguous:
        'Метки на pull request указывают на несколько этапов: неясно, какой дорабатывать.',
      pull_request_review_stage_not_resolved: 'Неясно, какой этап ревью возвращает на доработку.',
      state_blocked: 'Issue заблокирован: пока эта метка стоит, ничего не запускается.',
      needs_input: 'Issue ждёт ответа человека: пока эта метка стоит, ничего не запускается.',
      profile_label_conflict: 'На issue несколько меток профиля, а допустима только одна.',
      stage_not_in_profile: 'В профиле этого issue нет такого этапа. Выберите меткой другой профиль или другой этап.',
      stage_entry_not_met: 'Предыдущий этап ещё не завершён. Меткой можно выбрать профиль, в котором его нет.',
      issue_trigger_candidate_not_found: 'Для этого этапа нужен pull request этого issue, а его ещё нет.',
      discussion_mode_trigger_label_conflict:
        'Обсуждение нельзя начать, пока есть активный, ожидающий или запрошенный запуск.',
      trigger_by_agent: 'Этот запуск запросил агент. Метку должен поставить человек, который вправе запускать агентов.',
      pull_request_not_current: 'Это не текущий pull request этого issue, агенты больше не работают в его ветке.',
      too_many_triggers:
        'За час этот issue запросил слишком много запусков, поэтому больше ничего не запускается. Если так и задумано, снимите `need:input` и повторите; до тех пор метки и ревью ничего не запускают.',
      queue_full: 'В очереди уже слишком много запусков этого issue. Повторите, когда один из них завершится.',
      review_outdated:
        'Ревью относится не к последнему коммиту. Посмотрите последний и, если нужно, снова запросите изменения.',
    },
    unknown: 'Выполнить запрос невозможно.',
    remove: 'Снимите все метки, кроме одной, и поставьте нужную заново:',
    takeOff: 'Снимите её и повторите запрос:',
    possible: 'Сейчас доступны:',
    code: 'Причина',
  },
  pullRequest: {
    checks: 'Проверки',
    passed: 'пройдена',
    failed: 'не пройдена',
    requested: (label, actor) => `Запрошено меткой \`${label}\`, @${actor}.`,
  },
  reviewAnswer: 'Замечания ревью учтены.',
};

const TEXTS: Readonly<Record<Locale, CommentTexts>> = { en: EN, ru: RU };

/** The texts of a locale. */
export function commentTexts(locale: Locale): CommentTexts {
  return TEXTS[locale];
}
