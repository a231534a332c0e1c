/** Command and environment with which the local runtime starts an agent: this program, with an allow-listed environment. */
import { existsSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const CLI = fileURLToPath(new URL(`../../cli/cli.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url));

/** Variables that an agent's tools need to find programs, a home and certificates; none of them is a secret. */
const PLAIN = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR', 'SSL_CERT_FILE', 'NODE_EXTRA_CA_CERTS'];

/** The agent's command: the configured one, or this program's `agent`. The runtime adds the run's arguments. */
export function agentCommand(configured?: readonly [string, ...string[]]): readonly [string, ...string[]] {
  return configured ?? adopting([process.execPath, CLI, 'agent']);
}

/** The number of prctl(2) by architecture, and its operation PR_SET_CHILD_SUBREAPER. */
const PRCTL: Readonly<Record<string, number>> = { x64: 157, arm64: 167 };
const SET_CHILD_SUBREAPER = 36;

/**
 * The command as a process whose descendants stay its own: the kernel gives it those whose parent has ended, so that it finds
 * them, however they detached themselves. Node has no call for this and Perl has, which git needs anyway; without Perl, or on
 * another system than Linux, the command as it is.
 */
export function adopting(command: readonly [string, ...string[]]): readonly [string, ...string[]] {
  const call = process.platform === 'linux' ? PRCTL[process.arch] : undefined;
  const perl = (process.env['PATH'] ?? '').split(delimiter).find((folder) => existsSync(join(folder, 'perl')));
  if (call === undefined || perl === undefined) return command;
  const script = `syscall(${call}, ${SET_CHILD_SUBREAPER}, 1, 0, 0, 0); exec { $ARGV[0] } @ARGV or exit 127`;
  return [join(perl, 'perl'), '-e', script, ...command];
}

/** The allow-listed environment; the Node that runs this program comes first on the agent's path. */
export function agentEnvironment(env: NodeJS.ProcessEnv = process.env): Record<string, string> {
  const plain = Object.fromEntries(PLAIN.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
  return { ...plain, PATH: [dirname(process.execPath), plain['PATH']].filter(Boolean).join(delimiter) };
}

/** What an agent needs to trust these authorities, a file in PEM: Node reads the one variable, the runner the other. */
export function trusting(file: string | undefined): Record<string, string> {
  return file === undefined ? {} : { NODE_EXTRA_CA_CERTS: file, CODEXK8S_AGENT_CA_FILE: file };
}
