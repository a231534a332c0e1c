/** Runs git on the server: in a directory of its own, without the machine's configuration, and with bounded memory. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';

/** Git failed; `output` is its standard error. */
export class GitFailed extends Error {
  override readonly name = 'GitFailed';
  readonly output: string;
  readonly exitCode: number | undefined;

  constructor(command: string, output: string, exitCode?: number) {
    super(`git ${command}: ${output}`);
    this.output = output;
    this.exitCode = exitCode;
  }
}

export interface GitDirectory {
  readonly path: string;
  /** The only configuration that is read ({@link writeSettings}). */
  readonly settingsFile: string;
  /** Settings of this directory, `key=value`. */
  readonly settings?: readonly string[];
  /** Where objects are looked for besides this repository. */
  readonly alternate?: string;
  /** Stops every command. */
  readonly signal: AbortSignal;
}

/** Writes the settings of every command, with the credential: arguments and environment can be seen by others. */
export async function writeSettings(
  file: string,
  remote: { readonly url: string; readonly token: string },
): Promise<void> {
  const credential = Buffer.from(`x-access-token:${remote.token}`).toString('base64');
  const lines = [
    '[remote "origin"]',
    `url = ${JSON.stringify(remote.url)}`,
    '[http]',
    `extraHeader = "Authorization: Basic ${credential}"`,
    'followRedirects = false',
    '[core]',
    'hooksPath = /dev/null',
    // Large files are streamed instead of held in memory.
    'bigFileThreshold = 8m',
    'packedGitWindowSize = 16m',
    'packedGitLimit = 64m',
    '[pack]',
    'threads = 1',
    // Nothing is negotiated: repositories here are new, and what was pushed must not count as known.
    '[fetch]',
    'negotiationAlgorithm = noop',
    '[gc]',
    'auto = 0',
    '[maintenance]',
    'auto = false',
  ];
  await writeFile(file, `${lines.join('\n')}\n`, { mode: 0o600, flag: 'wx' });
}

/** Makes an empty bare repository; `objectId` is of the kind that it will hold. */
export async function makeRepository(path: string, objectId: string): Promise<void> {
  await mkdir(join(path, 'objects'), { recursive: true });
  await mkdir(join(path, 'refs'));
  await writeFile(join(path, 'HEAD'), 'ref: refs/heads/none\n');
  const sha256 = '[core]\nrepositoryFormatVersion = 1\n[extensions]\nobjectFormat = sha256\n';
  await writeFile(join(path, 'config'), objectId.length === 64 ? sha256 : '');
}

/** The environment of every git process here: no configuration but ours, no prompts. */
export function gitEnvironment({
  path,
  settingsFile,
  alternate,
}: Pick<GitDirectory, 'path' | 'settingsFile' | 'alternate'>): Record<string, string> {
  const proxies = [
    'http_proxy',
    'https_proxy',
    'HTTPS_PROXY',
    'no_proxy',
    'NO_PROXY',
    'SSL_CERT_FILE',
    'GIT_SSL_CAINFO',
  ];
  const given = ['PATH', ...proxies].flatMap((name) =>
    process.env[name] === undefined ? [] : [[name, process.env[name]]],
  );
  // An authority that this process trusts besides the system's, git trusts too: for a GitHub of one's own.
  const { NODE_EXTRA_CA_CERTS: authority } = process.env;
  return {
    ...(authority === undefined ? {} : { GIT_SSL_CAINFO: authority, GIT_SSL_CAPATH: '/etc/ssl/certs' }),
    ...(Object.fromEntries(given) as Record<string, string>),
    LC_ALL: 'C',
    HOME: path,
    GIT_DIR: path,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: settingsFile,
    GIT_TERMINAL_PROMPT: '0',
    ...(alternate === undefined ? {} : { GIT_ALTERNATE_OBJECT_DIRECTORIES: alternate }),
  };
}

/** KiB of address space of a git process: a small pack can unpack into objects of any size. */
const MEMORY_KIB = 1024 * 1024;

/** The program and arguments that run git with these settings and bounded memory (where the system can bound it). */
export function gitCommand(
  { settings = [] }: Pick<GitDirectory, 'settings'>,
  args: readonly string[],
): [program: string, args: string[]] {
  const script = `ulimit -v ${MEMORY_KIB} 2>/dev/null; exec git "$@"`;
  return ['sh', ['-c', script, 'git', ...settings.flatMap((setting) => ['-c', setting]), ...args]];
}

/** Runs one command and returns its output, trimmed. `inputFile` is its standard input. Throws {@link GitFailed}. */
export async function runGit(directory: GitDirectory, args: readonly string[], inputFile?: string): Promise<string> {
  const [program, all] = gitCommand(directory, args);
  const result = await execa(program, all, {
    cwd: directory.path,
    env: gitEnvironment(directory),
    extendEnv: false,
    reject: false,
    cancelSignal: directory.signal,
    maxBuffer: 16 * 1024 * 1024,
    ...(inputFile ? { inputFile } : { stdin: 'ignore' }),
  });
  directory.signal.throwIfAborted();
  if (result.failed)
    throw new GitFailed(args[0] ?? '', (result.stderr || result.shortMessage || '').trim(), result.exitCode);
  return (result.stdout ?? '').trim();
}
