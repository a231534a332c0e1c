/** Secrets of projects on the configured cluster. */
import type { Database } from '../../store/connection/database.ts';
import { findProjectSlug } from '../../store/projects/repositories.ts';
import type { ClusterSecrets } from '../../tools/secret-sync.ts';
import type { WorkerConfig } from '../config/worker-config.ts';

/** A text under the local runtime: why there is no cluster. */
export async function createClusterSecrets(config: WorkerConfig, db: Database): Promise<ClusterSecrets | string> {
  if (config.CODEXK8S_RUNTIME === 'local') return 'the local runtime has no Kubernetes cluster';
  const { createKubernetesApi, createProjectSecrets, readKubeConfig } =
    await import('../../adapters/kubernetes/index.ts');
  const secrets = createProjectSecrets(createKubernetesApi(() => readKubeConfig(config.CODEXK8S_KUBECONFIG)));
  return {
    isOfProject: async (namespace, projectId) => secrets.isOfProject(namespace, await findProjectSlug(db, projectId)),
    writeSecret: (secret) => secrets.writeSecret(secret),
  };
}
