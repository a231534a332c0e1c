/** Whether the network policies of workspaces are enforced: what the worker's probe found, since no API tells. */
import { networkWords } from '../../domain/workspace/network-findings.ts';
import type { StoredNetworkFinding } from '../../store/workspaces/cluster-findings.ts';
import { failed, ok, unknown, warning, type Answer } from '../check.ts';

/** What the newest result of the probe means (src/adapters/kubernetes/network.ts); without one, nobody has tried. */
export function networkPolicyAnswer(recorded: StoredNetworkFinding | undefined): Answer {
  if (recorded === undefined)
    return unknown(
      'network policies: no worker has tried yet whether they are enforced',
      'before real work: use a cluster whose network plugin enforces NetworkPolicy (Cilium, Calico and others)',
    );
  const at = recorded.foundAt.toISOString();
  const words = networkWords(recorded);
  if (!words) return ok(`network policies: enforced, as tried at ${at}`);
  const answer = recorded.agents === 'started' ? warning : failed;
  const line = `network policies: ${words.agents}: ${words.found}, as tried at ${at}`;
  return answer(line.replaceAll(/\s+/g, ' '), words.advice);
}
