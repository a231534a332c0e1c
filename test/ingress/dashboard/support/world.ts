/** Rows for tests of what people see: a bound repository, and issues, runs, events, log lines and deliveries in it. */
import type { Database } from '../../../../src/store/connection/database.ts';
import { appendEvents, type FlowEvent } from '../../../../src/store/audit/events.ts';
import {
  projectIssue,
  projectRun,
  type IssueRow,
  type RunRow,
} from '../../../../src/read-model/projections/projections.ts';
import {
  openCallRequest,
  openRequest,
  type Request,
  type RequestedCall,
  type Question,
} from '../../../../src/domain/run/requests.ts';
import { storeRequest } from '../../../../src/store/runs/requests.ts';
import { bindRepository, ensureProject } from '../../../../src/store/projects/repositories.ts';
import {
  clusterFindings,
  deliveries,
  flowEvents,
  inboxes,
  issueFacts,
  issues,
  projectMembers,
  projects,
  repositories,
  requests,
  runLogLines,
  runs,
} from '../../../../src/store/connection/schema.ts';

const REPOSITORY = { id: 4711, owner: 'acme', name: 'shop', defaultBranch: 'main' } as const;

/** A run id whose last digits are `n`. */
export function runId(n: number): string {
  return `0198c0de-0000-4000-8000-${String(n).padStart(12, '0')}`;
}

/** The key of an issue of the repository. */
export function keyOf(number: number): string {
  return `issue:${REPOSITORY.id}#${number}`;
}

/** `minutes` before now, as ISO 8601. */
export function minutesAgo(minutes: number): string {
  return new Date(Date.now() - minutes * 60_000).toISOString();
}

/** Binds the repository. */
export async function bind(db: Database): Promise<void> {
  await bindRepository(db, { ...REPOSITORY, projectId: await ensureProject(db, 'shop'), hookId: 1 });
}

/** Writes an issue as its workflow would. */
export async function putIssue(db: Database, number: number, with_: Partial<IssueRow> = {}): Promise<void> {
  const row: IssueRow = {
    key: keyOf(number),
    repositoryId: REPOSITORY.id,
    number,
    title: `Issue number ${number}`,
    url: `https://github.example/acme/shop/issues/${number}`,
    state: 'waiting',
    waitingFor: 'label',
    stage: 'dev',
    activeRunId: null,
    queued: 0,
    pullRequest: null,
    workspace: null,
    past: null,
    revision: 1,
    updatedAt: minutesAgo(number),
    ...with_,
  };
  await projectIssue(db, row, []);
}

/** Writes a run as its workflow would. */
export async function putRun(db: Database, n: number, with_: Partial<RunRow> = {}): Promise<string> {
  const row: RunRow = {
    id: runId(n),
    issueKey: keyOf(with_.issueNumber ?? 1),
    repositoryId: REPOSITORY.id,
    issueNumber: 1,
    stage: 'dev',
    kind: 'work',
    trigger: 'label:900',
    triggeredBy: 'olivia',
    correlationId: `delivery-${n}`,
    status: 'working',
    failure: null,
    detail: null,
    branch: 'codex/issue-1',
    workspace: null,
    pullRequest: null,
    pullRequestUrl: null,
    statusCommentUrl: null,
    cli: 'claude',
    model: 'gpt-5.2-codex',
    reasoningEffort: 'high',
    threadId: null,
    wait: null,
    revision: 1,
    createdAt: minutesAgo(n),
    startedAt: null,
    finishedAt: null,
    ...with_,
  };
  await projectRun(db, row, []);
  return row.id;
}

/** Writes a run that waits for an answer to this question, as its workflow would. */
export async function putAskingRun(
  db: Database,
  n: number,
  question: Question,
  with_: Partial<RunRow> = {},
): Promise<string> {
  const id = runId(n);
  const [since, until] = [minutesAgo(90), minutesAgo(-600)];
  const request = openRequest(question, { runId: id, n: 1, askedAt: since, deadline: until });
  await storeRequest(db, keyOf(with_.issueNumber ?? 1), request, true);
  const wait = {
    kind: 'question',
    request: request.id,
    for: "an answer from the project's members",
    since,
    until,
  } as const;
  return putRun(db, n, { status: 'waiting', wait, ...with_ });
}

/** Writes a run with a tool call that waits for an approval; olivia (7) started it. */
export async function putParkedRun(db: Database, n: number, call: Partial<RequestedCall> = {}): Promise<Request> {
  const id = runId(n);
  const [since, until] = [minutesAgo(90), minutesAgo(-600)];
  const requested: RequestedCall = {
    id: `${id}:1`,
    tool: 'database.lifecycle',
    action: 'delete',
    digest: 'd'.repeat(64),
    summary: '{"action":"delete","database_name":"<b>shop</b>"}',
    mode: 'delegated',
    reason: 'databases are work of operations',
    requester: { id: 7, login: 'olivia' },
    ...call,
  };
  const request = openCallRequest(requested, { runId: id, n: 1, askedAt: since, deadline: until });
  await storeRequest(db, keyOf(1), request, true);
  const kind = call.asks ? 'question' : 'approval';
  await putRun(db, n, { status: 'waiting', wait: { kind, request: request.id, for: 'a decision', since, until } });
  return request;
}

/** Writes a run that an operator has paused. */
export async function putPausedRun(db: Database, n: number): Promise<string> {
  const wait = {
    kind: 'paused',
    request: null,
    for: 'an operator',
    since: minutesAgo(5),
    until: minutesAgo(-600),
  } as const;
  return putRun(db, n, { status: 'waiting', wait });
}

/** Writes an event of an issue. */
export async function putEvent(
  db: Database,
  event: Partial<FlowEvent> & Pick<FlowEvent, 'id' | 'type'>,
): Promise<void> {
  const whole: FlowEvent = {
    chain: keyOf(1),
    actorType: 'system',
    actorId: 'worker',
    runId: null,
    correlationId: null,
    payload: {},
    occurredAt: minutesAgo(1),
    ...event,
  };
  await appendEvents(db, [whole]);
}

/** Writes log lines without telling anybody. */
export async function putLines(
  db: Database,
  run: string,
  lines: readonly { n: number; kind?: string; text?: string }[],
): Promise<void> {
  await db
    .insert(runLogLines)
    .values(lines.map(({ n, kind = 'output', text = `line ${n}` }) => ({ runId: run, n, at: new Date(), kind, text })));
}

/** Writes a delivery. */
export async function putDelivery(
  db: Database,
  id: string,
  with_: Partial<typeof deliveries.$inferInsert> = {},
): Promise<void> {
  await db.insert(deliveries).values({
    id,
    event: 'issues',
    action: 'labeled',
    body: Buffer.from('{"secret":"body"}'),
    status: 'accepted',
    reason: 'project_member_admin',
    repositoryId: REPOSITORY.id,
    issueKey: keyOf(1),
    sender: 'olivia',
    receivedAt: new Date(),
    ...with_,
  });
}

/** Removes everything, row by row: to truncate would lock tables that open streams read, and they might lock each other out. */
export async function clear(db: Database): Promise<void> {
  for (const table of [
    issues,
    runs,
    requests,
    flowEvents,
    runLogLines,
    deliveries,
    inboxes,
    issueFacts,
    projectMembers,
    repositories,
    projects,
    clusterFindings,
  ])
    await db.delete(table);
}
