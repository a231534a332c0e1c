/** Checks the platform's access to GitHub: identity, permissions and rate limit. */
import { failed, ok, unknown, warning, type Answer, type Check } from './check.ts';

export interface GitHubAccess {
  readonly apiUrl: string;
  readonly token: string;
}

/** Limit for the bound repositories that are checked. */
const MOST_REPOSITORIES = 10;

/** Fraction of the rate limit below which a warning is given. */
const LITTLE = 0.1;

const DAY_MS = 24 * 60 * 60 * 1000;
const SOON_DAYS = 14;

/** Checks the token, its rate limit, and its permissions in `repositories`. */
export function gitHubCheck(
  access: GitHubAccess,
  repositories: (most: number) => Promise<readonly string[]>,
  isMember: (login: string) => Promise<boolean>,
): Check {
  return {
    name: 'GitHub',
    remedy: `let this machine reach ${access.apiUrl}, or correct CODEXK8S_GITHUB_API_URL`,
    limitMs: 15_000,
    async run(signal): Promise<Answer[]> {
      const ask = asker(access, signal);
      const who = await identity(ask, isMember);
      if (who.some(({ verdict }) => verdict === 'failed')) return who;
      const bound = await repositories(MOST_REPOSITORIES).catch(() => []);
      return [
        ...who,
        await rateLimit(ask),
        ...(await Promise.all(bound.map((repository) => permissions(ask, repository)))),
      ];
    },
  };
}

type Ask = (path: string) => Promise<{ status: number; headers: Headers; body: unknown }>;

function asker({ apiUrl, token }: GitHubAccess, signal: AbortSignal): Ask {
  return async (path) => {
    const response = await fetch(`${apiUrl}${path}`, {
      headers: {
        authorization: `Bearer ${token}`,
        accept: 'application/vnd.github+json',
        'user-agent': 'codex-k8s-doctor',
      },
      signal,
    });
    const body: unknown = await response.json().catch(() => undefined);
    return { status: response.status, headers: response.headers, body };
  };
}

const NEEDED = 'contents, issues, pull requests and webhooks, write';

async function identity(ask: Ask, isMember: (login: string) => Promise<boolean>): Promise<Answer[]> {
  const { status, headers, body } = await ask('/user');
  if (status === 401)
    return [failed('token rejected (HTTP 401)', `put a valid token into CODEXK8S_GITHUB_TOKEN_FILE, with: ${NEEDED}`)];
  // An installation token of a GitHub App has no user.
  if (status === 403 || status === 404) return [await installation(ask)];
  if (status !== 200) return [warning(`GET /user answers HTTP ${status}`, 'try again later')];
  const { login = '' } = body as { login?: string };
  return [await owner(login, isMember), scopes(headers), ...expiry(headers)];
}

/** GitHub lets nobody request changes on pull requests that their own account has opened. */
async function owner(login: string, isMember: (login: string) => Promise<boolean>): Promise<Answer> {
  const found = `the token is ${login}'s`;
  if (!(await isMember(login).catch(() => false))) return ok(found);
  return warning(
    `${found}, who is a member: they cannot request changes on the platform's pull requests`,
    'have them comment and put the `:revise` label of the stage on the issue, or give the platform an account of its own',
  );
}

async function installation(ask: Ask): Promise<Answer> {
  const { status, body } = await ask('/installation/repositories?per_page=1');
  if (status !== 200)
    return failed(`the token has no access (HTTP ${status})`, `create a token with the permissions: ${NEEDED}`);
  const { total_count: count = 0 } = body as { total_count?: number };
  return ok(`installation token of a GitHub App, with access to ${count} repositories`);
}

/** Checks the scopes of a classic token. Fine-grained tokens have none; their permissions are checked per repository. */
function scopes(headers: Headers): Answer {
  const header = headers.get('x-oauth-scopes');
  if (header === null || header === '')
    return unknown('token without OAuth scopes (fine-grained)', `a fine-grained token needs: ${NEEDED}`);
  const granted = header.split(',').map((scope) => scope.trim());
  if (granted.includes('repo') && granted.includes('workflow'))
    return warning(
      `scopes: ${granted.join(', ')}; workflow is more than is needed`,
      'create a token without the scope workflow: with it GitHub lets agents change workflows, and only the git gateway refuses that',
    );
  if (granted.includes('repo')) return ok(`scopes: ${granted.join(', ')}`);
  return failed(`scopes: ${granted.join(', ')}; repo is missing`, 'create a token with the scope repo');
}

function expiry(headers: Headers): Answer[] {
  const header = headers.get('github-authentication-token-expiration');
  const ends = header === null ? Number.NaN : Date.parse(header.replace(' UTC', 'Z').replace(' ', 'T'));
  if (Number.isNaN(ends)) return [];
  const days = Math.floor((ends - Date.now()) / DAY_MS);
  const found = `the token expires in ${days} days`;
  return [days < SOON_DAYS ? warning(found, 'create a new one and put it into CODEXK8S_GITHUB_TOKEN_FILE') : ok(found)];
}

async function rateLimit(ask: Ask): Promise<Answer> {
  const { status, body } = await ask('/rate_limit');
  // GitHub Enterprise Server may have rate limits disabled.
  if (status === 404) return ok('no rate limit');
  const { remaining, limit, reset } =
    (body as { resources?: { core?: { remaining: number; limit: number; reset: number } } } | undefined)?.resources
      ?.core ?? {};
  if (remaining === undefined || limit === undefined) return unknown(`rate limit: not available (HTTP ${status})`);
  const found = `rate limit: ${remaining} of ${limit} requests left`;
  if (remaining >= limit * LITTLE) return ok(found);
  return warning(`${found} until ${new Date((reset ?? 0) * 1000).toISOString()}`, 'find out what else uses the token');
}

async function permissions(ask: Ask, repository: string): Promise<Answer> {
  const { status, body } = await ask(`/repos/${repository}`);
  if (status !== 200)
    return failed(`${repository}: HTTP ${status}`, 'give the token access to the repository, or unbind it');
  const { permissions: may, archived } = body as { permissions?: Record<string, boolean>; archived?: boolean };
  if (archived === true) return warning(`${repository}: archived and therefore read-only`, 'unarchive it');
  if (may === undefined) return unknown(`${repository}: permissions not in the response`);
  if (!may['push']) return failed(`${repository}: the token has no write permission`, `grant it: ${NEEDED}`);
  if (!may['admin'])
    return warning(
      `${repository}: the token has no admin permission`,
      'grant it: without it, webhooks cannot be created or repaired',
    );
  return ok(`${repository}: the token has write permission`);
}
