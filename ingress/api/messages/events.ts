/** The events of the audit trail in plain words. */
import { parseTrigger } from '../../../src/domain/run/trigger.ts';
import { FAILURES, type Failure } from '../../../src/domain/run/runs.ts';
import type { EventRecord } from '../../../src/read-model/queries/events.ts';
import { reasonText } from './reasons.ts';
import { failureText } from './runs.ts';

type Payload = EventRecord['payload'];

const SENTENCES: Readonly<Record<string, (payload: Payload) => string>> = {
  'webhook.received': (p) => `${toldBy(p)}: ${delivered(p)}`,
  'webhook.ignored': (p) => `${toldBy(p)}: ${delivered(p)}. ${reasonText(text(p, 'reason'))}`,
  'webhook.duplicate': () => 'GitHub told of it a second time; nothing more was done',
  'trigger.duplicate': (p) => `The label ${text(p, 'label')} was reported again; its run exists already`,
  'run.not_started': (p) => `No run was started. ${reasonText(text(p, 'reason'))}`,
  'run.revise.stage_resolved': (p) => `The review sends the stage ${text(p, 'stage')} back to work`,
  'run.requested': () => 'The run was taken up',
  'run.queued': (p) => `The run waits for its turn, at place ${text(p, 'place')}`,
  'run.started': (p) => `The run started, asked for by ${cause(p)}`,
  'request.opened': (p) => `The agent asked: ${text(p, 'question')}${choices(p['options'])}`,
  'request.answered': (p) =>
    `The question was answered${p['surface'] === undefined ? '' : ` ${SURFACES[text(p, 'surface')] ?? ''}`}`,
  'request.expired': () => 'Nobody answered the question in time',
  'run.wait.paused': (p) =>
    p['kind'] === 'paused'
      ? `The run was paused: ${text(p, 'reason')}`
      : `The run waits for an answer until ${text(p, 'until').slice(0, 16).replace('T', ' ')} UTC; no agent works`,
  'run.wait.resumed': (p) => (p['kind'] === 'paused' ? 'The run was resumed' : 'The run goes on with the answer'),
  'run.namespace.prepared': (p) => `The workspace ${text(p, 'namespace')} is ready`,
  'run.namespace.cleaned': (p) => `The workspace ${text(p, 'namespace')} was removed${cleaned(text(p, 'reason'))}`,
  'run.agent.replaced': (p) =>
    `The agent is started again. ${failureText(text(p, 'termination') as Failure)} ${text(p, 'detail')}`,
  'run.namespace.cleanup_blocked': (p) =>
    `The workspace ${text(p, 'namespace')} is being removed, but something holds it: ${text(p, 'held')}`,
  'run.agent.started': (p) => `The agent began to work on the branch ${text(p, 'branch')}${attempt(p)}`,
  'run.pr.created': (p) => `Pull request #${text(p, 'pr_number')} was opened`,
  'run.pr.updated': (p) => `Pull request #${text(p, 'pr_number')} was brought up to date`,
  'run.succeeded': (p) =>
    p['pr_number'] === undefined
      ? 'The run succeeded'
      : `The run succeeded; it is about pull request #${text(p, 'pr_number')}`,
  'run.failed': (p) => `The run failed. ${failed(text(p, 'failure'))}`,
  'run.canceled': (p) => `The run was canceled by ${text(p, 'actor')}: ${text(p, 'reason')}`,
  'pull_request.merged': (p) => `Pull request #${text(p, 'pr_number')} was merged`,
  'pull_request.closed': (p) => `Pull request #${text(p, 'pr_number')} was closed without a merge`,
  'pull_request.close_stale': (p) =>
    `GitHub told that pull request #${text(p, 'pr_number')} was closed, but it is open; nothing was done`,
  'review.stale': (p) => `The review started no run. ${reasonText(text(p, 'reason'))}`,
  'trigger.removal_stale': (p) =>
    `GitHub told that the label ${text(p, 'label')} was taken off, but the one that counts stands; nothing was done`,
  'issue.close_stale': () => 'GitHub told that the issue was closed, but it is open; nothing was done',
  'issue.reopen_stale': () => 'GitHub told that the issue was reopened, but it is closed; nothing was done',
  'issue.throttled': (p) => `GitHub told ${text(p, 'facts')} times more what it had told already`,
  'issue.not_recorded': (p) =>
    `An earlier step could not be recorded (${text(p, 'reason')}), so it is missing here: ${types(p)}`,
  'input.snapshot': (p) =>
    `What people had said was written down: ${text(p, 'comments')} comments, ${text(p, 'outsiders')} of outsiders and ${text(p, 'edited')} edited later left out`,
  'run.profile.resolved': (p) =>
    `The agent works with ${text(p, 'model')} (${source(p, 'modelSource')}), reasoning ${text(p, 'reasoningEffort')} (${source(p, 'reasoningSource')})`,
  'prompt.context.assembled': (p) => `The prompt was put together: ${text(p, 'sha256').slice(0, 12)}`,
  'stage.superseded': (p) => `The rethink goes back to ${text(p, 'back_to')}; what came after is given up`,
  'approval.requested': (p) => `An agent asks for ${text(p, 'label')}; a person has to put the label on`,
  'discussion.ended': (p) => `The conversation ended: ${text(p, 'reason')}`,
  'run.namespace.cleanup_skipped': (p) => `The workspace ${text(p, 'namespace')} is kept, since run:debug is on`,
  'issue.closed': (p) => (p['gone'] === true ? goneIssue(text(p, 'how')) : 'The issue was closed'),
  'issue.reopened': () => 'The issue was reopened',
  'repository.gone': (p) =>
    `${capital(lost(text(p, 'reason')))}; nothing more can be done for the issue, and its runs are canceled`,
  'repository.gone_stale': (p) => `GitHub told that ${lost(text(p, 'reason'))}, but it is not so; nothing was done`,
  'run.orphaned': (p) => `The run has lost what it was for: ${lost(text(p, 'reason'))}`,
  'github.comment_refused': (p) => `GitHub does not take the status comment: ${text(p, 'reason')}`,
};

function types({ events }: Payload): string {
  return Array.isArray(events) && events.length > 0 ? events.join(', ') : 'no event, only how the issue stood';
}

const SURFACES: Readonly<Record<string, string>> = {
  comment: 'by a comment',
  command_line: 'at the command line',
  dashboard: 'on the dashboard',
  api: 'through the API',
};

/** What happened, in a sentence; the event's type in words where there is none. */
export function eventText({ type, payload }: Pick<EventRecord, 'type' | 'payload'>): string {
  return SENTENCES[type]?.(payload) ?? type.replaceAll(/[._]/g, ' ');
}

function choices(options: unknown): string {
  if (!Array.isArray(options) || options.length === 0) return '';
  return ` (${options.map((option, index) => `${index + 1}. ${String(option)}`).join(', ')})`;
}

/** Who caused an event. */
export function actorText({ actorType, actorId }: Pick<EventRecord, 'actorType' | 'actorId'>): string {
  return actorType === 'human' ? `@${actorId}` : actorId === 'github-webhook' ? 'GitHub' : `codex-k8s (${actorId})`;
}

/** A sweep finds what no webhook told of. */
function toldBy(payload: Payload): string {
  return payload['reconciled'] === true ? 'No webhook told of it; GitHub was asked' : 'GitHub told of it';
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
  return 'GitHub does not show the issue any more';
}

/** What took an issue, or all issues of a repository, away. */
const LOST: Readonly<Record<string, string>> = {
  archived: 'the repository was archived',
  deleted: 'the repository was deleted',
  app_removed: 'codex-k8s was taken out of the repository',
  app_suspended: 'codex-k8s was suspended in the repository',
  not_shown: 'GitHub does not show the repository any more',
  issue_deleted: 'the issue was deleted',
  issue_transferred: 'the issue was transferred',
  issue_not_shown: 'GitHub does not show the issue any more',
};

function lost(reason: string): string {
  return LOST[reason] ?? reason;
}

function capital(sentence: string): string {
  return sentence.slice(0, 1).toUpperCase() + sentence.slice(1);
}

function cleaned(reason: string): string {
  if (reason === 'repository_gone') return ', since nothing can be done in the repository any more';
  if (reason === 'issue_closed') return ', since the issue is closed';
  return reason === 'ttl_expired' ? ', since its time was over' : '';
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
