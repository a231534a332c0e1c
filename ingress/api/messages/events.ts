/** Sentences for the events of the audit trail. */
import { BUDGET_SCOPES, budgetName } from '../../../src/domain/money/budgets.ts';
import { dollars } from '../../../src/domain/money/dollars.ts';
import { AGENT_CLIS, CLI_NAMES } from '../../../src/domain/stages/clis.ts';
import { parseTrigger } from '../../../src/domain/run/trigger.ts';
import { FAILURES, type Failure } from '../../../src/domain/run/runs.ts';
import type { EventRecord } from '../../../src/read-model/queries/events.ts';
import { reasonText } from './reasons.ts';
import { failureText } from './runs.ts';

type Payload = EventRecord['payload'];

const SENTENCES: Readonly<Record<string, (payload: Payload) => string>> = {
  'webhook.received': (p) => `${sourceOf(p)}: ${delivered(p)}`,
  'webhook.ignored': (p) => `${sourceOf(p)}: ${delivered(p)}. ${reasonText(text(p, 'reason'))}`,
  'webhook.duplicate': () => 'GitHub sent the delivery again; nothing more was done',
  'trigger.duplicate': (p) => `The label ${text(p, 'label')} was reported again; its run exists already`,
  'run.not_started': (p) => `No run was started. ${reasonText(text(p, 'reason'))}`,
  'run.revise.stage_resolved': (p) => `The review asks for changes of the stage ${text(p, 'stage')}`,
  'run.requested': () => 'The run was requested',
  'run.queued': (p) => `The run waits for a permit, at queue position ${text(p, 'position')}`,
  'run.started': (p) => `The run started, requested by ${cause(p)}`,
  'request.opened': (p) =>
    `${p['kind'] === 'budget' ? 'The run asked' : 'The agent asked'}: ${text(p, 'question')}${choices(p['options'])}`,
  'request.answered': (p) =>
    `The question was answered${p['surface'] === undefined ? '' : ` ${SURFACES[text(p, 'surface')] ?? ''}`}`,
  'request.expired': () => 'Nobody answered the question in time',
  'run.wait.paused': (p) =>
    p['kind'] === 'paused'
      ? `The run was paused: ${text(p, 'reason')}`
      : `The run waits for ${p['kind'] === 'approval' ? 'an approval' : 'an answer'} until ${text(p, 'until').slice(0, 16).replace('T', ' ')} UTC; no agent runs`,
  'run.wait.resumed': (p) =>
    p['kind'] === 'paused'
      ? 'The run was resumed'
      : `The run continues with ${p['kind'] === 'approval' ? 'the decision' : 'the answer'}`,
  'run.budget.warned': (p) => `${budget(p)} is ${text(p, 'percent')} % spent: ${amounts(p)}`,
  'run.budget.spent': (p) => `${budget(p)} is spent: ${amounts(p)}; the model gateway stopped the agent`,
  'run.namespace.prepared': (p) => `The workspace ${text(p, 'namespace')} is ready`,
  'run.namespace.cleaned': (p) => `The workspace ${text(p, 'namespace')} was removed${cleaned(text(p, 'reason'))}`,
  'run.agent.replaced': (p) =>
    `The agent is started again. ${failureText(text(p, 'termination') as Failure)} ${text(p, 'detail')}`,
  'run.namespace.cleanup_blocked': (p) =>
    `The workspace ${text(p, 'namespace')} is being removed, but something holds it: ${text(p, 'held')}`,
  'run.agent.started': (p) => `The agent started on the branch ${text(p, 'branch')}${attempt(p)}`,
  'run.pr.created': (p) => `Pull request #${text(p, 'pr_number')} was opened`,
  'run.pr.updated': (p) => `Pull request #${text(p, 'pr_number')} was updated`,
  'run.succeeded': (p) =>
    p['pr_number'] === undefined ? 'The run succeeded' : `The run succeeded with pull request #${text(p, 'pr_number')}`,
  'run.failed': (p) => `The run failed. ${failed(text(p, 'failure'))}`,
  'run.canceled': (p) => `The run was canceled by ${text(p, 'actor')}: ${text(p, 'reason')}`,
  'pull_request.merged': (p) => `Pull request #${text(p, 'pr_number')} was merged`,
  'pull_request.closed': (p) => `Pull request #${text(p, 'pr_number')} was closed without a merge`,
  'pull_request.close_stale': (p) =>
    `A delivery says that pull request #${text(p, 'pr_number')} was closed, but it is open; nothing was done`,
  'review.stale': (p) => `The review started no run. ${reasonText(text(p, 'reason'))}`,
  'trigger.removal_stale': (p) =>
    `A delivery says that the label ${text(p, 'label')} was removed, but a newer one is set; nothing was done`,
  'issue.close_stale': () => 'A delivery says that the issue was closed, but it is open; nothing was done',
  'issue.reopen_stale': () => 'A delivery says that the issue was reopened, but it is closed; nothing was done',
  'issue.throttled': (p) => `${text(p, 'facts')} more deliveries repeated known facts`,
  'issue.not_recorded': (p) =>
    `An earlier step could not be recorded (${text(p, 'reason')}), so it is missing here: ${types(p)}`,
  'input.snapshot': (p) => `The issue's text was taken for the agent, with ${commentsTaken(p)}`,
  'input.hidden_text': (p) => `${text(p, 'count')} hidden passages or characters were removed from what people wrote`,
  'run.profile.resolved': (p) =>
    `${agent(p)} works with ${text(p, 'model')} (${source(p, 'modelSource')}), reasoning ${text(p, 'reasoningEffort')} (${source(p, 'reasoningSource')})`,
  'prompt.context.assembled': (p) => `The prompt was assembled${taskOf(p)}: ${text(p, 'sha256').slice(0, 12)}`,
  'stage.superseded': (p) => `The rethink goes back to ${text(p, 'back_to')}; the stages after it are superseded`,
  'approval.requested': (p) =>
    p['tool'] === undefined
      ? `An agent asks for ${text(p, 'label')}; a person has to set the label`
      : `The agent's call of ${text(p, 'tool')} (${text(p, 'action')}) waits for an approval (${text(p, 'mode')})`,
  'approval.approved': (p) => `The call of ${text(p, 'tool')} was approved ${SURFACES[text(p, 'surface')] ?? ''}`,
  'approval.denied': (p) => `The call of ${text(p, 'tool')} was denied ${SURFACES[text(p, 'surface')] ?? ''}`,
  'approval.expired': () => 'Nobody approved or denied the call in time',
  'approval.applied': (p) => `The platform performed the call of ${text(p, 'tool')}`,
  'approval.failed': (p) => `The call of ${text(p, 'tool')} was approved, but could not be performed`,
  'discussion.ended': (p) => `The discussion ended: ${text(p, 'reason')}`,
  'run.namespace.cleanup_skipped': (p) => `The workspace ${text(p, 'namespace')} is kept, since run:debug is on`,
  'issue.closed': (p) => (p['gone'] === true ? goneIssue(text(p, 'how')) : 'The issue was closed'),
  'issue.reopened': () => 'The issue was reopened',
  'repository.gone': (p) =>
    `${capital(lost(text(p, 'reason')))}; the issue cannot be worked on any more, and its runs are canceled`,
  'repository.gone_stale': (p) =>
    `A delivery says that ${lost(text(p, 'reason'))}, but GitHub does not confirm it; nothing was done`,
  'run.orphaned': (p) => `The run is orphaned: ${lost(text(p, 'reason'))}`,
  'mcp.tool.called': (p) => `The agent called ${text(p, 'tool')}`,
  'mcp.tool.succeeded': (p) => `${text(p, 'tool')} was carried out: ${text(p, 'outcome')}`,
  'mcp.tool.failed': (p) => `${text(p, 'tool')} was not carried out: ${text(p, 'outcome').replaceAll('_', ' ')}`,
  'mcp.tool.approval_pending': (p) =>
    p['outcome'] === 'question'
      ? `${text(p, 'tool')} waits for an answer`
      : `${text(p, 'tool')} waits for an approval (${text(p, 'outcome')})`,
  'github.comment_refused': (p) => `GitHub refuses the status comment: ${text(p, 'reason')}`,
};

function budget(payload: Payload): string {
  const scope = BUDGET_SCOPES.find((each) => each === payload['scope']);
  return scope === undefined ? 'A budget' : capital(budgetName(scope));
}

function amounts(payload: Payload): string {
  return `${dollars(Number(payload['spent']))} of ${dollars(Number(payload['limit']))}`;
}

/** Where the task of the prompt is from; nothing of the seed's, which is the usual one. */
function taskOf({ task }: Payload): string {
  const { source, version } = (task ?? {}) as { source?: unknown; version?: unknown };
  if (typeof source !== 'string' || typeof version !== 'string' || source === 'seed') return '';
  return ` with the task of the ${source}, version ${version.slice(0, 12)}`;
}

/** The agent by its program; an event of a version before 0.5.0 names none. */
function agent(payload: Payload): string {
  const cli = AGENT_CLIS.find((name) => name === payload['cli']);
  return cli === undefined ? 'The agent' : `The agent, ${CLI_NAMES[cli]} (${source(payload, 'cliSource')}),`;
}

/** How many comments the agent is given, and how many it is not, and why. */
function commentsTaken(payload: Payload): string {
  const given = text(payload, 'comments');
  const leftOut = [
    ['outsiders', 'by people outside the project'],
    ['edited', 'edited after the request'],
    ['hidden', 'hidden in their texts'],
  ].flatMap(([key = '', whose]) => (Number(payload[key] ?? 0) > 0 ? [`${text(payload, key)} ${whose}`] : []));
  const comments = `${given === '0' ? 'no' : given} ${given === '1' ? 'comment' : 'comments'}`;
  return leftOut.length === 0 ? comments : `${comments}; left out: ${leftOut.join(', ')}`;
}

function types({ events }: Payload): string {
  return Array.isArray(events) && events.length > 0 ? events.join(', ') : "no event, only the issue's state";
}

const SURFACES: Readonly<Record<string, string>> = {
  comment: 'by a comment',
  command_line: 'at the command line',
  dashboard: 'on the dashboard',
  api: 'through the API',
  callback: 'by a callback of an outside approver',
  policy: 'by the policy, which was changed',
};

/** The sentence of an event; for an unknown type, the type in words. */
export function eventText({ type, payload }: Pick<EventRecord, 'type' | 'payload'>): string {
  return SENTENCES[type]?.(payload) ?? type.replaceAll(/[._]/g, ' ');
}

function choices(options: unknown): string {
  if (!Array.isArray(options) || options.length === 0) return '';
  return ` (${options.map((option, index) => `${index + 1}. ${String(option)}`).join(', ')})`;
}

/** The actor of an event. */
export function actorText({ actorType, actorId }: Pick<EventRecord, 'actorType' | 'actorId'>): string {
  if (actorType === 'agent') return 'the agent';
  return actorType === 'human' ? `@${actorId}` : actorId === 'github-webhook' ? 'GitHub' : `codex-k8s (${actorId})`;
}

/** Source of a delivery: GitHub's webhook, or a sweep that found what no webhook reported. */
function sourceOf(payload: Payload): string {
  return payload['reconciled'] === true ? 'Found by a sweep, without a webhook' : 'Delivered by GitHub';
}

function delivered(payload: Payload): string {
  const label = text(payload, 'label', '');
  const what = [text(payload, 'event').replaceAll('_', ' '), text(payload, 'action', '')].filter(Boolean).join(' ');
  return `${what}${label && ` with the label ${label}`} by @${text(payload, 'sender')}`;
}

function cause(payload: Payload): string {
  const trigger = parseTrigger(text(payload, 'trigger'));
  if (trigger?.kind === 'comment') return 'a comment';
  return trigger?.kind === 'review' ? 'a review' : `the label ${text(payload, 'label')}`;
}

const SOURCES: Readonly<Record<string, string>> = {
  issue_label: 'a label on the issue',
  pull_request_label: 'a label on the pull request',
  last_run_context: 'as in the run before',
  project_default: "the project's choice",
  platform_default: "the platform's choice",
};

function source(payload: Payload, name: string): string {
  return SOURCES[text(payload, name)] ?? text(payload, name);
}

function goneIssue(how: string): string {
  if (how === 'deleted' || how === 'transferred') return capital(lost(`issue_${how}`));
  return 'GitHub no longer shows the issue';
}

/** Reasons why an issue, or all issues of a repository, cannot be worked on any more. */
const LOST: Readonly<Record<string, string>> = {
  archived: 'the repository was archived',
  deleted: 'the repository was deleted',
  app_removed: 'the codex-k8s app was removed from the repository',
  app_suspended: 'the codex-k8s app was suspended in the repository',
  not_shown: 'GitHub no longer shows the repository',
  issue_deleted: 'the issue was deleted',
  issue_transferred: 'the issue was transferred',
  issue_not_shown: 'GitHub no longer shows the issue',
};

function lost(reason: string): string {
  return LOST[reason] ?? reason;
}

function capital(sentence: string): string {
  return sentence.slice(0, 1).toUpperCase() + sentence.slice(1);
}

function cleaned(reason: string): string {
  if (reason === 'repository_gone') return ', since the repository is gone';
  if (reason === 'issue_closed') return ', since the issue is closed';
  return reason === 'ttl_expired' ? ', since its lease expired' : '';
}

function attempt(payload: Payload): string {
  return payload['attempt'] === 1 ? '' : `, attempt ${text(payload, 'attempt')}`;
}

function failed(failure: string): string {
  const known = FAILURES.find((candidate) => candidate === failure);
  return known ? failureText(known) : failure;
}

function text(payload: Payload, key: string, otherwise = '–'): string {
  const value = payload[key];
  return typeof value === 'string' || typeof value === 'number' ? String(value) : otherwise;
}
