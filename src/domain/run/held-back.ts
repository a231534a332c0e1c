/**
 * New files that hardly ever belong into a pull request. The runner leaves them out of what it commits; the platform says so, and
 * also says which of them an agent has committed itself.
 */

export const HELD_BACK_REASONS = [
  'dependencies', // a folder that a package manager or a build fills
  'secret', // a name that files with secrets usually have
  'many', // one of hundreds of new files
  'large', // larger than GitHub recommends
  'repository', // a git repository of its own
] as const;
export type HeldBackReason = (typeof HELD_BACK_REASONS)[number];

/** New files of one place that were not committed. */
export interface HeldBack {
  /** A folder (with a slash at its end) or a file. */
  readonly path: string;
  /** The number of files. */
  readonly files: number;
  readonly reason: HeldBackReason;
}

/** Folders that package managers, virtual environments and build tools fill, by name. */
const DEPENDENCY_FOLDERS: ReadonlySet<string> = new Set([
  'node_modules',
  'bower_components',
  'jspm_packages',
  '.pnpm-store',
  '.npm',
  '.next',
  '.nuxt',
  '.svelte-kit',
  '.turbo',
  '.parcel-cache',
  '.venv',
  'venv',
  '__pycache__',
  '__pypackages__',
  'site-packages',
  '.tox',
  '.nox',
  '.eggs',
  '.mypy_cache',
  '.pytest_cache',
  '.ruff_cache',
  '.gradle',
  '.m2',
  '.rustup',
  'Pods',
  '.dart_tool',
  '.pub-cache',
  '.terraform',
  '.stack-work',
  '.cache',
]);

/** Names that files with secrets usually have, as in a .gitignore: `*` is any text. */
const SECRET_FILES = [
  '.env',
  '.env.*',
  '*.pem',
  '*.key',
  '*.p12',
  '*.pfx',
  '*.jks',
  '*.keystore',
  '*.ppk',
  '*.kdbx',
  '*.tfstate',
  '*.tfstate.backup',
  'id_rsa',
  'id_dsa',
  'id_ecdsa',
  'id_ed25519',
  '.netrc',
  '_netrc',
  '.pgpass',
  '.pypirc',
  '.git-credentials',
  '.htpasswd',
  'credentials.json',
  'service-account*.json',
  'kubeconfig',
];

/** Names like those above, of files that are there to be read. */
const PUBLIC_FILES = [
  '.env.example',
  '.env.*.example',
  '.env.sample',
  '.env.*.sample',
  '.env.template',
  '.env.dist',
  '.env.defaults',
  '.env.schema',
  '.env.test',
  '.env.ci',
  '*.pub.pem',
];

/** So many new files are committed without a question; of more, those of the fullest folders are left out. */
const MOST_NEW_FILES = 300;

/** Bytes of the largest new file that is committed; GitHub warns above this and refuses twice as much. */
export const LARGEST_NEW_FILE = 50 * 1024 * 1024;

/** Places that are named; the others are counted in the last one. */
export const MOST_PLACES = 20;

/** The lines of a .gitignore that leaves these files out, without folders of which some are tracked. */
export function excludeLines(trackedFolders: ReadonlySet<string>): readonly string[] {
  const tracked = new Set([...trackedFolders].map((folder) => folder.slice(folder.lastIndexOf('/') + 1)));
  const folders = [...DEPENDENCY_FOLDERS].filter((name) => !tracked.has(name)).map((name) => `${name}/`);
  return [...folders, ...SECRET_FILES, ...PUBLIC_FILES.map((name) => `!${name}`)];
}

/** The place and reason, if a new file of this path is one that hardly ever belongs into a pull request. */
function unwanted(
  path: string,
  trackedFolders: ReadonlySet<string> = new Set(),
): { readonly place: string; readonly reason: HeldBackReason } | undefined {
  if (path.endsWith('/')) return { place: path, reason: 'repository' };
  const segments = path.split('/');
  for (const [index, segment] of segments.slice(0, -1).entries()) {
    if (!DEPENDENCY_FOLDERS.has(segment)) continue;
    const folder = segments.slice(0, index + 1).join('/');
    return trackedFolders.has(folder) ? undefined : { place: `${folder}/`, reason: 'dependencies' };
  }
  const name = segments.at(-1) ?? '';
  return SECRET.test(name) && !PUBLIC.test(name) ? { place: path, reason: 'secret' } : undefined;
}

/** Parts new files into those to commit and those to leave out. `path` ends with a slash for a git repository of its own. */
export function holdBack(
  untracked: readonly { readonly path: string; readonly bytes: number }[],
  trackedFolders: ReadonlySet<string>,
): { readonly kept: readonly string[]; readonly held: readonly HeldBack[] } {
  const held = new Map<string, HeldBack>();
  const hold = (place: string, reason: HeldBackReason): void => {
    held.set(place, { path: place, files: (held.get(place)?.files ?? 0) + 1, reason });
  };
  const rest: string[] = [];
  for (const { path, bytes } of untracked) {
    const found = unwanted(path, trackedFolders);
    if (found) hold(found.place, found.reason);
    else if (bytes > LARGEST_NEW_FILE) hold(path, 'large');
    else rest.push(path);
  }
  const byFolder = Map.groupBy(rest, (path) => newFolderOf(path, trackedFolders));
  let left = rest.length;
  for (const [folder, paths] of [...byFolder].toSorted(([, one], [, other]) => other.length - one.length)) {
    if (left <= MOST_NEW_FILES) break;
    for (const _ of paths) hold(folder, 'many');
    byFolder.delete(folder);
    left -= paths.length;
  }
  return { kept: [...byFolder.values()].flat(), held: shortened([...held.values()]) };
}

/** Places of new files, of those that a pull request adds, that hardly ever belong into a repository. */
export function unwantedIn(added: readonly string[]): readonly HeldBack[] {
  const places = new Map<string, HeldBack>();
  for (const path of added) {
    const found = unwanted(path);
    if (found)
      places.set(found.place, {
        path: found.place,
        files: (places.get(found.place)?.files ?? 0) + 1,
        reason: found.reason,
      });
  }
  return shortened([...places.values()]);
}

/** The highest folder of a new file that has no tracked file; the file's own folder if all have. `./` is the repository's root. */
function newFolderOf(path: string, trackedFolders: ReadonlySet<string>): string {
  const folders = path.split('/').slice(0, -1);
  const fresh = folders.findIndex((_, index) => !trackedFolders.has(folders.slice(0, index + 1).join('/')));
  const shown = fresh === -1 ? folders : folders.slice(0, fresh + 1);
  return shown.length === 0 ? './' : `${shown.join('/')}/`;
}

/** The fullest places first; what is too much to name is counted in the last one. */
function shortened(places: readonly HeldBack[]): readonly HeldBack[] {
  const sorted = places.toSorted((one, other) => other.files - one.files);
  if (sorted.length <= MOST_PLACES) return sorted;
  const named = sorted.slice(0, MOST_PLACES - 1);
  const others = sorted.slice(MOST_PLACES - 1);
  const files = others.reduce((sum, place) => sum + place.files, 0);
  return [...named, { path: '…', files, reason: others[0]?.reason ?? 'many' }];
}

const SECRET = anyOf(SECRET_FILES);
const PUBLIC = anyOf(PUBLIC_FILES);

function anyOf(names: readonly string[]): RegExp {
  const patterns = names.map((name) => name.replaceAll('.', String.raw`\.`).replaceAll('*', '.*'));
  return new RegExp(`^(?:${patterns.join('|')})$`, 'i');
}
