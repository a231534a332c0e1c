/** Sentences for a run: its status, its trigger, its failure, and what to do next. */
import { commentTexts } from '../../../src/domain/messages/comment-texts.ts';
import type { Request } from '../../../src/domain/run/requests.ts';
import { isTerminal, type Failure, type RunStatus } from '../../../src/domain/run/runs.ts';
import { parseTrigger } from '../../../src/domain/run/trigger.ts';
import type { RunWait } from '../../../src/domain/run/waits.ts';
import { exact } from './times.ts';
import { triggerLabel, type TriggerTarget } from '../../../src/domain/stages/stages.ts';

const TEXTS = commentTexts('en');

/** Characters of a question that are shown in one line. */
const QUESTION_LENGTH = 500;

/** The sentence of a status. */
export function statusText(status: RunStatus): string {
  return TEXTS.states[status];
}

/** Says that no worker runs, and what to do. */
export function noWorkerText(since: Date): string {
  return `No worker has taken a task since ${exact(since)}: what is queued begins by itself when one is back. Start \`codex-k8s worker\`, or see its log.`;
}

/** The sentence of a wait, with its deadline. */
export function waitText({ kind, for: whom, until }: RunWait): string {
  const end = exact(new Date(until));
  switch (kind) {
    case 'question':
      return `The agent asks a question and waits for ${whom} until ${end}.`;
    case 'approval':
      return `A tool call of the agent waits for ${whom} until ${end}.`;
    case 'paused':
      return `Paused by an operator; it fails if nobody resumes it until ${end}.`;
  }
}

/** How a run stands that was asked for something it cannot do now: the end of a sentence. */
export function howItStands({ status, wait }: { readonly status: RunStatus; readonly wait: RunWait | null }): string {
  if (wait?.kind === 'question') return 'it waits for an answer: `runs answer` gives one';
  if (wait?.kind === 'approval') return 'it waits for an approval: `decisions approve` or `decisions deny` decides';
  if (wait?.kind === 'paused') return 'it is paused: `runs resume` lets it go on';
  return isTerminal(status) ? `the run has ended already, as ${status}` : `it is ${status}`;
}

/** What a run asks, in one line, with the numbers of the options. */
export function questionText({ question, options }: Pick<Request, 'question' | 'options'>): string {
  const choices = options.map((option, index) => `${index + 1}. ${option}`);
  const asked = question.replaceAll(/\s+/g, ' ').trim();
  const shown = asked.length > QUESTION_LENGTH ? `${asked.slice(0, QUESTION_LENGTH)}…` : asked;
  return choices.length === 0 ? `“${shown}”` : `“${shown}” (${choices.join(', ')})`;
}

/** How to end a run's wait. */
export function waitHint({ id, wait }: { readonly id: string; readonly wait: RunWait | null }): string {
  if (wait?.kind === 'approval')
    return `Decide with a comment on the issue, or with “codex-k8s decisions approve ${wait.request ?? ''}”.`;
  return wait?.kind === 'question'
    ? `Answer with a comment on the issue, or with “codex-k8s runs answer ${id.slice(0, 8)} TEXT”.`
    : `Resume it with “codex-k8s runs resume ${id.slice(0, 8)}”.`;
}

/** The sentence of a failure. */
export function failureText(failure: Failure): string {
  return TEXTS.failures[failure];
}

const AGAIN = 'put the label {label} on the issue again';

const NEXT: Record<Failure, string> = {
  agent_failed: `Read the end of the log, then ${AGAIN} to try once more.`,
  no_changes: `Say in the issue more exactly what should be different afterwards, then ${AGAIN}. If the work is there already, close the issue.`,
  answer_invalid: `This is usually chance: ${AGAIN}; the next agent goes on from what is on the branch {branch}. If it happens repeatedly, choose another model.`,
  unmerged: `Merge the base branch into the branch {branch} yourself, or say in the issue how the conflicts are to be resolved; then ${AGAIN}.`,
  agent_stalled: `Find in the log which command it waited for (often a prompt, or a server that does not exit), say in the issue how to avoid it, then ${AGAIN}.`,
  deadline_exceeded: `Split the issue into smaller ones, or allow longer runs with CODEXK8S_AGENT_RUN_SECONDS; then ${AGAIN}.`,
  push_refused: `Change the rule that the details name, or let the platform's GitHub account bypass it; if the commits themselves are at fault (a large file, a secret), say so in the issue. Then ${AGAIN}.`,
  push_rejected: `Look at the new commits on the branch {branch}, then ${AGAIN}: the next agent starts from them.`,
  edited_since: `Read the issue as it is now, then ${AGAIN}.`,
  repository_empty: `Push a first commit to the repository's default branch, then ${AGAIN}.`,
  branch_conflict: `Rename or delete the branch that the details name, or give the project another prefix (projects set --branch-prefix); then ${AGAIN}.`,
  clone_failed: `Check that the platform's GitHub account may read the repository and that its default branch exists, then ${AGAIN}.`,
  agent_lost: `Check whether the machine was short of memory or was restarted, then ${AGAIN}.`,
  agent_error: `Read the end of the log, which has the runner's last output, and tell the operator of codex-k8s. Then ${AGAIN}.`,
  agent_oom: `Give agents more memory with CODEXK8S_AGENT_MEMORY, or say in the issue how to work with less; then ${AGAIN}.`,
  disk_exceeded: `Give agents more disk with CODEXK8S_AGENT_DISK, or say in the issue what not to write; then ${AGAIN}.`,
  evicted: `Look at what else runs on the node (kubectl describe node), then ${AGAIN}.`,
  node_lost: `Look at the cluster's nodes (kubectl get nodes), then ${AGAIN}.`,
  image_pull: `Check the name of the image in CODEXK8S_AGENT_IMAGE, and that the cluster can pull it; then ${AGAIN}.`,
  unschedulable: `Add a node, or lower the agents' requests with CODEXK8S_AGENT_CPU_REQUEST and CODEXK8S_AGENT_MEMORY_REQUEST; then ${AGAIN}.`,
  quota_exceeded: `See what fills the namespace (kubectl describe quota), then ${AGAIN}.`,
  container_error: `The details below are the message of Kubernetes. When that is fixed, ${AGAIN}.`,
  sandbox_rejected: `The details below say which rule: an admission policy, Pod Security or a missing account. When that is fixed, ${AGAIN}.`,
  launch_failed: `The details below say what could not be started. When that is fixed, ${AGAIN}.`,
  pull_request_not_found:
    'Put the label of the stage without “:revise” on the issue: that run opens a pull request, and a review of it that requests changes starts a revise.',
  publish_failed: `The work is safe on the branch {branch}. Check that the platform's GitHub account may open pull requests, then ${AGAIN}.`,
  nothing_to_revise: `Say on the pull request what is to be changed (a review, a comment on a line or in the conversation), then ${AGAIN}.`,
  prompt_unusable: `Correct or remove the file that the details name, on the default branch, then ${AGAIN}.`,
  failed_precondition: `Remove all but one of the labels that the details name, then ${AGAIN}.`,
  scope_violation: `Take the files that the details name out of the branch {branch}, or say in the issue that they are not to be touched; then ${AGAIN}.`,
  wait_expired: `When the question can be answered, or the call approved, say so in the issue and ${AGAIN}.`,
  budget_spent: `Split the issue into smaller ones, or let an operator raise the limit (CODEXK8S_BUDGET_RUN_USD and others); then ${AGAIN}.`,
  platform_error: `Tell the operator of codex-k8s the run's id; Temporal Web shows what happened. Then ${AGAIN}.`,
};

/** What to do after a failure. */
export function nextStepText(failure: Failure, run: TriggerTarget & { readonly branch: string }): string {
  return NEXT[failure].replaceAll('{label}', triggerLabel(run)).replaceAll('{branch}', run.branch);
}

/** The trigger of a run, and its person. */
export function triggerText(
  run: TriggerTarget & { readonly trigger: string; readonly triggeredBy: string; readonly pullRequest: number | null },
): string {
  const trigger = parseTrigger(run.trigger);
  if (trigger?.kind === 'label')
    return `@${run.triggeredBy} put the label ${triggerLabel(run)} on ${run.kind === 'review' ? `pull request #${run.pullRequest ?? '?'}` : 'the issue'}`;
  if (trigger?.kind === 'comment') return `@${run.triggeredBy} commented on the issue`;
  if (!trigger) return `@${run.triggeredBy} (${run.trigger})`;
  const where = run.pullRequest === null ? 'the pull request' : `pull request #${run.pullRequest}`;
  return `@${run.triggeredBy} requested changes in a review of ${where}`;
}
