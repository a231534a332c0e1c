/**
 * A request that GitHub refuses because of a missing right. It answers `403`, and `404` where even the existence of a thing is
 * nobody else's business ("Troubleshooting the REST API", 404 Not Found for an existing resource); neither names the right.
 */

/** The right was missing, or what was asked for is not there. The message says which right, who can grant it and where. */
export class GitHubRightMissing extends Error {
  override readonly name = 'GitHubRightMissing';
  readonly status: number;

  constructor(status: number, message: string, cause: unknown) {
    super(message, { cause });
    this.status = status;
  }
}

/** A request that GitHub answered with `403` or `404`. */
export interface RefusedRequest {
  readonly apiUrl: string;
  readonly method: string;
  /** The route as Octokit has it, or an address. */
  readonly url: string;
  readonly owner: string | undefined;
  readonly repository: string | undefined;
  readonly status: number;
  /** GitHub's words. */
  readonly message: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | number | undefined>>;
}

interface Right {
  /** The least role in the repository. */
  readonly role: 'admin' | 'write' | 'read';
  /** The permission of a fine-grained token, as GitHub's page of tokens calls it. */
  readonly permission: string;
}

/** The permission of a fine-grained token for each part of the API, the first that fits. */
const PERMISSIONS: readonly (readonly [route: RegExp, permission: string])[] = [
  [/\/hooks(\/|$|\?)/, 'Webhooks'],
  [/\/(git|contents|compare|branches|commits)(\/|$|\?)/, 'Contents'],
  [/\/pulls(\/|$|\?)/, 'Pull requests'],
  [/\/(issues|labels)(\/|$|\?)/, 'Issues'],
];

/** GitHub's `403` for reasons that no right changes. */
const NOT_A_RIGHT = /archived|locked|disabled|blocked|suspended|read-only/i;

/**
 * What to do about a `403` or `404` in a repository, or undefined when no right is the reason. Somebody who is not told apart
 * from a thing that is not there may be refused by `404`, so that message names both.
 */
export function missingRight(refused: RefusedRequest): string | undefined {
  const { apiUrl, status, message, headers, owner, repository } = refused;
  if ((status !== 403 && status !== 404) || owner === undefined || repository === undefined) return undefined;
  if (status === 403 && NOT_A_RIGHT.test(message)) return undefined;
  const name = `${owner}/${repository}`;
  const site = siteOf(apiUrl);
  const signOn = /url=(\S+)/.exec(String(headers['x-github-sso'] ?? ''))?.[1];
  const said = `GitHub answered ${status} (${message}) to ${refused.method} ${pathOf(refused)}`;
  if (signOn !== undefined)
    return `${said}: the organization requires single sign-on. The owner of the platform's token authorizes it at ${signOn}`;
  const { role, permission } = rightFor(refused);
  const named = headers['x-accepted-github-permissions'];
  const level = role === 'read' ? 'read' : 'write';
  const why =
    status === 404
      ? `it does not exist, or the platform's account may not ${role === 'read' ? 'see it' : 'do this'}`
      : "the platform's account or its token lacks a right";
  return [
    `${said}: ${why}.`,
    `The account needs the role ${role} in ${name}: somebody with admin rights there grants it at ${site}/${name}/settings/access, and the account accepts the invitation at ${site}/${name}/invitations.`,
    `Its token needs the scope repo, or, if it is fine-grained, ${name} among its repositories and the permission ${permission}: ${level}${named === undefined ? '' : ` (in GitHub's words: ${named})`}; the account sets them at ${site}/settings/tokens.`,
  ].join(' ');
}

/** A repository's webhooks are its admins'; whatever else changes something there needs `write`. */
function rightFor({ method, url }: RefusedRequest): Right {
  const permission = PERMISSIONS.find(([route]) => route.test(url))?.[1] ?? 'Metadata';
  if (permission === 'Webhooks') return { role: 'admin', permission };
  return { role: method === 'GET' ? 'read' : 'write', permission };
}

function pathOf({ url, owner, repository }: RefusedRequest): string {
  const path = url.replace(/^https?:\/\/[^/]+(\/api\/v3)?/, '').split('?')[0] ?? url;
  return path.replace('{owner}', owner ?? '').replace('{repo}', repository ?? '');
}

/** Where people use the GitHub of an API address: `api.github.com`, or `/api/v3` of a GitHub Enterprise Server. */
function siteOf(apiUrl: string): string {
  const { protocol, host } = new URL(apiUrl);
  return `${protocol}//${host.replace(/^api\./, '')}`;
}
