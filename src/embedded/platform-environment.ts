/** The environment of the processes that `up` starts: addresses, secret files, and variables that a person has set. */
import { join } from 'node:path';
import type { Ports } from './files/ports.ts';
import { writePrivateFile } from './files/json-file.ts';
import { secretFile } from './secrets.ts';

/** Variables that a person may set for the processes that `up` starts. */
const PASSED_ON =
  /^(CODEXK8S_(AGENT_|ALLOW_UNENFORCED_|WORKSPACE_|LOG_LEVEL|GIT_BOT_|RUN_LIMITS$|TRIGGERS_PER_HOUR$|QUESTION_HOURS$|APPROVAL_HOURS$|POLICY_FILE$|PAUSE_HOURS$|SWEEP_|WORKER_|WORKFLOW_BUNDLE$|GITHUB_WRITES_|KEEP_|BUDGET_|MODEL_PRICES_FILE$|MODEL_OUTPUT_TOKENS$)|HOME$|LANG$|LC_ALL$|TZ$|TMPDIR$|SSL_CERT_FILE$|NODE_EXTRA_CA_CERTS$)/;

/** The emulator does not limit writes; set these variables to try GitHub's limits. */
const NO_WRITE_LIMITS = { CODEXK8S_GITHUB_WRITES_PER_MINUTE: '0', CODEXK8S_GITHUB_WRITES_PER_HOUR: '0' };

export interface Model {
  readonly kind: 'scripted' | 'real';
  readonly url: string;
  readonly keyFile: string;
  readonly anthropic?: { readonly url: string; readonly keyFile: string };
}

/**
 * The real models if OPENAI_API_KEY or ANTHROPIC_API_KEY is set, else the scripted one, which speaks both. Writes the key files.
 */
export function chooseModel(directory: string, ports: Ports, env: NodeJS.ProcessEnv): Model {
  const openai = env['OPENAI_API_KEY'];
  const anthropic = env['ANTHROPIC_API_KEY'];
  const keyFile = join(directory, 'secrets', 'model-key');
  const anthropicKeyFile = join(directory, 'secrets', 'anthropic-key');
  const scripted = `http://127.0.0.1:${ports.model}/v1`;
  writePrivateFile(keyFile, openai || 'scripted');
  writePrivateFile(anthropicKeyFile, anthropic || 'scripted');
  const ofAnthropic = anthropic
    ? {
        anthropic: { url: `${env['ANTHROPIC_BASE_URL'] || 'https://api.anthropic.com'}/v1`, keyFile: anthropicKeyFile },
      }
    : {};
  if (openai)
    return { kind: 'real', url: env['OPENAI_BASE_URL'] || 'https://api.openai.com/v1', keyFile, ...ofAnthropic };
  return {
    kind: 'scripted',
    url: scripted,
    keyFile,
    anthropic: { url: scripted, keyFile: anthropicKeyFile },
    ...ofAnthropic,
  };
}

/** The environment of all processes of this program. */
export function sharedEnvironment(
  env: NodeJS.ProcessEnv,
  { path, labelsFile }: { path: string; labelsFile: string | undefined },
): Record<string, string> {
  const passedOn = Object.entries(env).flatMap(([name, value]) =>
    value !== undefined && PASSED_ON.test(name) ? [[name, value]] : [],
  );
  return {
    ...NO_WRITE_LIMITS,
    ...Object.fromEntries(passedOn),
    ...(labelsFile === undefined ? {} : { CODEXK8S_LABELS_FILE: labelsFile }),
    PATH: path,
  };
}

/** The configuration of server and worker (src/app/config). */
export function platformEnvironment(given: {
  directory: string;
  databaseUrl: string;
  githubUrl: string;
  url: string;
  model: Model;
  ports: Ports;
  temporal: { address: string; namespace: string; ui: string };
  workspaces: string;
}): Record<string, string> {
  const { directory, databaseUrl, githubUrl, url, model, ports, temporal, workspaces } = given;
  const databaseUrlFile = join(directory, 'secrets', 'database-url');
  writePrivateFile(databaseUrlFile, databaseUrl);
  return {
    CODEXK8S_DATABASE_URL_FILE: databaseUrlFile,
    CODEXK8S_TEMPORAL_ADDRESS: temporal.address,
    CODEXK8S_TEMPORAL_NAMESPACE: temporal.namespace,
    CODEXK8S_TEMPORAL_UI_URL: temporal.ui,
    CODEXK8S_GITHUB_URL: githubUrl,
    CODEXK8S_GITHUB_API_URL: githubUrl,
    CODEXK8S_GITHUB_TOKEN_FILE: secretFile(directory, 'github-bot-token'),
    CODEXK8S_WEBHOOK_SECRETS_FILE: secretFile(directory, 'webhook-secret'),
    CODEXK8S_RUN_TOKEN_KEY_FILE: secretFile(directory, 'run-token-key'),
    CODEXK8S_STAFF_TOKEN_FILE: secretFile(directory, 'staff-token'),
    CODEXK8S_MODEL_URL: model.url,
    CODEXK8S_MODEL_KEY_FILE: model.keyFile,
    ...(model.anthropic === undefined
      ? {}
      : {
          CODEXK8S_ANTHROPIC_URL: model.anthropic.url,
          CODEXK8S_ANTHROPIC_KEY_FILE: model.anthropic.keyFile,
        }),
    CODEXK8S_PORT: `${ports.server}`,
    CODEXK8S_PUBLIC_URL: url,
    CODEXK8S_INTERNAL_URL: url,
    CODEXK8S_DASHBOARD: 'open',
    CODEXK8S_RUNTIME_DIRECTORY: workspaces,
  };
}
