/** `codex-k8s doctor`: checks an installation and says how to fix what is wrong. */
import { resolveDataDirectory } from '../embedded/data-directory.ts';
import { runChecks } from './check.ts';
import type { PlatformProcess } from './configuration.ts';
import { deploymentChecks, secretsOf } from './deployment.ts';
import { embeddedChecks } from './embedded.ts';
import { reportOf, type Report } from './report.ts';

export interface DoctorOptions {
  /** The value of --data, when it was given. */
  readonly data?: string | undefined;
  /** The value of --process, when it was given: the environment is that of this process only. */
  readonly process?: PlatformProcess | undefined;
}

/** Settings that only a deployment has, not an `up`. */
const DEPLOYED = ['CODEXK8S_DATABASE_URL_FILE', 'CODEXK8S_PUBLIC_URL', 'CODEXK8S_GITHUB_TOKEN_FILE'];

/** Checks the `up` of --data, the deployment of the environment, or else the `up` of this user. */
export async function examine({ data, process: one }: DoctorOptions, env: NodeJS.ProcessEnv): Promise<Report> {
  if (one !== undefined || (data === undefined && DEPLOYED.some((name) => env[name] !== undefined))) {
    const processes = one === undefined ? (['server', 'worker'] as const) : [one];
    const subject = `The installation of this environment's settings (${processes.join(', ')}):`;
    return reportOf(subject, await runChecks(deploymentChecks(processes, env)), secretsOf(env));
  }
  const directory = resolveDataDirectory(data ?? env['CODEXK8S_DATA'], env);
  const { checks, secrets } = embeddedChecks(directory);
  return reportOf(`The embedded default in ${directory}:`, await runChecks(checks), secrets);
}
