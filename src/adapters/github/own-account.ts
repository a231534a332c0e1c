/** The account of the platform's token, and what it wrote for the platform. */
import type { Octokit } from '@octokit/rest';

/** An account as GitHub shows it with a comment. */
type Author = { readonly id: number; readonly type?: string } | null | undefined;

export interface OwnAccount {
  /** Undefined for a token that stands for no account: an installation's of an app. */
  readonly id: () => Promise<number | undefined>;
  /** The login; undefined for such a token. */
  readonly login: () => Promise<string | undefined>;
  readonly ownWords: () => Promise<OwnWords>;
}

export interface OwnWords {
  /** Whether an account is that of the platform's token. A person's own token may be the platform's. */
  readonly isByUs: (author: Author) => boolean;
  /** Whether a comment is the platform's: by its hidden first line and by its author, since anybody can write the line. */
  readonly isOurs: (comment: { readonly body?: string | null | undefined; readonly user?: Author }) => boolean;
}

/** Every text of the platform in a comment begins so. */
const MARKER = '<!-- codex-k8s:';

export function createOwnAccount(octokit: Octokit): OwnAccount {
  let self: Promise<{ id: number; login: string } | undefined> | undefined;

  function account(): Promise<{ id: number; login: string } | undefined> {
    self ??= octokit.rest.users.getAuthenticated().then(
      ({ data: { id, login } }) => ({ id, login }),
      (error: unknown) => {
        self = undefined;
        const { status } = error as { status?: number };
        if (status === 401 || status === 403 || status === 404) return undefined;
        throw error;
      },
    );
    return self;
  }

  return {
    id: async () => (await account())?.id,
    login: async () => (await account())?.login,
    async ownWords() {
      const own = (await account())?.id;
      const isByUs = (author: Author): boolean => (own === undefined ? author?.type === 'Bot' : author?.id === own);
      return { isByUs, isOurs: ({ body, user }) => (body ?? '').startsWith(MARKER) && isByUs(user) };
    },
  };
}
