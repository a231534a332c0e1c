/** Bindings of repositories and memberships of senders, read for many deliveries at once. */
import type postgres from 'postgres';
import { authorize, type Membership } from '../../domain/triggers/senders.ts';
import { driverOf, type Database } from '../connection/database.ts';
import { textArray } from '../connection/text-array.ts';
import type { RepositoryIdentity } from '../projects/present-repository.ts';
import type { Arrival, SenderContext } from './arrivals.ts';

/** The binding of a repository and the membership of a sender, by GitHub's ids. */
export async function readMembership(db: Database, repositoryId: number, senderId: number): Promise<SenderContext> {
  const asked = { repositoryId, senderId };
  const sql = driverOf(db);
  const [row] = await sql<{ memberships: MembershipsJson }[]>`select ${selectMemberships(sql, [asked])} as memberships`;
  return membershipsIn(row?.memberships ?? null)(asked);
}

/** Those of these people who may not start runs in the repository's project, by account id, with the reason. */
export async function refusedAmong(
  db: Database,
  repositoryId: number,
  people: readonly number[],
): Promise<Record<string, string>> {
  const refused: Record<string, string> = {};
  for (const id of new Set(people)) {
    const { membership } = await readMembership(db, repositoryId, id);
    const authorization = authorize({ id, login: String(id), type: 'User' }, membership);
    if (!authorization.permitted) refused[id] = authorization.reason;
  }
  return refused;
}

/** A repository and a sender, by GitHub's ids. */
export type Asked = Pick<Arrival, 'repositoryId' | 'senderId'>;

/** One row for each pair whose repository is bound. */
export type MembershipsJson = readonly (Asked & Membership & { readonly repository: RepositoryIdentity })[] | null;

/** A subquery for the memberships of these pairs, as JSON for {@link membershipsIn}. */
export function selectMemberships(
  sql: postgres.Sql | postgres.TransactionSql,
  asked: readonly Asked[],
): postgres.PendingQuery<postgres.Row[]> {
  const pairs = [...new Map(asked.map((one) => [pairOf(one), one])).values()];
  return sql`(
    select json_agg(json_build_object('repositoryId', asked.repository, 'senderId', asked.sender,
      'known', p.id is not null, 'platformRole', p.platform_role, 'projectRole', m.role,
      'repository', json_build_object('owner', r.owner, 'name', r.name, 'defaultBranch', r.default_branch)))
    from unnest(
      ${textArray(
        sql,
        pairs.map(({ repositoryId }) => String(repositoryId)),
      )}::bigint[],
      ${textArray(
        sql,
        pairs.map(({ senderId }) => String(senderId)),
      )}::bigint[]
    ) as asked(repository, sender)
    join repositories r on r.id = asked.repository
    left join people p on p.id = asked.sender
    left join project_members m on m.project_id = r.project_id and m.person_id = p.id)`;
}

/** Looks up what {@link selectMemberships} found. A pair without a row is of a repository that is not bound. */
export function membershipsIn(json: MembershipsJson): (one: Asked) => SenderContext {
  const found = new Map((json ?? []).map((row) => [pairOf(row), row]));
  return (one) => {
    const row = found.get(pairOf(one));
    const { known, platformRole, projectRole } = row ?? STRANGER;
    const membership = { known, platformRole, projectRole };
    return row ? { bound: true, repository: row.repository, membership } : { bound: false, membership };
  };
}

const STRANGER: Membership = { known: false, platformRole: null, projectRole: null };

function pairOf({ repositoryId, senderId }: Asked): string {
  return `${repositoryId} ${senderId}`;
}
