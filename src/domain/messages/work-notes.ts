/** What a pull request and a comment say of files that were left out, and of content that the agent did not have. */
import type { Locale } from '../locale.ts';
import type { HeldBack, HeldBackReason } from '../run/held-back.ts';
import type { LostConversation, WorkNotes } from '../run/work-notes.ts';
import { codeLine } from './markdown.ts';

/** Characters of a path that are shown. */
const PATH_LENGTH = 200;

interface Texts {
  readonly heldBack: string;
  readonly files: (count: number) => string;
  readonly reasons: Readonly<Record<HeldBackReason, string>>;
  readonly lfs: (count: number) => string;
  readonly submodules: string;
  readonly lookClosely: string;
  readonly lostConversation: Readonly<Record<LostConversation, string>>;
}

const TEXTS: Readonly<Record<Locale, Texts>> = {
  en: {
    heldBack: 'Held back: these new files were not committed',
    files: (count) => (count === 1 ? '1 file' : `${count} files`),
    reasons: {
      dependencies: 'a folder of dependencies or of a build; add it to `.gitignore`',
      secret: 'its name is one of files with secrets',
      many: 'hundreds of new files',
      large: 'larger than 50 MiB',
      repository: 'a git repository of its own',
    },
    lfs: (count) =>
      `The agent had no content of Git LFS, only ${count === 1 ? '1 pointer' : `${count} pointers`}: what needs it was not tested.`,
    submodules: 'The agent had no content of these submodules: what needs it was not tested:',
    lostConversation: {
      missing: 'The earlier conversation was not stored: the agent began a new one, with a summary of the work so far.',
      damaged:
        'The stored conversation did not match its checksum: the agent began a new one, with a summary of the work so far.',
      refused:
        'The earlier conversation could not be gone on with: the agent began a new one, with a summary of the work so far.',
    },
    lookClosely: 'Look closely: the agent committed new files that hardly ever belong into a repository',
  },
  ru: {
    heldBack: 'Не вошло в коммит',
    files: (count) => `файлов: ${count}`,
    reasons: {
      dependencies: 'папка зависимостей или сборки; добавьте её в `.gitignore`',
      secret: 'имя, типичное для файла с секретами',
      many: 'сотни новых файлов',
      large: 'больше 50 МиБ',
      repository: 'отдельный репозиторий git',
    },
    lfs: (count) =>
      `У агента не было содержимого Git LFS, только указатели (${count}): то, что от него зависит, не проверено.`,
    submodules: 'У агента не было содержимого этих подмодулей: то, что от них зависит, не проверено:',
    lostConversation: {
      missing: 'Прежний разговор не сохранён: агент начал новый, получив сводку сделанного.',
      damaged: 'Контрольная сумма сохранённого разговора не совпала: агент начал новый, получив сводку сделанного.',
      refused: 'Прежний разговор продолжить не удалось: агент начал новый, получив сводку сделанного.',
    },
    lookClosely: 'Посмотрите внимательно: агент закоммитил новые файлы, которым в репозитории обычно не место',
  },
};

/** The notes as Markdown; empty if there are none. */
export function renderWorkNotes(notes: WorkNotes | undefined, locale: Locale): string {
  if (!notes) return '';
  const texts = TEXTS[locale];
  const { lfsFiles, submodules } = notes.absent;
  return [
    ...(notes.heldBack.length > 0 ? [placesAs(texts.heldBack, notes.heldBack, texts)] : []),
    ...(lfsFiles > 0 ? [texts.lfs(lfsFiles)] : []),
    ...(submodules.length > 0
      ? [`${texts.submodules} ${submodules.map((path) => codeLine(path, PATH_LENGTH)).join(', ')}`]
      : []),
    ...(notes.lostConversation === undefined ? [] : [texts.lostConversation[notes.lostConversation]]),
  ].join('\n\n');
}

/** The warning of a pull request that has such files nevertheless; empty if it has none. */
export function renderUnwanted(places: readonly HeldBack[], locale: Locale): string {
  return places.length === 0 ? '' : placesAs(TEXTS[locale].lookClosely, places, TEXTS[locale]);
}

function placesAs(title: string, places: readonly HeldBack[], texts: Texts): string {
  const lines = places.map(
    ({ path, files, reason }) => `- ${codeLine(path, PATH_LENGTH)} (${texts.files(files)}): ${texts.reasons[reason]}`,
  );
  return [`**${title}**`, '', ...lines].join('\n');
}
