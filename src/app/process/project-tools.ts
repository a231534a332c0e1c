/** The tools that write secrets and databases of a project, with what server and worker give them. */
import { createProjectDatabases } from '../../adapters/project-databases.ts';
import { createSealing } from '../../adapters/sealing.ts';
import type { Database } from '../../store/connection/database.ts';
import {
  findProjectDatabase,
  forgetProjectDatabase,
  reserveProjectDatabase,
  setProjectDatabaseState,
} from '../../store/projects/databases.ts';
import { findProjectSlug } from '../../store/projects/repositories.ts';
import {
  claimSecret,
  confirmSecret,
  findSecretOwner,
  findSync,
  recordSync,
  releaseSecret,
} from '../../store/projects/synced-secrets.ts';
import { databaseLifecycle } from '../../tools/database-lifecycle.ts';
import type { ToolPerformers } from '../../tools/performers.ts';
import { secretSync, type ClusterSecrets, type GitHubEnvironments } from '../../tools/secret-sync.ts';

export interface ProjectToolsConfig {
  readonly CODEXK8S_RUN_TOKEN_KEY_FILE: string;
  readonly CODEXK8S_PROJECT_DATABASES_URL?: string | undefined;
  readonly CODEXK8S_PROJECT_DB_LIFECYCLE_ALLOWED_ENVS: readonly string[];
}

export function createProjectTools(
  config: ProjectToolsConfig,
  {
    db,
    github,
    cluster,
  }: { readonly db: Database; readonly github: GitHubEnvironments; readonly cluster: ClusterSecrets | string },
): ToolPerformers {
  const sealing = createSealing(config.CODEXK8S_RUN_TOKEN_KEY_FILE);
  const { CODEXK8S_PROJECT_DATABASES_URL: databases } = config;
  return {
    'secret.sync.github_k8s': secretSync({
      records: {
        findOwner: (place) => findSecretOwner(db, place),
        claim: (place, owner) => claimSecret(db, place, owner),
        confirm: (place, written) => confirmSecret(db, place, written),
        release: (place) => releaseSecret(db, place),
        findSync: (projectId, key) => findSync(db, projectId, key),
        recordSync: (sync) => recordSync(db, sync),
      },
      github,
      cluster,
      sealing,
    }),
    'database.lifecycle': databaseLifecycle({
      server:
        databases === undefined
          ? 'this installation has no server for databases of projects (CODEXK8S_PROJECT_DATABASES_URL)'
          : createProjectDatabases(databases),
      records: {
        find: (name) => findProjectDatabase(db, name),
        reserve: (record) => reserveProjectDatabase(db, record),
        setState: (name, state) => setProjectDatabaseState(db, name, state),
        forget: (name) => forgetProjectDatabase(db, name),
      },
      cluster,
      slugOf: (projectId) => findProjectSlug(db, projectId),
      environments: config.CODEXK8S_PROJECT_DB_LIFECYCLE_ALLOWED_ENVS,
      sealing,
    }),
  };
}
