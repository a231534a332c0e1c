/** The steps of a start. Each step imports its modules itself, so that they are loaded in the set-up process only. */
import type { ApiAddress } from '../../api-client/api-client.ts';
import type { ClusterForAgents, StartCluster } from '../kubernetes.ts';
import type { PostgresCluster } from '../postgres/cluster.ts';
import type { TemporalDev } from '../temporal/dev-settings.ts';

const TEMPORAL_DEV = new URL('../../../temporal-dev.yaml', import.meta.url);

export interface StepContext {
  readonly env: NodeJS.ProcessEnv;
  /** Called with each line of progress. */
  readonly report: (message: string) => void;
  readonly startCluster: StartCluster;
}

/** A Temporal server that can be started. */
export interface TemporalParts {
  readonly executable: string;
  readonly settings: TemporalDev;
}

/** The steps: input and result are plain JSON, and each may be repeated. */
export const STEPS = {
  /** Refuses settings that a process would refuse later; returns the absolute path of the labels file. */
  async configuration(_: object, { env }: StepContext): Promise<{ labelsFile?: string }> {
    const { checkConfiguration } = await import('./configuration.ts');
    return checkConfiguration(env);
  },

  async temporal({ cacheDirectory }: { cacheDirectory: string }, { env, report }: StepContext): Promise<TemporalParts> {
    const [{ readTemporalDev }, { resolveTemporal }] = await Promise.all([
      import('../temporal/dev-settings.ts'),
      import('../temporal/executable.ts'),
    ]);
    const settings = readTemporalDev(TEMPORAL_DEV);
    const { path } = await resolveTemporal({ ...settings, cacheDirectory, env, report });
    return { executable: path, settings };
  },

  async temporalNamespace({ address, settings }: { address: string; settings: TemporalDev }): Promise<boolean> {
    const { convergeNamespace } = await import('../temporal/namespace.ts');
    return convergeNamespace(address, settings);
  },

  async postgres(
    input: { dataDirectory: string; password: string },
    { report }: StepContext,
  ): Promise<PostgresCluster> {
    const { makePostgresCluster } = await import('../postgres/cluster.ts');
    return makePostgresCluster({ ...input, report });
  },

  async database({ serverUrl }: { serverUrl: string }): Promise<boolean> {
    const { ensureDatabase } = await import('../postgres/database.ts');
    return ensureDatabase(serverUrl);
  },

  async migration({ databaseUrl }: { databaseUrl: string }): Promise<void> {
    const { migrateDatabase } = await import('../../store/connection/migrate.ts');
    await migrateDatabase(databaseUrl);
  },

  async cluster(
    input: { directory: string; gatewaysPort: number },
    { env, report, startCluster }: StepContext,
  ): Promise<ClusterForAgents> {
    const { prepareCluster } = await import('../kubernetes.ts');
    return prepareCluster({ ...input, env, report, startCluster });
  },

  async owner(address: ApiAddress): Promise<void> {
    const { addOwner } = await import('./owner.ts');
    await addOwner(address);
  },
} as const;

export type Steps = typeof STEPS;
export type StepName = keyof Steps;
export type StepInput<Name extends StepName> = Parameters<Steps[Name]>[0];
export type StepResult<Name extends StepName> = Awaited<ReturnType<Steps[Name]>>;

/** A request for a step; answers refer to its `id`. */
export interface StepRequest {
  readonly id: number;
  readonly name: StepName;
  readonly input: unknown;
}

export type StepAnswer =
  | { readonly id: number; readonly report: string }
  | { readonly id: number; readonly result: unknown }
  /** With an exit code if it is a `CommandProblem`. */
  | { readonly id: number; readonly problem: string; readonly exitCode?: 1 | 2 };
