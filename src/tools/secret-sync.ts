/**
 * `secret.sync.github_k8s`: one value into a Kubernetes Secret of the project and into a secret of a GitHub environment. The
 * value is in no result. What the platform did not write is not overwritten.
 */
import { notDone, type Performer, type ToolContext, type ToolNotDone, type ToolRun } from './performers.ts';
import type { ToolArgs } from './schemas.ts';

export interface SecretPlace {
  readonly kind: 'kubernetes' | 'github';
  /** `<namespace>/<Secret>`, or `<repository id>/<environment>`. */
  readonly location: string;
  /** The key in the Secret, or the secret's name on GitHub. */
  readonly name: string;
}

/** Who owns what was written (table `synced_secrets`). */
export interface SecretRecords {
  /** The project whose secret this is, if the platform wrote it. */
  findOwner(place: SecretPlace): Promise<string | undefined>;
  /** Before the write. False if it is another project's. */
  claim(place: SecretPlace, owner: { projectId: string; environment: string; runId: string }): Promise<boolean>;
  confirm(place: SecretPlace, written: { fingerprint: string; runId: string }): Promise<void>;
  release(place: SecretPlace): Promise<void>;
  findSync(projectId: string, idempotencyKey: string): Promise<string | undefined>;
  recordSync(sync: { projectId: string; idempotencyKey: string; fingerprint: string; runId: string }): Promise<void>;
}

export interface GitHubEnvironments {
  ensureEnvironment(repository: { owner: string; name: string }, environment: string): Promise<'created' | 'present'>;
  /** When the secret was last written; undefined if it is not there. */
  findEnvironmentSecret(
    repository: { owner: string; name: string },
    environment: string,
    secret: string,
  ): Promise<string | undefined>;
  writeEnvironmentSecret(
    repository: { owner: string; name: string },
    environment: string,
    secret: { name: string; value: string },
  ): Promise<void>;
}

export interface ClusterSecrets {
  /** Whether the namespace is a workspace of this project: one that the platform made and labelled so. */
  isOfProject(namespace: string, projectId: string): Promise<boolean>;
  /** Creates a Secret, or sets a key of one that the platform made for this project; `foreign`: of any other. */
  writeSecret(secret: {
    namespace: string;
    name: string;
    key: string;
    value: string;
    projectId: string;
  }): Promise<'written' | 'foreign'>;
}

export interface SecretSyncPorts {
  readonly records: SecretRecords;
  readonly github: GitHubEnvironments;
  /** A text: why there is no cluster. */
  readonly cluster: ClusterSecrets | string;
  readonly sealing: {
    derive(...words: readonly string[]): string;
    fingerprint(value: string, about: string): string;
  };
}

type Args = ToolArgs<'secret.sync.github_k8s'>;

/** What a target answers. */
interface Target {
  readonly place: SecretPlace;
  /** Why the secret must not be written; undefined: it may be. */
  check(): Promise<ToolNotDone | undefined>;
  /** `foreign`: somebody else's was found in its place. */
  write(value: string): Promise<Readonly<Record<string, unknown>> | 'foreign'>;
}

export function secretSync(ports: SecretSyncPorts): Performer<'secret.sync.github_k8s'> {
  const { records, sealing, cluster } = ports;

  return async function syncSecret(args, context) {
    const { run } = context;
    const foreign = foreignTo(run, args);
    if (foreign) return foreign;
    if (typeof cluster !== 'string' && namespaceOf(args, run) === undefined)
      return notDone('refused', 'the run has no workspace on Kubernetes: name one in kubernetes_namespace');
    const targets = typeof cluster === 'string' ? [] : [kubernetesTarget(ports, cluster, args, run)];
    targets.push(gitHubTarget(ports, args, run));

    // Every target is looked at before one is written.
    for (const target of targets) {
      const refusal = await target.check();
      if (refusal) return refusal;
    }
    const value = valueOf(ports, args, context);
    const replay = await replayOf(ports, args, run, value);
    if (replay !== undefined) return replay;
    const shown = { environment: args.environment, policy: args.policy, ...shownTargets(targets, cluster) };
    if (args.dry_run) return { status: 'ok', message: 'dry_run', ...shown };

    const written: Record<string, unknown> = {};
    for (const target of targets) {
      const { place } = target;
      const owner = { projectId: run.projectId, environment: args.environment, runId: run.runId };
      const known = await records.findOwner(place);
      if (!(await records.claim(place, owner))) return takenBySomebody(place);
      const outcome = await target.write(value);
      if (outcome === 'foreign') {
        if (known === undefined) await records.release(place);
        return takenBySomebody(place);
      }
      written[place.kind] = outcome;
      const fingerprint = sealing.fingerprint(value, `${place.kind} ${place.location} ${place.name}`);
      await records.confirm(place, { fingerprint, runId: run.runId });
    }
    if (args.idempotency_key !== undefined)
      await records.recordSync({
        projectId: run.projectId,
        idempotencyKey: args.idempotency_key,
        fingerprint: syncFingerprint(ports, args, run, value),
        runId: run.runId,
      });
    return { status: 'ok', message: 'applied', ...shown, ...written };
  };
}

/** The project and repository of the arguments are the run's, or the call is refused. */
function foreignTo(run: ToolRun, { project_id, repository, kubernetes_secret_name }: Args): ToolNotDone | undefined {
  if (project_id !== undefined && project_id !== run.projectId)
    return notDone('refused', 'project_id is not the project of this run; leave it out');
  if (repository !== undefined && repository.toLowerCase() !== run.repository.toLowerCase())
    return notDone('refused', `repository is not the one of this run; leave it out or say ${run.repository}`);
  if (kubernetes_secret_name.startsWith('codex-k8s-'))
    return notDone('refused', 'Secrets whose names begin with codex-k8s- belong to the platform; choose another name');
  return undefined;
}

function namespaceOf(args: Args, run: ToolRun): string | undefined {
  return args.kubernetes_namespace ?? run.namespace ?? undefined;
}

function kubernetesTarget({ records }: SecretSyncPorts, cluster: ClusterSecrets, args: Args, run: ToolRun): Target {
  const namespace = namespaceOf(args, run) ?? '';
  const { kubernetes_secret_name: name, kubernetes_secret_key: key } = args;
  const place: SecretPlace = { kind: 'kubernetes', location: `${namespace}/${name}`, name: key };
  return {
    place,
    async check() {
      if (!(await cluster.isOfProject(namespace, run.projectId)))
        return notDone(
          'refused',
          `namespace ${namespace} is no workspace of this project: secrets are written to the project's own namespaces only`,
        );
      return refusedFor(place, run, await records.findOwner(place));
    },
    async write(value) {
      const outcome = await cluster.writeSecret({ namespace, name, key, value, projectId: run.projectId });
      return outcome === 'foreign' ? outcome : { status: 'written', namespace, secret: name, key };
    },
  };
}

function gitHubTarget({ records, github }: SecretSyncPorts, args: Args, run: ToolRun): Target {
  const { environment, github_secret_name: name } = args;
  const [owner = '', repository = ''] = run.repository.split('/');
  const at = { owner, name: repository };
  const place: SecretPlace = { kind: 'github', location: `${run.repositoryId}/${environment}`, name };
  return {
    place,
    async check() {
      const known = await records.findOwner(place);
      if (known !== undefined) return refusedFor(place, run, known);
      return (await github.findEnvironmentSecret(at, environment, name)) === undefined
        ? undefined
        : takenBySomebody(place);
    },
    async write(value) {
      const made = await github.ensureEnvironment(at, environment);
      await github.writeEnvironmentSecret(at, environment, { name, value });
      return {
        status: 'written',
        repository: run.repository,
        environment,
        secret: name,
        environment_made: made === 'created',
      };
    },
  };
}

function refusedFor(place: SecretPlace, run: ToolRun, owner: string | undefined): ToolNotDone | undefined {
  return owner === undefined || owner === run.projectId ? undefined : takenBySomebody(place);
}

/** Whether it is another project's or a person's is not said. */
function takenBySomebody({ kind, location, name }: SecretPlace): ToolNotDone {
  const what = kind === 'kubernetes' ? `the Kubernetes Secret ${location}` : `the secret ${name} on GitHub`;
  return notDone('conflict', `${what} is there already and was not written by this project: choose another name`);
}

function valueOf({ sealing }: SecretSyncPorts, args: Args, { run, key }: ToolContext): string {
  const { environment, github_secret_name: name } = args;
  switch (args.policy) {
    case 'deterministic':
      return sealing.derive('secret', run.projectId, environment, name);
    // Derived from the call, so that a try after a crash writes the same value to both targets, and nothing has to be stored.
    case 'random':
      return sealing.derive('random secret', key, args.idempotency_key ?? '', environment, name);
    case 'provided':
      return args.secret_value ?? '';
  }
}

/** What was synced under an idempotency key; a random value is another one for each call, so it does not count. */
function syncFingerprint({ sealing }: SecretSyncPorts, args: Args, run: ToolRun, value: string): string {
  const { environment, policy, github_secret_name, kubernetes_secret_name, kubernetes_secret_key } = args;
  const about = [run.repositoryId, environment, policy, github_secret_name, kubernetes_secret_name];
  const words = JSON.stringify([...about, kubernetes_secret_key, namespaceOf(args, run) ?? null]);
  return sealing.fingerprint(policy === 'random' ? '' : value, words);
}

async function replayOf(ports: SecretSyncPorts, args: Args, run: ToolRun, value: string) {
  if (args.idempotency_key === undefined) return undefined;
  const before = await ports.records.findSync(run.projectId, args.idempotency_key);
  if (before === undefined) return undefined;
  if (before !== syncFingerprint(ports, args, run, value))
    return notDone('conflict', 'this idempotency_key was used for another sync; choose another one');
  return { status: 'ok', message: 'idempotent_replay', environment: args.environment, policy: args.policy } as const;
}

function shownTargets(targets: readonly Target[], cluster: ClusterSecrets | string): Record<string, unknown> {
  const shown: Record<string, unknown> = {};
  for (const { place } of targets)
    shown[place.kind] = { status: 'would_be_written', at: `${place.location} ${place.name}` };
  if (typeof cluster === 'string') shown['kubernetes'] = { status: 'not_available_here', reason: cluster };
  return shown;
}
