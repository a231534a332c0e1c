/** The Postgres server that databases of projects are on, by the address of an administrator. */
import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import postgres from 'postgres';

interface NamedDatabase {
  readonly name: string;
  readonly role: string;
}

const CONNECT_SECONDS = 10;
/** Connections that a project's role may have open. */
const CONNECTION_LIMIT = 20;
/** `object_in_use`: a database that is copied has a connection. */
const IN_USE = '55006';

/** Each function opens a connection of its own and may be repeated; rejects when the server cannot be reached. */
export function createProjectDatabases(adminUrl: string) {
  async function administer<Result>(act: (sql: postgres.Sql) => Promise<Result>, database?: string): Promise<Result> {
    const url = new URL(adminUrl);
    if (database !== undefined) url.pathname = `/${encodeURIComponent(database)}`;
    const sql = postgres(url.href, {
      max: 1,
      connect_timeout: CONNECT_SECONDS,
      onnotice: () => {},
      connection: { application_name: 'codex-k8s project databases' },
    });
    try {
      return await act(sql);
    } finally {
      await sql.end({ timeout: 5 });
    }
  }

  async function exists(sql: postgres.Sql, name: string): Promise<boolean> {
    const rows = await sql`select 1 from pg_database where datname = ${name}`;
    return rows.length > 0;
  }

  async function ensureRole(sql: postgres.Sql, role: string, password: string): Promise<void> {
    const rows = await sql`select 1 from pg_roles where rolname = ${role}`;
    const does = rows.length > 0 ? 'alter' : 'create';
    // Only the verifier is sent: a statement may stand in the server's log.
    await sql.unsafe(
      `${does} role ${quoted(role)} with login nosuperuser nocreatedb nocreaterole noreplication nobypassrls connection limit ${CONNECTION_LIMIT} password '${scramVerifier(password)}'`,
    );
    // To make databases that it owns; a superuser needs no membership.
    await sql.unsafe(`grant ${quoted(role)} to current_user`);
  }

  /** Copies a database whole, or not at all. */
  async function copy(sql: postgres.Sql, { name, role }: NamedDatabase, seed: NamedDatabase): Promise<void> {
    const unfinished = `${name}__seeding`;
    await sql.unsafe(`drop database if exists ${quoted(unfinished)} with (force)`);
    await sql.unsafe(`create database ${quoted(unfinished)} template ${quoted(seed.name)} owner ${quoted(role)}`);
    try {
      await sql.unsafe(`revoke connect on database ${quoted(unfinished)} from public`);
      await administer(
        (inside) =>
          inside.begin(async (tx) => {
            // It also gives away the database that was copied, which belongs to its role again at the end.
            await tx.unsafe(`reassign owned by ${quoted(seed.role)} to ${quoted(role)}`);
            await tx.unsafe(`alter database ${quoted(seed.name)} owner to ${quoted(seed.role)}`);
          }),
        unfinished,
      );
      await sql.unsafe(`alter database ${quoted(unfinished)} rename to ${quoted(name)}`);
    } catch (error) {
      await sql.unsafe(`drop database if exists ${quoted(unfinished)} with (force)`);
      throw error;
    }
  }

  return {
    /** Bytes and open connections; undefined if there is no such database. */
    async describe(name: string): Promise<{ bytes: number; connections: number } | undefined> {
      return administer(async (sql) => {
        const [row] = await sql<{ bytes: string; connections: number }[]>`
          select pg_database_size(oid)::text as bytes,
            (select count(*)::int from pg_stat_activity where datname = ${name}) as connections
          from pg_database where datname = ${name}`;
        return row && { bytes: Number(row.bytes), connections: row.connections };
      });
    },

    /** The address for a role of a project, with its password. */
    urlFor({ name, role, password }: NamedDatabase & { readonly password: string }): string {
      const url = new URL(adminUrl);
      url.username = encodeURIComponent(role);
      url.password = encodeURIComponent(password);
      url.pathname = `/${encodeURIComponent(name)}`;
      return url.href;
    },

    /** Makes role and database, or finds what an earlier try has made. `seed_in_use`: it cannot be copied now. */
    async create({
      seed,
      password,
      ...database
    }: NamedDatabase & { readonly password: string; readonly seed?: NamedDatabase }): Promise<
      'created' | 'seed_in_use'
    > {
      return administer(async (sql) => {
        const { name, role } = database;
        await ensureRole(sql, role, password);
        try {
          if (!(await exists(sql, name))) {
            if (seed) await copy(sql, database, seed);
            else await sql.unsafe(`create database ${quoted(name)} owner ${quoted(role)}`);
          }
        } catch (error) {
          if ((error as { code?: unknown }).code === IN_USE) return 'seed_in_use';
          throw error;
        }
        await sql.unsafe(`revoke connect on database ${quoted(name)} from public`);
        return 'created';
      });
    },

    /** Ends the connections, and drops database and role. */
    async drop({ name, role }: NamedDatabase): Promise<void> {
      await administer(async (sql) => {
        await sql.unsafe(`drop database if exists ${quoted(name)} with (force)`);
        await sql.unsafe(`drop role if exists ${quoted(role)}`);
      });
    },
  };
}

/** An identifier. Names are checked where they are made; here nothing can end the quotes. */
function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

const ROUNDS = 4096;

/** What Postgres stores of a password (RFC 5803). */
function scramVerifier(password: string): string {
  const salt = randomBytes(16);
  const salted = pbkdf2Sync(password, salt, ROUNDS, 32, 'sha256');
  const mac = (words: string): Buffer => createHmac('sha256', salted).update(words).digest();
  const stored = createHash('sha256').update(mac('Client Key')).digest('base64');
  return `SCRAM-SHA-256$${ROUNDS}:${salt.toString('base64')}$${stored}:${mac('Server Key').toString('base64')}`;
}
