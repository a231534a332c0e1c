/** Where `webhook send` finds the webhook and its secret: --url or CODEXK8S_URL with a file, else a running `up`. */
import { readFileSync } from 'node:fs';
import { CommandProblem } from '../../terminal/problems.ts';
import type { WebhookAddress } from './send.ts';
import { OWNER } from '../../embedded/accounts.ts';
import { requireUp, resolveDataDirectory } from '../../embedded/data-directory.ts';

/** Where a person said that the webhook is. */
export interface WebhookPlace {
  /** The value of --data. */
  readonly data?: string | undefined;
  /** The value of --url. */
  readonly url?: string | undefined;
  /** The value of --secret-file. */
  readonly secretFile?: string | undefined;
}

const PATH = '/api/v1/webhooks/github';

export async function resolveWebhook(
  place: WebhookPlace,
  env: NodeJS.ProcessEnv = process.env,
): Promise<WebhookAddress> {
  const url = place.url ?? env['CODEXK8S_URL'];
  if (url !== undefined) return elsewhere(url, place.secretFile, env);
  if (place.secretFile !== undefined) throw new CommandProblem('--secret-file goes with --url', 2);
  const ready = requireUp(resolveDataDirectory(place.data ?? env['CODEXK8S_DATA'], env));
  return {
    url: webhookOf(ready.url),
    secret: ready.webhookSecret,
    gitHub: { apiUrl: ready.githubUrl, token: ready.githubOwnerToken },
    sender: OWNER,
  };
}

/** Objects are asked for where the server asks, if this terminal has the server's token. */
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

/** People give the server's address, or the webhook's. */
function webhookOf(url: string): string {
  if (!URL.canParse(url)) throw new CommandProblem(`“${url}” is no address`, 2);
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
