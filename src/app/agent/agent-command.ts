/** Command and environment with which the local runtime starts an agent: this program, with an allow-listed environment. */
import { delimiter, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const CLI = fileURLToPath(new URL(`../../cli/cli.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url));

/** Variables that an agent's tools need to find programs, a home and certificates; none of them is a secret. */
const PLAIN = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR', 'SSL_CERT_FILE', 'NODE_EXTRA_CA_CERTS'];

/** The agent's command: the configured one, or this program's `agent`. The runtime adds the run's arguments. */
export function agentCommand(configured?: readonly [string, ...string[]]): readonly [string, ...string[]] {
  return configured ?? [process.execPath, CLI, 'agent'];
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
