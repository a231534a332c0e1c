/** Runs git for the runner: with these settings only, and the run token only through a credential helper. */
import { execa } from 'execa';
import { authorities, baseEnvironment, type Paths } from '../paths.ts';

/** Why git failed: `away` may be temporary, `moved` means the remote has commits that we lack, `over` is a 401. */
export type GitTrouble = 'away' | 'moved' | 'over' | 'other';

export class GitFailure extends Error {
  override readonly name = 'GitFailure';
  readonly trouble: GitTrouble;
  /** git's standard error. */
  readonly output: string;

  constructor(command: string, output: string) {
    super(`git ${command}: ${output}`);
    this.output = output;
    this.trouble = classify(output);
  }
}

export interface GitOptions {
  readonly paths: Paths;
  readonly tokenFile: string;
  /** The only address that may see the token. */
  readonly cloneUrl: string;
  readonly signal: AbortSignal;
}
export type Git = (...args: string[]) => Promise<string>;

/** A git that runs in this directory. Returns git's standard output, trimmed; throws {@link GitFailure}. */
export function createGit(directory: string, options: GitOptions): Git {
  const settings = Object.entries(settingsFor(options)).flatMap(([key, value]) => ['-c', `${key}=${value}`]);
  const env = { ...baseEnvironment(options.paths), LC_ALL: 'C', GIT_CONFIG_GLOBAL: '/dev/null', GIT_ASKPASS: '' };
  return async function git(...args) {
    const result = await execa('git', [...settings, ...args], {
      cwd: directory,
      env,
      extendEnv: false,
      stdin: 'ignore',
      reject: false,
      cancelSignal: options.signal,
      maxBuffer: 64 * 1024 * 1024,
    });
    options.signal.throwIfAborted();
    if (result.failed) throw new GitFailure(args[0] ?? '', (result.stderr || result.shortMessage || '').trim());
    return result.stdout.trim();
  };
}

/**
 * The agent can change the repository's config and hooks, so none of them may run here. The token is sent to the gateway's
 * origin only: not to a submodule's host, and not after a redirect.
 */
function settingsFor({ tokenFile, cloneUrl }: GitOptions): Record<string, string> {
  const { origin, protocol } = new URL(cloneUrl);
  const trusted = authorities();
  return {
    ...(trusted === undefined ? {} : { [`http.${origin}.sslCAInfo`]: trusted }),
    'credential.helper': '',
    [`credential.${origin}.helper`]: credentialHelper(tokenFile),
    'core.hooksPath': '/dev/null',
    'core.fsmonitor': 'false',
    'http.followRedirects': 'false',
    'http.lowSpeedLimit': '1',
    // Longer than the git gateway may look into a push, while it says nothing.
    'http.lowSpeedTime': '300',
    'protocol.allow': 'never',
    [`protocol.${protocol.slice(0, -1)}.allow`]: 'always',
    'fetch.recurseSubmodules': 'false',
    'submodule.recurse': 'false',
    'advice.detachedHead': 'false',
    'gc.auto': '0',
  };
}

/** A shell function that reads the file when git asks: `read` and `printf` are built in, so no process has the token as argument. */
function credentialHelper(tokenFile: string): string {
  const file = `'${tokenFile.replaceAll("'", String.raw`'\''`)}'`;
  const answer = String.raw`IFS= read -r token < ${file}; printf 'username=codex-k8s\npassword=%s\n' "$token"`;
  return `!f() { test "$1" = get || return 0; ${answer}; }; f`;
}

const MOVED = /\[rejected\]|\(non-fast-forward\)|\(fetch first\)|\(stale info\)|cannot lock ref(?!.*; cannot create)/;
const OVER = /(?:error:|HTTP) 401\b|Authentication failed|could not read (?:Username|Password)/;
const REFUSED = /\[remote rejected\](?!.*Internal Server Error)|(?:error:|HTTP) 4(?!08|29)\d\d\b/;
const AWAY = new RegExp(
  [
    '(?:error:|HTTP) (?:5\\d\\d|408|429)\\b',
    'Could not resolve host|Failed to connect|Couldn.t connect|Connection (?:refused|reset|timed out)',
    'RPC failed|early EOF|unexpected disconnect|hung up unexpectedly|Empty reply|timed out|too slow',
    'Recv failure|Send failure|SSL_|gnutls_|transfer closed',
  ].join('|'),
);

function classify(output: string): GitTrouble {
  if (MOVED.test(output)) return 'moved';
  if (OVER.test(output)) return 'over';
  if (REFUSED.test(output)) return 'other';
  return AWAY.test(output) ? 'away' : 'other';
}
