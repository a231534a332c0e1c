/** Reads names and rules from the platform's manifests (deploy/kubernetes/base). */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';

const BASE = fileURLToPath(new URL('../../../deploy/kubernetes/base/', import.meta.url));

export const PLATFORM_NAMESPACE = 'codex-k8s';
export const WORKER_USER = 'system:serviceaccount:codex-k8s:codex-k8s-worker';

export interface PolicyRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly rules?: readonly PolicyRule[];
}

/** The rules of all ClusterRoles that the worker is bound to. */
export function workerRules(): PolicyRule[] {
  return manifests()
    .filter(({ kind }) => kind === 'ClusterRole')
    .flatMap(({ rules = [] }) => rules);
}

/** The names of the admission policies; each has a binding of the same name. */
export function admissionPolicies(): string[] {
  return manifests()
    .filter(({ kind }) => kind === 'ValidatingAdmissionPolicy')
    .map(({ metadata }) => metadata.name);
}

function manifests(): Manifest[] {
  return readdirSync(BASE)
    .filter((file) => file.endsWith('.yaml') && file !== 'kustomization.yaml')
    .flatMap((file) =>
      parseAllDocuments(readFileSync(`${BASE}${file}`, 'utf8')).map((document) => document.toJS() as Manifest),
    );
}
