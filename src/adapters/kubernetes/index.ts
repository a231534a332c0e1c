/** The Kubernetes runtime and what it is made from. */
export { createKubernetesApi, readKubeConfig } from './api.ts';
export { egressFrom } from './egress.ts';
export type { PodSettings } from './job.ts';
export { createProjectSecrets } from './project-secrets.ts';
export { createRecordedNetworkGuard } from './recorded-network-guard.ts';
export { createKubernetesRuntime } from './runtime.ts';
