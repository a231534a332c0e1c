/** Whether the network policies of environments are enforced: what the worker's probe found, since no API tells. */
import { failed, ok, unknown, type Answer } from '../check.ts';

/** The newest result of the probe (src/adapters/kubernetes/network.ts). */
export interface NetworkPolicyProbe {
  readonly state: string;
  readonly detail: string;
  /** When, as ISO 8601. */
  readonly at: string;
}

/** What the result means; without one, nobody has tried. */
export function networkPolicyAnswer(recorded: NetworkPolicyProbe | undefined): Answer {
  const advice = 'use a cluster whose network plugin enforces NetworkPolicy (Cilium, Calico and others)';
  if (recorded === undefined)
    return unknown(
      'network policies: no worker has tried yet whether they are enforced',
      `before real work: ${advice}`,
    );
  const { state, detail, at } = recorded;
  switch (state) {
    case 'enforced':
      return ok(`network policies: enforced, as tried at ${at}`);
    case 'unenforced':
      return failed(`network policies: not enforced at ${at}; an agent could reach ${detail}`, advice);
    case 'unreachable':
      return failed(
        `network policies: at ${at} pods could not reach the platform at ${detail}`,
        'check CODEXK8S_AGENT_URL',
      );
    default:
      return unknown(`network policies: tried at ${at}, without a result: ${detail.slice(0, 200)}`);
  }
}
