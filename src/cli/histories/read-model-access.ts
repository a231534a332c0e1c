/** Connects commands that use the read model directly to Postgres and Temporal. */
import postgres from 'postgres';
import { connect } from '../../store/connection/database.ts';
import type { RecordedHistories } from '../../read-model/audit/recorded-chain.ts';
import { CommandProblem } from '../../terminal/problems.ts';
import { createRecordedHistories } from './recorded-histories.ts';
import { databaseAddress, temporalAddress } from '../client/resolve-api.ts';
import { withTemporal } from './temporal-access.ts';

export interface AccessOptions {
  /** The value of --data, when it was given. */
  readonly data?: string | undefined;
  readonly withoutTemporal?: boolean | undefined;
  /** A schema for `search_path`, after `public`. */
  readonly spareSchema?: string | undefined;
}

export interface ReadModelAccess {
  readonly sql: postgres.Sql;
  /** Null if Temporal is not used. */
  readonly histories: RecordedHistories | null;
}

/** Statement timeout: some statements read a whole table. */
const STATEMENT_LIMIT_MS = 600_000;

/** Runs an action with both connections and closes them. Connection errors become a CommandProblem. */
export async function withReadModel<Result>(
  name: string,
  { data, withoutTemporal = false, spareSchema }: AccessOptions,
  action: (access: ReadModelAccess) => Promise<Result>,
): Promise<Result> {
  const url = new URL(databaseAddress(data));
  if (spareSchema !== undefined) url.searchParams.set('search_path', `public,${spareSchema}`);
  const database = connect(url.href, { name, max: 8, statementTimeoutMs: STATEMENT_LIMIT_MS });
  try {
    if (withoutTemporal) return await action({ sql: database.sql, histories: null });
    return await withTemporal(temporalAddress(data), (client) =>
      action({ sql: database.sql, histories: createRecordedHistories(client) }),
    );
  } catch (error) {
    throw asCommandProblem(error);
  } finally {
    await database.close();
  }
}

function asCommandProblem(error: unknown): unknown {
  if (error instanceof postgres.PostgresError && error.code === '42P01')
    return new CommandProblem(
      `${error.message}; \`codex-k8s migrate\` creates the tables, \`codex-k8s read-model rebuild\` those of the read model`,
    );
  const { code } = error as { code?: unknown };
  if (code === 'ECONNREFUSED' || code === 'CONNECT_TIMEOUT') return new CommandProblem('Postgres cannot be reached');
  return error;
}
