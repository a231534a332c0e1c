/**
 * `database.lifecycle`: creates, describes and deletes databases of the run's project. Their addresses, which have passwords, are
 * written to a Kubernetes Secret of the project and kept sealed; no result has one.
 */
import { notDone, type Performer, type ToolContext, type ToolNotDone, type ToolResult } from './performers.ts';
import type { ToolArgs } from './schemas.ts';
import type { ClusterSecrets } from './secret-sync.ts';

export interface DatabaseRecord {
  readonly name: string;
  readonly projectId: string;
  readonly environment: string;
  readonly role: string;
  readonly state: 'creating' | 'ready' | 'deleting';
  readonly sealedUrl: string;
}

/** Which databases are whose (table `project_databases`). */
export interface DatabaseRecords {
  find(name: string): Promise<DatabaseRecord | undefined>;
  /** Records a database before it is made; returns an earlier record if there is one, whosever it is. */
  reserve(record: Omit<DatabaseRecord, 'state'> & { runId: string }): Promise<DatabaseRecord>;
  setState(name: string, state: DatabaseRecord['state']): Promise<void>;
  forget(name: string): Promise<void>;
}

/** The server that databases of projects are on. Each function may be repeated. */
export interface DatabaseServer {
  /** Bytes and open connections; undefined if there is no such database. */
  describe(name: string): Promise<{ bytes: number; connections: number } | undefined>;
  /** The address for a role; it has the password. */
  urlFor(database: { name: string; role: string; password: string }): string;
  /** Makes role and database. A copy of `seed` is made under another name, and gets its own when it is whole. */
  create(database: {
    name: string;
    role: string;
    password: string;
    seed?: { name: string; role: string };
  }): Promise<'created' | 'seed_in_use'>;
  /** Ends the connections, and drops database and role. */
  drop(database: { name: string; role: string }): Promise<void>;
}

export interface DatabaseLifecyclePorts {
  /** A text: why there is none. */
  readonly server: DatabaseServer | string;
  readonly records: DatabaseRecords;
  readonly cluster: Pick<ClusterSecrets, 'isOfProject' | 'writeSecret'> | string;
  readonly slugOf: (projectId: string) => Promise<string>;
  /** Environments in which databases may be created and deleted. */
  readonly environments: readonly string[];
  readonly sealing: {
    derive(...words: readonly string[]): string;
    seal(value: string, about: string): string;
    open(sealed: string, about: string): string;
  };
}

type Args = ToolArgs<'database.lifecycle'>;

/** Postgres cuts names off after 63 bytes; a copy that is being made has nine more. */
const LONGEST_NAME = 54;

export function databaseLifecycle(ports: DatabaseLifecyclePorts): Performer<'database.lifecycle'> {
  return async function lifecycle(args, context) {
    const { server, records } = ports;
    if (typeof server === 'string') return notDone('not_available_here', server);
    if (!ports.environments.includes(args.environment) && args.action !== 'describe')
      return notDone(
        'refused',
        `databases of the environment ${args.environment} are not changed here; allowed are ${ports.environments.join(', ')}`,
      );
    const name = nameFor(await ports.slugOf(context.run.projectId), args.database_name);
    if (name.length > LONGEST_NAME)
      return notDone('refused', `the name ${name} has more than ${LONGEST_NAME} characters; choose a shorter one`);
    const found = await records.find(name);
    const own =
      found?.projectId === context.run.projectId && found.environment === args.environment ? found : undefined;
    const target: Target = { name, found, own, server, ports, args, context };
    switch (args.action) {
      case 'describe':
        return describe(target);
      case 'create':
        return create(target);
      case 'delete':
        return remove(target);
    }
  };
}

interface Target {
  readonly name: string;
  /** The record of this name, whosever it is. */
  readonly found: DatabaseRecord | undefined;
  /** The same, if it is this project's and in this environment. */
  readonly own: DatabaseRecord | undefined;
  readonly server: DatabaseServer;
  readonly ports: DatabaseLifecyclePorts;
  readonly args: Args;
  readonly context: ToolContext;
}

async function describe({ name, own, server, args }: Target): Promise<ToolResult> {
  const described = own && (await server.describe(name));
  if (!own || !described) return unknown(args);
  return {
    status: 'ok',
    message: 'described',
    database: name,
    environment: own.environment,
    owner: own.role,
    state: own.state,
    ...described,
  };
}

async function create(target: Target): Promise<ToolResult> {
  const { name, found, own, server, ports, args, context } = target;
  const { records, sealing } = ports;
  if (found && !own) return taken(name);
  if (!found && (await server.describe(name))) return taken(name);
  if (own?.state === 'deleting')
    return notDone('conflict', `${name} is being deleted; create it again when that is done`);
  const seed = await seedOf(target);
  if (seed === 'unknown') return notDone('not_found', `there is no database ${args.seed_from} of this project to copy`);
  if (own?.state === 'ready')
    return {
      status: 'ok',
      message: 'idempotent_replay',
      database: name,
      environment: own.environment,
      owner: own.role,
    };
  if (args.dry_run)
    return { status: 'ok', message: 'dry_run', database: name, environment: args.environment, owner: name };
  const namespace = context.run.namespace;
  const cluster = typeof ports.cluster === 'string' ? undefined : ports.cluster;
  if (cluster && (namespace === null || !(await cluster.isOfProject(namespace, context.run.projectId))))
    return notDone('refused', 'the run has no workspace on Kubernetes, so there is no place for the credentials');

  const password = sealing.derive('database password', name, context.key);
  const record = await records.reserve({
    name,
    projectId: context.run.projectId,
    environment: args.environment,
    role: name,
    sealedUrl: sealing.seal(server.urlFor({ name, role: name, password }), sealedAbout(name)),
    runId: context.run.runId,
  });
  if (record.projectId !== context.run.projectId || record.environment !== args.environment) return taken(name);
  // Another try may have recorded another password: what is recorded counts.
  const url = sealing.open(record.sealedUrl, sealedAbout(name));
  const created = await server.create({ name, role: record.role, password: passwordIn(url), ...(seed && { seed }) });
  if (created === 'seed_in_use')
    return notDone(
      'conflict',
      `${args.seed_from} has open connections and cannot be copied; close them and call again`,
    );
  let credentials: Record<string, unknown> = { sealed: `database:${name}` };
  if (cluster && namespace !== null) {
    const secret = { namespace, name: `database-${name.replaceAll('_', '-')}`, key: 'DATABASE_URL' };
    const written = await cluster.writeSecret({ ...secret, value: url, projectId: context.run.projectId });
    if (written === 'foreign')
      return notDone(
        'conflict',
        `the Secret ${namespace}/${secret.name} is there already and was not written by this project`,
      );
    credentials = { kubernetes_secret: secret.name, namespace, key: secret.key };
  }
  await records.setState(name, 'ready');
  const seeded = seed ? { seeded_from: seed.name } : {};
  return {
    status: 'ok',
    message: 'applied',
    database: name,
    environment: args.environment,
    owner: record.role,
    credentials,
    ...seeded,
  };
}

async function remove({ name, own, server, ports, args }: Target): Promise<ToolResult> {
  if (!own) return unknown(args);
  if (args.dry_run) return { status: 'ok', message: 'dry_run', database: name, environment: own.environment };
  if (!args.confirm_delete)
    return {
      ...notDone(
        'refused',
        `delete_confirmation_required: call again with confirm_delete to delete ${name} and all that is in it`,
      ),
      database: name,
    };
  await ports.records.setState(name, 'deleting');
  await server.drop({ name, role: own.role });
  await ports.records.forget(name);
  return { status: 'ok', message: 'applied', database: name, environment: own.environment, deleted: true };
}

/** The database to copy: one of the same project, in an environment whose databases may be changed. */
async function seedOf({
  ports,
  args,
  context,
}: Target): Promise<{ name: string; role: string } | 'unknown' | undefined> {
  if (args.seed_from === undefined) return undefined;
  const name = nameFor(await ports.slugOf(context.run.projectId), args.seed_from);
  const found = await ports.records.find(name);
  const usable =
    found?.projectId === context.run.projectId &&
    found.state === 'ready' &&
    ports.environments.includes(found.environment);
  return usable ? { name, role: found.role } : 'unknown';
}

/** A project's databases begin with its slug; a name that does so already is taken as it is. */
function nameFor(slug: string, name: string): string {
  const prefix = `${slug.replaceAll('-', '_')}_`;
  const whole = name.startsWith(prefix) ? name : `${prefix}${name}`;
  return /^[0-9]/.test(whole) ? `p${whole}` : whole;
}

/** The same for a database that is not there and for one of another project or environment. */
function unknown({ database_name, environment }: Args): ToolNotDone {
  return notDone('not_found', `this project has no database ${database_name} in the environment ${environment}`);
}

function taken(name: string): ToolNotDone {
  return notDone('conflict', `the name ${name} is taken; choose another one`);
}

function sealedAbout(name: string): string {
  return `database ${name}`;
}

function passwordIn(url: string): string {
  return decodeURIComponent(new URL(url).password);
}
