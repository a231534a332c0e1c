/**
 * An issue's workspace: a namespace that carries our labels and its owner, and what is in it (docs/decisions.md, 10).
 * What is not ours is never adopted, changed or deleted.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { V1Job, V1Namespace } from '@kubernetes/client-node';
import { largerSize, sizeOf, type WorkspaceUse, type SizeName } from '../../domain/workspace/workspaces.ts';
import type { KubernetesApi } from './api.ts';
import { ANNOTATIONS, LABELS, MANAGED_BY, OURS, PURPOSE } from './names.ts';
import { fingerprintOf, namespaceObject, objectsOf, type Egress } from './objects.ts';
import { isTerminating } from './refusals.ts';

/** The workspace belongs to somebody else, or was not made by this platform. */
export class ForeignWorkspace extends Error {
  override readonly name = 'ForeignWorkspace';
}

/** The namespace is on its way out, just now; the next try finds another name. */
class WorkspaceLeaving extends Error {
  override readonly name = 'WorkspaceLeaving';
}

export interface WantedWorkspace {
  /** The workflow's name for it. */
  readonly workspace: string;
  readonly owner: string;
  readonly runId: string;
  readonly use: WorkspaceUse;
  readonly egress: Egress;
  readonly image: string;
}

/** Names that are tried while earlier namespaces of the same workspace are still being deleted. */
const NAMES = 9;

/** Makes the workspace or brings it up to date, and returns its namespace's name. */
export async function ensureWorkspace(api: KubernetesApi, wanted: WantedWorkspace): Promise<string> {
  for (const namespace of await namesOf(api, wanted.workspace)) {
    const size = await claim(api, namespace, wanted);
    if (!size) continue;
    // All of them before a Job. The API server takes a RoleBinding only when its Role is there.
    const objects = objectsOf({ ...wanted, namespace, size });
    const isBinding = ({ kind }: { kind?: string }): boolean => kind === 'RoleBinding';
    await Promise.all(objects.filter((object) => !isBinding(object)).map((object) => api.apply(object)));
    await Promise.all(objects.filter(isBinding).map((object) => api.apply(object)));
    return namespace;
  }
  throw new WorkspaceLeaving(`${NAMES} namespaces of ${wanted.workspace} are still being deleted`);
}

/** Says in one way that a namespace began to leave while something was made in it. */
export async function unlessLeaving<Made>(workspace: string, made: Promise<Made>): Promise<Made> {
  return made.catch((error: unknown) => {
    if (!isTerminating(error)) throw error;
    throw new WorkspaceLeaving(`the namespace of ${workspace} is being deleted`, { cause: error });
  });
}

/** What lives comes first, so that a name which has become free meanwhile makes no second workspace. */
async function namesOf(api: KubernetesApi, workspace: string): Promise<Set<string>> {
  const living = (await namespacesOf(api, workspace)).filter((namespace) => !isLeaving(namespace));
  const free = Array.from({ length: NAMES }, (_, index) => nthName(workspace, index + 1));
  return new Set([...living.flatMap(({ metadata }) => metadata?.name ?? []), ...free]);
}

/**
 * Takes a namespace and says what size it has now: what the run asks for, or what it had, if that is more. Undefined when the
 * namespace is still being deleted, or is better made anew under another name.
 */
async function claim(api: KubernetesApi, namespace: string, wanted: WantedWorkspace): Promise<SizeName | undefined> {
  const asked = sizeOf(wanted.use);
  if (await api.create(namespaceObject({ ...wanted, namespace, size: asked }, new Date()))) return asked;
  const found = await api.find<V1Namespace>(refOf(namespace));
  if (!found) throw new WorkspaceLeaving(`namespace ${namespace} was deleted just now`);
  if (isLeaving(found)) return undefined;
  assertOurs(found, wanted.owner);
  const annotations = found.metadata?.annotations;
  if (annotations?.[ANNOTATIONS.fingerprint] !== fingerprintOf(wanted)) {
    await api.remove(refOf(namespace), found.metadata?.uid);
    return undefined;
  }
  const size = largerSize(annotations[ANNOTATIONS.size], asked);
  await api.apply(namespaceObject({ ...wanted, namespace, size }, new Date()));
  return size;
}

/** The namespaces of a workspace: what lives first, then what is being deleted. */
export async function namespacesOf(api: KubernetesApi, workspace: string): Promise<V1Namespace[]> {
  const found = await api.list<V1Namespace>('v1', 'Namespace', {
    labelSelector: `${OURS},${LABELS.workspace}=${workspace}`,
  });
  return found.toSorted((one, other) => Number(isLeaving(one)) - Number(isLeaving(other)));
}

/** Milliseconds for a namespace to be gone, before it is said what holds it. */
const REMOVAL_MS = 75_000;
const LOOK_MS = 500;

/**
 * Deletes a workspace and waits until it is gone. What holds it is returned when that takes too long: it goes on leaving by
 * itself, and nobody waits for it (docs/reliability.md T40). Throws {@link ForeignWorkspace} when it is not its owner's.
 */
export async function removeWorkspace(
  api: KubernetesApi,
  { name, owner }: { name: string; owner: string },
  limitMs = REMOVAL_MS,
): Promise<{ held?: string }> {
  const until = Date.now() + limitMs;
  // Slots have names that others had before: what they left may still be on its way out.
  const namespaces = async (): Promise<V1Namespace[]> =>
    (await namespacesOf(api, name)).filter((namespace) => !isLeaving(namespace) || ownerOf(namespace) === owner);
  for (const namespace of await namespaces()) {
    assertOurs(namespace, owner);
    if (!isLeaving(namespace)) await api.remove(refOf(namespace.metadata?.name ?? ''), namespace.metadata?.uid);
  }
  for (;;) {
    const left = await namespaces();
    if (left.length === 0) return {};
    if (Date.now() > until) return { held: left.map(whatHolds).join('; ') };
    await delay(LOOK_MS);
  }
}

/** Kubernetes' own words for what keeps a namespace from being gone. */
function whatHolds({ metadata, status }: V1Namespace): string {
  const words = (status?.conditions ?? [])
    .filter(({ type, status: is }) => is === 'True' && type.startsWith('Namespace'))
    .map(({ message }) => message)
    .filter(Boolean);
  return `namespace ${metadata?.name} is still being deleted: ${words.join(' ') || 'Kubernetes does not say why'}`;
}

/** A workspace as a sweep sees it. */
export interface WorkspaceEntry {
  readonly name: string;
  readonly owner: string;
  readonly runs: readonly string[];
  readonly usedAt: string;
}

/** All workspaces of this platform, the longest unused first. */
export async function listWorkspaces(api: KubernetesApi): Promise<WorkspaceEntry[]> {
  const [namespaces, jobs] = await Promise.all([
    api.list<V1Namespace>('v1', 'Namespace', { labelSelector: OURS }),
    api.list<V1Job>('batch/v1', 'Job', { labelSelector: `${LABELS.managedBy}=${MANAGED_BY}` }),
  ]);
  return namespaces
    .flatMap(({ metadata }) => {
      const owner = metadata?.annotations?.[ANNOTATIONS.owner];
      const name = metadata?.labels?.[LABELS.workspace];
      if (owner === undefined || name === undefined) return [];
      const runs = jobs.filter((job) => job.metadata?.namespace === metadata?.name);
      const made = [metadata, ...runs.map((job) => job.metadata)].map((object) =>
        new Date(object?.creationTimestamp ?? 0).getTime(),
      );
      const used = Date.parse(metadata?.annotations?.[ANNOTATIONS.leaseUpdatedAt] ?? '') || 0;
      return {
        name,
        owner,
        runs: [...new Set(runs.flatMap((job) => job.metadata?.labels?.[LABELS.runId] ?? []))],
        usedAt: new Date(Math.max(used, ...made)).toISOString(),
      };
    })
    .toSorted((one, other) => one.usedAt.localeCompare(other.usedAt));
}

function refOf(name: string) {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
}

/** A DNS label of at most 63 characters. */
function nthName(workspace: string, nth: number): string {
  return nth === 1 ? workspace : `${workspace.slice(0, 61).replaceAll(/-+$/g, '')}-${nth}`;
}

function isLeaving({ metadata, status }: V1Namespace): boolean {
  return metadata?.deletionTimestamp !== undefined || status?.phase === 'Terminating';
}

/** The key; undefined when the namespace was not made by this platform. */
function ownerOf({ metadata }: V1Namespace): string | undefined {
  const labels = metadata?.labels ?? {};
  const isManaged = labels[LABELS.managedBy] === MANAGED_BY && labels[LABELS.purpose] === PURPOSE;
  return isManaged ? metadata?.annotations?.[ANNOTATIONS.owner] : undefined;
}

function assertOurs(namespace: V1Namespace, owner: string): void {
  const found = ownerOf(namespace);
  if (found === owner) return;
  const whose = found ?? 'somebody who is not this platform';
  throw new ForeignWorkspace(
    `namespace ${namespace.metadata?.name} belongs to ${whose}, not to ${owner}: it is left as it is`,
  );
}
