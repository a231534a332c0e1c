/**
 * The Kubernetes API, as narrow as the runtime needs it. Each call has a limit in time; credentials that have expired are read
 * again once, and an API server that does not know permissions yet is given a moment. Other retries belong to Temporal.
 */
import { setTimeout as delay } from 'node:timers/promises';
import {
  createConfiguration,
  CoreV1Api,
  KubernetesObjectApi,
  PatchStrategy,
  ServerConfiguration,
  Watch,
  type Configuration,
  KubeConfig,
  type KubernetesObject,
  type RequestContext,
} from '@kubernetes/client-node';
import { FIELD_MANAGER } from './names.ts';
import { isNotPermitted, isRefused, refusalOf } from './refusals.ts';

/** Names an object. */
export interface ObjectRef {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

/** An operation of a JSON patch (RFC 6902). */
export interface PatchOperation {
  readonly op: 'test' | 'add';
  readonly path: string;
  readonly value: string;
}

/** Chooses objects of a list. */
export interface Selection {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

export interface KubernetesApi {
  /** Server-side apply, with this platform's field manager. Repeated, it changes nothing. */
  apply<Kind extends KubernetesObject>(object: Kind): Promise<Kind>;
  /** False when an object of this name exists already. */
  create(object: KubernetesObject): Promise<boolean>;
  find<Kind extends KubernetesObject>(ref: ObjectRef): Promise<Kind | undefined>;
  list<Kind extends KubernetesObject>(apiVersion: string, kind: string, selection: Selection): Promise<Kind[]>;
  /** Deletes an object with what it owns, if it is still the one with this `uid`; one that is gone is deleted already. */
  remove(ref: ObjectRef, uid?: string): Promise<void>;
  /** Changes fields by a JSON merge patch. */
  change(ref: ObjectRef, patch: object): Promise<void>;
  /** Changes a Secret by a JSON patch; false when a test of it fails, or its path is not there. */
  patchSecret(at: { namespace: string; name: string }, operations: readonly PatchOperation[]): Promise<boolean>;
  /** The end of a container's log, at most so many bytes; undefined when there is none. */
  logEnd(pod: { namespace: string; name: string; container: string }, bytes: number): Promise<string | undefined>;
  /**
   * Calls `onEvent` for each change of a list, with the object as it is now, or as it was last when it is deleted, until the
   * connection ends. Never rejects: the caller lists again.
   */
  watch(
    path: string,
    selection: Selection,
    onEvent: (object: KubernetesObject) => void,
    signal: AbortSignal,
  ): Promise<void>;
}

/** Reads a kubeconfig; without a path, what the pod that this runs in was given. */
export function readKubeConfig(path: string | undefined): KubeConfig {
  const config = new KubeConfig();
  if (path === undefined) config.loadFromCluster();
  else config.loadFromFile(path);
  return config;
}

/** Milliseconds for one answer. */
const CALL_LIMIT_MS = 15_000;

/** Milliseconds: an API server that has just been started answers before it knows who is permitted what. */
const PERMISSION_PAUSES_MS = [250, 1000, 2000];

/** `load` reads the configuration; called again when the API does not accept the credentials any more. */
export function createKubernetesApi(load: () => KubeConfig): KubernetesApi {
  let clients = connect(load());

  /** What is not permitted is asked for again a few times. */
  async function call<Result>(what: string, act: (to: Clients) => Promise<Result>): Promise<Result> {
    for (const pause of PERMISSION_PAUSES_MS) {
      try {
        return await callOnce(what, act);
      } catch (error) {
        if (!isNotPermitted(error)) throw error;
        await delay(pause);
      }
    }
    return callOnce(what, act);
  }

  async function callOnce<Result>(what: string, act: (to: Clients) => Promise<Result>): Promise<Result> {
    const used = clients;
    try {
      return await withRefusal(what, act(used));
    } catch (error) {
      if (!isRefused(error, 401)) throw error;
      if (clients === used) clients = connect(load());
      return withRefusal(what, act(clients));
    }
  }

  return {
    apply: async (object) =>
      call(`take ${named(object)}`, async ({ objects }) =>
        objects.patch(object, undefined, undefined, FIELD_MANAGER, true, PatchStrategy.ServerSideApply),
      ),

    async create(object) {
      try {
        await call(`create ${named(object)}`, async ({ objects }) =>
          objects.create(object, undefined, undefined, FIELD_MANAGER),
        );
        return true;
      } catch (error) {
        if (isRefused(error, 409, 'AlreadyExists')) return false;
        throw error;
      }
    },

    async find<Kind extends KubernetesObject>(ref: ObjectRef): Promise<Kind | undefined> {
      return orMissing(call(`show ${named(ref)}`, async ({ objects }) => objects.read<Kind>(headerOf(ref))));
    },

    async list<Kind extends KubernetesObject>(apiVersion: string, kind: string, selection: Selection): Promise<Kind[]> {
      const { namespace, fieldSelector, labelSelector } = selection;
      const { items } = await call(`list ${kind}`, async ({ objects }) =>
        objects.list<Kind>(apiVersion, kind, namespace, undefined, undefined, undefined, fieldSelector, labelSelector),
      );
      return items;
    },

    async remove(ref, uid) {
      // All in the body: with one, Kubernetes does not look at the query, and a Job would leave its pods behind.
      const options = { propagationPolicy: 'Background', ...(uid === undefined ? {} : { preconditions: { uid } }) };
      await orMissing(
        call(`delete ${named(ref)}`, async ({ objects }) =>
          objects.delete({ ...ref }, undefined, undefined, undefined, undefined, undefined, options),
        ),
      );
    },

    async change(ref, patch) {
      await call(`change ${named(ref)}`, async ({ objects }) =>
        objects.patch(
          {
            ...ref,
            ...patch,
            metadata: { ...('metadata' in patch ? (patch.metadata as object) : {}), ...ref.metadata },
          },
          undefined,
          undefined,
          FIELD_MANAGER,
          undefined,
          PatchStrategy.MergePatch,
        ),
      );
    },

    async patchSecret({ namespace, name }, operations) {
      try {
        // The client sends a list of operations as a JSON patch.
        await call(`change Secret ${namespace}/${name}`, async ({ core }) =>
          core.patchNamespacedSecret({ namespace, name, body: operations, fieldManager: FIELD_MANAGER }),
        );
        return true;
      } catch (error) {
        if (isRefused(error, 422)) return false;
        throw error;
      }
    },

    async logEnd({ namespace, name, container }, bytes) {
      const log = await orMissing(
        call(`show the log of ${namespace}/${name}`, async ({ core }) =>
          core.readNamespacedPodLog({ name, namespace, container, tailLines: TAIL_LINES, limitBytes: LOG_BYTES }),
        ),
      );
      return log === undefined ? undefined : endOf(log, bytes);
    },

    async watch(path, selection, onEvent, signal) {
      if (signal.aborted) return;
      const { namespace: _, ...query } = selection;
      const ended = Promise.withResolvers<void>();
      const request = await clients.watch
        .watch(
          path,
          query,
          (_phase, object: KubernetesObject) => onEvent(object),
          () => ended.resolve(),
        )
        // It was not even sent: credentials that cannot be read, for example.
        .catch(() => undefined);
      if (!request) return;
      const abort = (): void => request.abort();
      signal.addEventListener('abort', abort, { once: true });
      if (signal.aborted) abort();
      await ended.promise;
      signal.removeEventListener('abort', abort);
    },
  };
}

/** Lines of a log that are asked for. */
const TAIL_LINES = 4000;

/** Bytes of them that are read: more than a node keeps in one file, since Kubernetes would cut off the end. */
const LOG_BYTES = 16 * 1024 * 1024;

interface Clients {
  readonly objects: KubernetesObjectApi;
  readonly core: CoreV1Api;
  readonly watch: Watch;
}

function connect(config: KubeConfig): Clients {
  const configuration = limited(config);
  return {
    objects: new KubernetesObjectApi(configuration),
    core: new CoreV1Api(configuration),
    watch: new Watch(config),
  };
}

/** Each request is given up after its limit. All share their connections: the client would make new ones for each. */
function limited(config: KubeConfig): Configuration {
  const cluster = config.getCurrentCluster();
  if (!cluster) throw new Error('the Kubernetes configuration names no cluster; set CODEXK8S_KUBECONFIG');
  let connections: ReturnType<RequestContext['getDispatcher']>;
  return createConfiguration({
    baseServer: new ServerConfiguration(cluster.server, {}),
    authMethods: { default: config },
    promiseMiddleware: [
      {
        pre: async (request) => {
          request.setSignal(AbortSignal.timeout(CALL_LIMIT_MS));
          connections ??= request.getDispatcher();
          if (connections) request.setDispatcher(connections);
          return request;
        },
        post: async (response) => response,
      },
    ],
  });
}

async function withRefusal<Result>(what: string, answer: Promise<Result>): Promise<Result> {
  try {
    return await answer;
  } catch (error) {
    throw refusalOf(what, error) ?? new Error(`no response from the Kubernetes API: cannot ${what}`, { cause: error });
  }
}

async function orMissing<Result>(answer: Promise<Result>): Promise<Result | undefined> {
  return answer.catch((error: unknown) => {
    if (isRefused(error, 404)) return undefined;
    throw error;
  });
}

/** The last bytes of a text, without the rest of a character that was cut. */
function endOf(text: string, bytes: number): string {
  const all = Buffer.from(text);
  return all.length <= bytes
    ? text
    : all
        .subarray(-bytes)
        .toString()
        .replace(/^\uFFFD+/, '');
}

function named({ kind = '', metadata }: KubernetesObject): string {
  return [kind, metadata?.namespace ? `${metadata.namespace}/${metadata.name}` : metadata?.name].join(' ');
}

function headerOf({ apiVersion, kind, metadata }: ObjectRef): ObjectRef {
  return { apiVersion, kind, metadata };
}
