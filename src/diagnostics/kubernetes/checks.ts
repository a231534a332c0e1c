/** Checks of the cluster for the Kubernetes runtime. */
import { egressFrom, readKubeConfig } from '../../adapters/kubernetes/index.ts';
import type { StoredNetworkFinding } from '../../store/workspaces/cluster-findings.ts';
import type { UsableSettings } from '../../app/config/all-settings.ts';
import { failed, ok, warning, type Answer, type Check } from '../check.ts';
import { accountAnswer, accountName, admissionPoliciesInstalled, podSecurityWorks, workerIsHeld } from './admission.ts';
import { createCluster, type Cluster } from './cluster.ts';
import { admissionPolicies, WORKER_USER, workerRules } from './manifests.ts';
import { networkPolicyAnswer } from './network-policy.ts';
import { excessPermissions, lackingPermissions } from './permissions.ts';

/** Oldest supported minor version: ValidatingAdmissionPolicy is stable since 1.30. */
const OLDEST_MINOR = 30;

export interface KubernetesOptions {
  readonly settings: UsableSettings;
  /** Reads the latest result of the network policy probe, if one is recorded. */
  readonly networkProbe?: () => Promise<StoredNetworkFinding | undefined>;
}

/** All checks of the cluster and of its settings. */
export function kubernetesChecks({ settings, networkProbe = async () => undefined }: KubernetesOptions): Check[] {
  return [
    {
      name: 'Kubernetes',
      remedy: 'correct CODEXK8S_KUBECONFIG, and let the worker reach the API server',
      limitMs: 30_000,
      run: async () => {
        const cluster = createCluster(readKubeConfig(settings.CODEXK8S_KUBECONFIG));
        const version = await versionAnswer(cluster);
        const account = await accountName(cluster);
        return [
          version,
          accountAnswer(account),
          ...(await Promise.all([
            lackingPermissions(cluster, workerRules()),
            excessPermissions(cluster),
            admissionPoliciesInstalled(cluster, admissionPolicies()),
          ])),
          ...(account === WORKER_USER ? await workerIsHeld(cluster) : []),
          await podSecurityWorks(cluster),
          networkPolicyAnswer(await networkProbe()),
        ];
      },
    },
    { name: 'agents', run: async () => [imageAnswer(settings.CODEXK8S_AGENT_IMAGE), addressAnswer(settings)] },
  ];
}

async function versionAnswer(cluster: Cluster): Promise<Answer> {
  const { code, body } = await cluster.get('/version');
  const { gitVersion = '', major = '0', minor = '0' } = (body ?? {}) as Record<string, string>;
  if (code !== 200) throw new Error(`GET ${cluster.server}/version answers HTTP ${code}`);
  if (Number(major) === 1 && Number.parseInt(minor, 10) < OLDEST_MINOR)
    return failed(`answers at ${cluster.server}, version ${gitVersion}`, `upgrade to 1.${OLDEST_MINOR} or later`);
  return ok(`answers at ${cluster.server}, version ${gitVersion}`);
}

function imageAnswer(image: string | undefined): Answer {
  if (image === undefined)
    return failed('no image', 'set CODEXK8S_AGENT_IMAGE: deploy/images/Dockerfile, target agent');
  // The tag of the local cluster's images is a hash of their content.
  if (/(@sha256:[0-9a-f]{64}|^codex-k8s\/agent:[0-9a-f]{12})$/.test(image)) return ok(`image ${image}`);
  return warning(
    `image ${image}: no digest`,
    'name it as NAME@sha256:..., so that all nodes run the same image, and nobody puts another one in its place',
  );
}

function addressAnswer(settings: UsableSettings): Answer {
  const url = settings.CODEXK8S_AGENT_URL ?? settings.CODEXK8S_INTERNAL_URL;
  if (url === undefined) return failed('no address of the platform for agents', 'set CODEXK8S_AGENT_URL');
  const egress = egressFrom({ platformUrl: url, apiServer: undefined, listed: [] }).gateways;
  if ('address' in egress && /^(127\.|::1$)/.test(egress.address))
    return failed(
      `reach the platform at ${url}, which is the loopback address of their own pod`,
      'set CODEXK8S_AGENT_URL',
    );
  return ok(`reach the platform at ${url}`);
}
