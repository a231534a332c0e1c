/**
 * Whether the cluster's network enforces policies, whether agents are started, and the texts about both (docs/reliability.md
 * T49).
 */

/** `unreachable`: pods cannot even reach the platform, so it is unknown what is blocked. */
const STATES = ['enforced', 'unenforced', 'unreachable', 'unknown'] as const;
export type NetworkState = (typeof STATES)[number];

export interface NetworkFinding {
  readonly state: NetworkState;
  /** The addresses that were tried, or why the state is unknown. */
  readonly detail: string;
  /** Whether agents are started in this state. */
  readonly agents: 'started' | 'stopped';
}

/** The setting that lets agents start on a network that does not enforce policies. */
const SETTING = 'CODEXK8S_ALLOW_UNENFORCED_NETWORK_POLICY';

export interface NetworkWords {
  /** What was found; no full stop. */
  readonly found: string;
  /** Whether agents are started; no full stop. */
  readonly agents: string;
  /** What to do; no full stop. */
  readonly advice: string;
}

/** The texts about a finding; undefined where the network enforces policies. */
export function networkWords({ state, detail, agents }: NetworkFinding): NetworkWords | undefined {
  if (state === 'enforced') return undefined;
  const started = agents === 'started';
  return {
    found: foundWords(state, detail),
    agents: started ? `agents are started all the same, since ${SETTING}=true allows it` : 'no agent is started',
    advice: started
      ? `${remedy(state)}, then take ${SETTING} away and restart the worker`
      : `${remedy(state)}: it is tried again before the next agent. Or accept it with ${SETTING}=true`,
  };
}

/** A stored state; `unknown` for one that only another build knows. */
export function networkState(stored: string): NetworkState {
  return STATES.find((state) => state === stored) ?? 'unknown';
}

function foundWords(state: Exclude<NetworkState, 'enforced'>, detail: string): string {
  switch (state) {
    case 'unenforced':
      return `the cluster's network does not enforce policies: an agent could reach ${detail}`;
    case 'unreachable':
      return `pods cannot reach the platform at ${detail}`;
    case 'unknown':
      return `whether the cluster's network enforces policies is not known: ${detail}`;
  }
}

function remedy(state: Exclude<NetworkState, 'enforced'>): string {
  switch (state) {
    case 'unenforced':
      return 'use a network plugin that enforces NetworkPolicy (Cilium, Calico and others)';
    case 'unreachable':
      return 'check CODEXK8S_AGENT_URL';
    case 'unknown':
      return 'put right what kept the probe from its answer';
  }
}
