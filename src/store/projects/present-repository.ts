/**
 * The name and the default branch of a bound repository, which change on GitHub at any time. Deliveries name them, but anybody
 * who holds an old one can send it again, so GitHub is asked (docs/reliability.md T20).
 */
import { eq } from 'drizzle-orm';
import type { Database } from '../connection/database.ts';
import { repositories } from '../connection/schema.ts';
import { findRepository, type BoundRepository } from './repositories.ts';

type RepositoryName = Pick<BoundRepository, 'owner' | 'name'>;

/** What GitHub calls a repository and its default branch. */
export type RepositoryIdentity = RepositoryName & Pick<BoundRepository, 'defaultBranch'>;

/** Port to GitHub. */
export interface GitHubIdentities {
  /** Reads a repository by a present or former name. Fails when that is not the one with this id. */
  readRepository(repository: RepositoryName & { readonly repositoryId: number }): Promise<RepositoryIdentity>;
}

/**
 * A bound repository as GitHub shows it now, or as it was last known while GitHub does not answer; what has changed is stored.
 * `also`: another name that it may have, in case its former name is another repository's now. Undefined if it is not bound.
 */
export async function presentRepository(
  db: Database,
  github: GitHubIdentities,
  id: number,
  also?: RepositoryName,
): Promise<BoundRepository | undefined> {
  const stored = await findRepository(db, id);
  if (!stored) return undefined;
  for (const { owner, name } of [stored, ...(also ? [also] : [])]) {
    const shown = await github.readRepository({ repositoryId: id, owner, name }).catch(() => undefined);
    if (!shown) continue;
    const identity = { owner: shown.owner, name: shown.name, defaultBranch: shown.defaultBranch };
    if (!isSame(stored, identity)) await db.update(repositories).set(identity).where(eq(repositories.id, id));
    return { ...stored, ...identity };
  }
  return stored;
}

/** Whether nothing has changed. A name without a default branch says nothing of that. */
export function isSame(known: RepositoryIdentity, named: RepositoryName & Partial<RepositoryIdentity>): boolean {
  return (
    known.owner === named.owner &&
    known.name === named.name &&
    (named.defaultBranch === undefined || known.defaultBranch === named.defaultBranch)
  );
}
