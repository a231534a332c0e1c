/** The payload of a `push` webhook for a ref that moved. */
import type { RepoRow, UserRow } from '../rows.ts';
import { isAncestor, ZERO_SHA, type RefChange } from './bare.ts';
import { git } from './command.ts';

/** GitHub lists at most this many commits of a push. */
const MOST_COMMITS = 2048;

interface PushedCommit {
  id: string;
  added: string[];
  removed: string[];
  modified: string[];
  [field: string]: unknown;
}

/** The fields of a push payload without repository and sender. */
export async function describePush(
  directory: string,
  repo: RepoRow,
  change: RefChange,
  pusher: UserRow,
  baseUrl: string,
): Promise<Record<string, unknown>> {
  const { ref, before, after } = change;
  const page = `${baseUrl}/${repo.full_name}`;
  const forced = before !== null && after !== null && !(await isAncestor(directory, before, after));
  const commits = after === null ? [] : await pushedCommits(directory, change, page);
  const span = `${(before ?? ZERO_SHA).slice(0, 12)}...${(after ?? ZERO_SHA).slice(0, 12)}`;
  return {
    ref,
    before: before ?? ZERO_SHA,
    after: after ?? ZERO_SHA,
    created: before === null,
    deleted: after === null,
    forced,
    base_ref: null,
    compare: `${page}/compare/${span}`,
    commits,
    head_commit: commits.at(-1) ?? null,
    pusher: { name: pusher.login, email: pusher.email ?? `${pusher.login}@users.noreply.github.com` },
  };
}

async function pushedCommits(
  directory: string,
  { ref, before, after }: RefChange,
  page: string,
): Promise<PushedCommit[]> {
  const range =
    before === null
      ? [`${after}`, '--not', `--exclude=${ref}`, '--exclude=refs/pull/*', '--all']
      : [`${before}..${after}`];
  const format = '--format=%x00%H%x01%T%x01%cI%x01%an%x01%ae%x01%cn%x01%ce%x01%B%x01';
  const args = [
    'log',
    '--reverse',
    `--max-count=${MOST_COMMITS}`,
    '--name-status',
    '--no-renames',
    format,
    ...range,
    '--',
  ];
  const { stdout } = await git(directory, args);
  return stdout
    .split('\0')
    .slice(1)
    .map((record) => pushedCommit(record, page));
}

function pushedCommit(record: string, page: string): PushedCommit {
  const [id = '', tree_id, timestamp, authorName, authorEmail, name, email, message = '', files = ''] =
    record.split('\x01');
  const touched = (letter: string): string[] =>
    files.split('\n').flatMap((line) => (line.startsWith(`${letter}\t`) ? line.slice(2) : []));
  return {
    id,
    tree_id,
    distinct: true,
    message: message.trimEnd(),
    timestamp,
    url: `${page}/commit/${id}`,
    author: { name: authorName, email: authorEmail },
    committer: { name, email },
    added: touched('A'),
    removed: touched('D'),
    modified: touched('M'),
  };
}
