/**
 * Probes whether the cluster enforces network policies. The API server accepts them on any cluster, but some network plugins
 * ignore them, so a pod tries connections before the first agent is started (docs/reliability.md T49).
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { z } from 'zod';
import { couldNotBegin, type TerminationReason } from '../../domain/run/termination-reasons.ts';
import type { NetworkState } from '../../domain/workspace/network-findings.ts';
import type { KubernetesApi } from './api.ts';
import type { PodSettings } from './job.ts';
import type { Egress } from './objects.ts';
import { createKubernetesRuntime } from './runtime.ts';

export interface NetworkFinding {
  readonly state: NetworkState;
  /** For people: which addresses, or why nothing is known. */
  readonly detail: string;
  /** Why the probe could not begin: no agent could either. */
  readonly termination?: TerminationReason;
}

/** The probe could not begin, and neither could an agent. */
class AgentCannotBegin extends Error {
  override readonly name = 'AgentCannotBegin';
  readonly termination: TerminationReason;
  constructor(termination: TerminationReason, detail: string) {
    super(detail);
    this.termination = termination;
  }
}

/** Agents may not be started on this cluster. */
class NetworkUnsafe extends Error {
  override readonly name = 'NetworkUnsafe';
}

export interface NetworkGuard {
  /** What was found; tried once, and again as long as it is not well. */
  finding(): Promise<NetworkFinding>;
  /**
   * Throws {@link NetworkUnsafe} where agents may not be started, {@link AgentCannotBegin} where none could, and other errors where
   * that may be known later.
   */
  assertSafe(): Promise<void>;
}

export interface NetworkGuardOptions {
  readonly api: KubernetesApi;
  readonly pod: PodSettings;
  readonly egress: Egress;
  /** `host:port` that no agent may reach, besides the API server and the cloud's metadata. */
  readonly forbidden: readonly string[];
  /** Agents are started even where policies are not heeded. */
  readonly allowUnenforced: boolean;
  readonly onFinding?: (finding: NetworkFinding) => Promise<void>;
}

/** Where the agent's image has the probe. */
export const PROBE = '/app/src/agent/runner/network-probe.ts';

/** Gives tokens of a cloud's machine to whoever asks. */
const METADATA = '169.254.169.254:80';

/** Milliseconds for the probe's pod to come and go. */
const LIMIT_MS = 150_000;

const Result = z.object({ open: z.array(z.string()), blocked: z.array(z.string()) });

export function createNetworkGuard(options: NetworkGuardOptions): NetworkGuard {
  let probing: Promise<NetworkFinding> | undefined;

  async function finding(): Promise<NetworkFinding> {
    probing ??= probeOnce(options).then(async (found) => {
      await options.onFinding?.(found);
      return found;
    });
    const mine = probing;
    const forget = (): void => {
      if (probing === mine) probing = undefined;
    };
    return mine.then(
      (found) => {
        if (found.state !== 'enforced') forget();
        return found;
      },
      (error: unknown) => {
        forget();
        throw error;
      },
    );
  }

  return {
    finding,
    async assertSafe() {
      if (options.allowUnenforced) return;
      const { state, detail, termination } = await finding();
      if (termination !== undefined) throw new AgentCannotBegin(termination, detail);
      if (state === 'enforced') return;
      if (state === 'unenforced')
        throw new NetworkUnsafe(
          `network_policy_unenforced: the cluster's network does not heed policies; an agent could reach ${detail}. Install a network that enforces NetworkPolicy, or accept it with CODEXK8S_ALLOW_UNENFORCED_NETWORK_POLICY=true`,
        );
      throw new Error(
        state === 'unreachable'
          ? `pods cannot reach the platform at ${detail}. Check CODEXK8S_AGENT_URL`
          : `whether the network of the cluster is safe is not known: ${detail}`,
      );
    },
  };
}

async function probeOnce({ api, pod, egress, forbidden }: NetworkGuardOptions): Promise<NetworkFinding> {
  const { hostname, port, protocol } = new URL(pod.platformUrl);
  const platform = `${hostname}:${port || (protocol === 'https:' ? '443' : '80')}`;
  const targets = JSON.stringify({ forbidden: [METADATA, ...forbidden], allowed: [platform] });
  const runtime = createKubernetesRuntime({ api, egress, pod: { ...pod, command: ['node', PROBE, targets] } });
  const workspace = `codex-k8s-probe-${randomBytes(4).toString('hex')}`;
  const owner = 'network-probe';
  const agent = { workspace, runId: randomUUID(), attempt: 1 };
  const until = new Date(Date.now() + LIMIT_MS).toISOString();
  const use = {
    project: 'codex-k8s',
    repositoryId: 0,
    issueNumber: 0,
    role: 'reviewer',
    mode: 'code-only',
    until,
  } as const;
  try {
    await runtime.launch({ ...agent, launch: 1, owner, token: 'none', use });
    const { detail, termination, log = '' } = await runtime.ended(agent, AbortSignal.timeout(LIMIT_MS));
    return (
      read(log) ?? {
        state: 'unknown',
        detail: log.slice(-500) || detail,
        ...(couldNotBegin(termination) && { termination }),
      }
    );
  } finally {
    // A sweep removes it otherwise.
    await runtime.removeWorkspace({ name: workspace, owner }, { wait: false }).catch(() => undefined);
  }
}

function read(log: string): NetworkFinding | undefined {
  const line = log.split('\n').findLast((text) => text.startsWith('{'));
  const result = line === undefined ? undefined : Result.safeParse(JSON.parse(line)).data;
  if (!result) return undefined;
  const { open, blocked } = result;
  if (open.length > 0) return { state: 'unenforced', detail: open.join(', ') };
  if (blocked.length > 0) return { state: 'unreachable', detail: blocked.join(', ') };
  return { state: 'enforced', detail: '' };
}
