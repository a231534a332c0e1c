/** Reports whether network policies of workspaces are enforced. No API tells, so the worker's probe is used. */
import { networkWords } from '../../domain/workspace/network-findings.ts';
import type { StoredNetworkFinding } from '../../store/workspaces/cluster-findings.ts';
import { failed, ok, unknown, warning, type Answer } from '../check.ts';

/** Turns the latest result of the probe (src/adapters/kubernetes/network.ts) into an answer. */
export function networkPolicyAnswer(recorded: StoredNetworkFinding | undefined): Answer {
  if (recorded === undefined)
    return unknown(
      'network policies: not probed by a worker yet',
      'before real work: use a cluster whose network plugin enforces NetworkPolicy (Cilium, Calico and others)',
    );
  const at = recorded.foundAt.toISOString();
  const words = networkWords(recorded);
  if (!words) return ok(`network policies: enforced (probed at ${at})`);
  const answer = recorded.agents === 'started' ? warning : failed;
  const line = `network policies: ${words.agents}: ${words.found} (probed at ${at})`;
  return answer(line.replaceAll(/\s+/g, ' '), words.advice);
}
