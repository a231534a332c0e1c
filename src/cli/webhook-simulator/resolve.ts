/** Resolves the webhook of `webhook send` and its secret: --url or CODEXK8S_URL with a file, else a running `up`. */
import { readFileSync } from 'node:fs';
import { CommandProblem } from '../../terminal/problems.ts';
import type { WebhookAddress } from './send.ts';
import { OWNER } from '../../embedded/accounts.ts';
import { requireUp, resolveDataDirectory } from '../../embedded/data-directory.ts';

/** The options that locate the webhook. */
export interface WebhookLocation {
  /** The value of --data. */
  readonly data?: string | undefined;
  /** The value of --url. */
  readonly url?: string | undefined;
  /** The value of --secret-file. */
  readonly secretFile?: string | undefined;
}

const PATH = '/api/v1/webhooks/github';

export async function resolveWebhook(
  location: WebhookLocation,
  env: NodeJS.ProcessEnv = process.env,
): Promise<WebhookAddress> {
  const url = location.url ?? env['CODEXK8S_URL'];
  if (url !== undefined) return elsewhere(url, location.secretFile, env);
  if (location.secretFile !== undefined) throw new CommandProblem('--secret-file goes with --url', 2);
  const ready = requireUp(resolveDataDirectory(location.data ?? env['CODEXK8S_DATA'], env));
  return {
    url: webhookOf(ready.url),
    secret: ready.webhookSecret,
    gitHub: { apiUrl: ready.githubUrl, token: ready.githubOwnerToken },
    sender: OWNER,
  };
}

/** The webhook of a deployment. Objects are read from the server's GitHub if the environment has the server's token. */
function elsewhere(url: string, secretFile: string | undefined, env: NodeJS.ProcessEnv): WebhookAddress {
  const file = secretFile ?? env['CODEXK8S_WEBHOOK_SECRETS_FILE'];
  if (file === undefined)
    throw new CommandProblem("Give --secret-file FILE, or set CODEXK8S_WEBHOOK_SECRETS_FILE: the webhook's secret", 2);
  const tokenFile = env['CODEXK8S_GITHUB_TOKEN_FILE'];
  const apiUrl = (env['CODEXK8S_GITHUB_API_URL'] ?? 'https://api.github.com').replace(/\/+$/, '');
  return {
    url: webhookOf(url),
    secret: firstLine(file),
    gitHub: tokenFile === undefined ? undefined : { apiUrl, token: firstLine(tokenFile) },
    sender: undefined,
  };
}

/** The webhook's URL, from that of the server or of the webhook. */
function webhookOf(url: string): string {
  if (!URL.canParse(url)) throw new CommandProblem(`“${url}” is not a URL`, 2);
  const { pathname, origin } = new URL(url);
  return pathname.replace(/\/+$/, '').endsWith(PATH) ? url : `${origin}${pathname.replace(/\/+$/, '')}${PATH}`;
}

function firstLine(file: string): string {
  try {
    return (readFileSync(file, 'utf8').trim().split('\n')[0] ?? '').trim();
  } catch {
    throw new CommandProblem(`${file} cannot be read`, 2);
  }
}
