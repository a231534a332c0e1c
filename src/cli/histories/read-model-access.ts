/** Postgres and Temporal for commands that look at the read model directly, not through the server. */
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
  /** A schema to look for tables in that are not in `public`. */
  readonly spareSchema?: string | undefined;
}

export interface ReadModelAccess {
  readonly sql: postgres.Sql;
  /** Null when Temporal was not to be asked. */
  readonly histories: RecordedHistories | null;
}

/** Some statements look at a whole table. */
const STATEMENT_LIMIT_MS = 600_000;

/** Does something with both, and closes them. What cannot be reached is told in a sentence. */
export async function withReadModel<Result>(
  name: string,
  { data, withoutTemporal = false, spareSchema }: AccessOptions,
  act: (access: ReadModelAccess) => Promise<Result>,
): Promise<Result> {
  const url = new URL(databaseAddress(data));
  if (spareSchema !== undefined) url.searchParams.set('search_path', `public,${spareSchema}`);
  const database = connect(url.href, { name, max: 8, statementTimeoutMs: STATEMENT_LIMIT_MS });
  try {
    if (withoutTemporal) return await act({ sql: database.sql, histories: null });
    return await withTemporal(temporalAddress(data), (client) =>
      act({ sql: database.sql, histories: createRecordedHistories(client) }),
    );
  } catch (error) {
    throw toldOf(error);
  } finally {
    await database.close();
  }
}

function toldOf(error: unknown): unknown {
  if (error instanceof postgres.PostgresError && error.code === '42P01')
    return new CommandProblem(
      `${error.message}; \`codex-k8s migrate\` makes the tables, \`codex-k8s read-model rebuild\` those that mirror Temporal`,
    );
  const { code } = error as { code?: unknown };
  if (code === 'ECONNREFUSED' || code === 'CONNECT_TIMEOUT') return new CommandProblem('Postgres cannot be reached');
  return error;
}
