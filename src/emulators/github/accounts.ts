/** Accounts and their tokens. */
import type { EmulateUser } from './emulate.ts';
import type { NewRow, RowCollection } from './store/collection.ts';
import type { RepoRow, Rows, TokenRow, UserRow } from './rows.ts';

/** An account that exists from the start, and the token that acts for it. */
export interface EmulatorAccount {
  login: string;
  token: string;
  type: 'User' | 'Bot';
  /** An account that makes this one an admin of each repository that it creates. */
  adminOf?: string;
}

const SCOPES = ['repo', 'user', 'admin:repo_hook'];

/** Tokens as emulate's routes see them (a map), kept in a collection so that they persist. */
export class TokenMap extends Map<string, EmulateUser> {
  readonly #rows: RowCollection<TokenRow>;

  constructor(rows: RowCollection<TokenRow>) {
    super();
    this.#rows = rows;
    for (const row of rows.all()) super.set(row.token, { login: row.login, id: row.user_id, scopes: row.scopes });
  }

  override set(token: string, user: EmulateUser): this {
    const row = { token, login: user.login, user_id: user.id, scopes: user.scopes };
    const existing = this.#rows?.findOneBy('token', token);
    if (existing) this.#rows.update(existing.id, row);
    else this.#rows.insert(row);
    return super.set(token, user);
  }

  override delete(token: string): boolean {
    const existing = this.#rows.findOneBy('token', token);
    if (existing) this.#rows.delete(existing.id);
    return super.delete(token);
  }
}

/** Adds accounts that are not there yet and brings the tokens of the others up to date. */
export function seedAccounts(
  rows: Rows,
  tokens: TokenMap,
  accounts: readonly EmulatorAccount[],
  baseUrl: string,
): void {
  for (const { login, token, type } of accounts) {
    const existing = rows.users.findOneBy('login', login);
    const user = existing ?? rows.users.insert(newUser(login, type, baseUrl));
    if (user.type !== type) rows.users.update(user.id, { type });
    if (tokens.get(token)?.login !== login) tokens.set(token, { login, id: user.id, scopes: SCOPES });
  }
}

/** Makes accounts admins of a new repository, of an owner who wants that of each (`adminOf`). */
export function admitAdmins(
  { users, collaborators }: Rows,
  accounts: readonly EmulatorAccount[],
  { id, owner_id }: Pick<RepoRow, 'id' | 'owner_id'>,
): void {
  const owner = users.get(owner_id)?.login;
  for (const { login, adminOf } of accounts) {
    const admin = users.findOneBy('login', login);
    if (admin && owner !== undefined && adminOf === owner)
      collaborators.insert({ repo_id: id, user_id: admin.id, permission: 'admin' });
  }
}

/** The account behind an Authorization header: Basic with the token as password, Bearer or token. */
export function accountOf(rows: Rows, tokens: TokenMap, header: string | undefined): UserRow | undefined {
  const user = tokens.get(tokenIn(header) ?? '');
  return user && rows.users.findOneBy('login', user.login);
}

function tokenIn(header = ''): string | undefined {
  const [, scheme = '', value = ''] = /^(\S+)\s+(.+)$/.exec(header.trim()) ?? [];
  if (scheme.toLowerCase() !== 'basic') return value;
  const pair = Buffer.from(value, 'base64').toString('utf8');
  return pair.slice(pair.indexOf(':') + 1);
}

function newUser(login: string, type: 'User' | 'Bot', baseUrl: string): NewRow<UserRow> {
  const absent = { company: null, location: null, hireable: null, bio: null, twitter_username: null, email: null };
  const counts = { public_repos: 0, public_gists: 0, followers: 0, following: 0 };
  const node_id = Buffer.from(`0:${type}${login}`).toString('base64url');
  const shown = {
    name: login,
    blog: '',
    gravatar_id: '',
    avatar_url: `${baseUrl}/avatars/u/${login}`,
    site_admin: false,
  };
  return { login, node_id, type, ...shown, ...absent, ...counts };
}
