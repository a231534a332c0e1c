/** Secrets that the platform writes for a project. None is read: a write says by itself whether it may be. */
import type { V1Namespace } from '@kubernetes/client-node';
import type { KubernetesApi } from './api.ts';
import { LABELS, labelValue, MANAGED_BY, PURPOSE, SECRET_PURPOSE } from './names.ts';

interface ProjectSecret {
  readonly namespace: string;
  readonly name: string;
  readonly key: string;
  readonly value: string;
  readonly projectId: string;
}

export function createProjectSecrets(api: KubernetesApi) {
  return {
    /** Whether a namespace is a workspace of this project: the platform made it, and it carries the project's label. */
    async isOfProject(namespace: string, project: string): Promise<boolean> {
      const found = await api.find<V1Namespace>({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
      const { labels = {}, deletionTimestamp } = found?.metadata ?? {};
      return (
        deletionTimestamp === undefined &&
        labels[LABELS.managedBy] === MANAGED_BY &&
        labels[LABELS.purpose] === PURPOSE &&
        labels[LABELS.project] === labelValue(project)
      );
    },

    /** Creates the Secret, or sets a key of one that the platform made for this project; `foreign`: of any other. */
    async writeSecret({ namespace, name, key, value, projectId }: ProjectSecret): Promise<'written' | 'foreign'> {
      const labels = {
        [LABELS.managedBy]: MANAGED_BY,
        [LABELS.secretPurpose]: SECRET_PURPOSE,
        [LABELS.projectId]: projectId,
      };
      const data = Buffer.from(value).toString('base64');
      const created = await api.create({
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name, namespace, labels },
        type: 'Opaque',
        data: { [key]: data },
      } as Parameters<KubernetesApi['create']>[0]);
      if (created) return 'written';
      const tests = Object.entries(labels).map(([label, is]) => ({
        op: 'test' as const,
        path: `/metadata/labels/${pointed(label)}`,
        value: is,
      }));
      const patched = await api.patchSecret({ namespace, name }, [
        ...tests,
        { op: 'add', path: `/data/${pointed(key)}`, value: data },
      ]);
      return patched ? 'written' : 'foreign';
    },
  };
}

/** A word of a JSON pointer. */
function pointed(word: string): string {
  return word.replaceAll('~', '~0').replaceAll('/', '~1');
}
