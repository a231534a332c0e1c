/** `runs list|show|cancel|answer|pause|resume`. */
import { userInfo } from 'node:os';
import type { RunView } from '../../../ingress/api/views.ts';
import { howItStands } from '../../../ingress/api/messages/runs.ts';
import { ago, duration, exact } from '../../../ingress/api/messages/times.ts';
import type { Request } from '../../domain/run/requests.ts';
import type { RunStatus } from '../../domain/run/runs.ts';
import { ApiRefusal } from '../../api-client/api-client.ts';
import { printEvents } from './events.ts';
import { readIssueName, orNoRun, resolveRunId } from '../client/names.ts';
import { CommandProblem } from '../../terminal/problems.ts';
import { printJson, type Session } from '../client/session.ts';
import { printFacts, printTable, type Cell } from '../../terminal/table.ts';
import { paint, plain } from '../../terminal/terminal.ts';

export interface RunsListOptions {
  readonly status?: RunStatus | undefined;
  readonly issue?: string | undefined;
  readonly repository?: string | undefined;
  readonly limit?: number | undefined;
}

const WAITS = { question: 'an answer', approval: 'an approval', paused: 'paused' } as const;

const STYLES: Record<RunStatus, NonNullable<Cell['style']>> = {
  queued: 'dim',
  preparing: 'cyan',
  working: 'cyan',
  waiting: 'yellow',
  publishing: 'cyan',
  succeeded: 'green',
  failed: 'red',
  canceled: 'dim',
};

/** Lists runs, newest first. */
export async function runsList(session: Session, options: RunsListOptions): Promise<void> {
  const { issue, ...filter } = options;
  const issueKey = issue && (await session.api.issue(readIssueName(issue))).key;
  const list = await session.api.runs({ ...filter, issue: issueKey });
  if (session.json) return printJson(session, list);
  if (list.items.length === 0) {
    session.terminal.out('No runs. Put the label run:dev on an issue of a bound repository.');
    return;
  }
  printRuns(session, list.items);
  if (list.next !== null) session.terminal.out(`… and older ones: use --limit (at most 200)`);
}

/** Prints runs as a table. */
export function printRuns({ terminal }: Session, runs: readonly RunView[]): void {
  const now = new Date();
  const rows = runs.map((run): Cell[] => [
    { text: run.id.slice(0, 8) },
    { text: run.label },
    { text: issueName(run) },
    { text: standing(run), style: STYLES[run.status] },
    { text: run.triggeredBy },
    { text: run.pullRequest === null ? '-' : `#${run.pullRequest}` },
    { text: ago(new Date(run.createdAt), now) },
    { text: took(run, now) },
  ]);
  printTable(terminal, ['RUN', 'LABEL', 'ISSUE', 'STATUS', 'BY', 'PR', 'ASKED', 'TOOK'], rows);
}

/** Shows one run with its events. */
export async function runsShow(session: Session, given: string): Promise<void> {
  const { api, terminal } = session;
  const id = await resolveRunId(api, given);
  const run = await api.run(id).catch(orNoRun(given));
  const events = await api.runEvents(id, { limit: 200 });
  if (session.json) return printJson(session, { ...run, events: events.items });

  const title = run.issueTitle === null ? '' : ` “${plain(run.issueTitle)}”`;
  terminal.out(paint(terminal, 'bold', `${run.label} for ${issueName(run)}${title}`));
  terminal.out(`${paint(terminal, STYLES[run.status], run.status)}: ${run.failureText ?? run.statusText}`);
  if (run.nextStep !== null) terminal.out(`What next: ${run.nextStep}`);
  if (run.request) terminal.out(`\n${question(run.request)}`);
  if (run.detail !== null) terminal.out(paint(terminal, 'dim', indented(plain(run.detail))));
  terminal.out('');
  printFacts(terminal, [
    ['Run', run.id],
    ['Why', run.triggerText],
    ['Issue', run.issueUrl],
    ['Pull request', run.pullRequestUrl],
    ['Branch', run.branch],
    ['Workspace', run.workspace],
    ['Agent', run.cli],
    ['Model', run.model && `${run.model} (${run.reasoningEffort ?? '-'})`],
    ['Asked', run.createdAt],
    ['Took', took(run, new Date())],
  ]);
  terminal.out('');
  printEvents(session, events.items);
}

/** Requests the cancellation of a run. */
export async function runsCancel(
  session: Session,
  given: string,
  options: { readonly reason?: string | undefined; readonly by?: string | undefined },
): Promise<void> {
  const id = await resolveRunId(session.api, given);
  const actor = options.by ?? userInfo().username;
  const answer = await session.api
    .cancelRun(id, { actor, ...(options.reason === undefined ? {} : { reason: options.reason }) })
    .catch((error: unknown) => {
      if (error instanceof ApiRefusal && error.code === 'conflict')
        throw new CommandProblem(`Run ${id.slice(0, 8)} is over: ${error.message.replace(/^already_terminal: /, '')}`);
      return orNoRun(given)(error);
    });
  if (session.json) return printJson(session, answer);
  session.terminal.out(
    `Requested cancellation of run ${id.slice(0, 8)}. \`codex-k8s runs show ${id.slice(0, 8)}\` shows when it has ended.`,
  );
}

/** Answers what a run asks: the request that is named, or the one that is open now, which is shown. */
export async function runsAnswer(
  session: Session,
  given: string,
  text: string,
  options: { readonly by?: string | undefined; readonly request?: string | undefined },
): Promise<void> {
  const { api, terminal } = session;
  const id = await resolveRunId(api, given);
  const run = await api.run(id).catch(orNoRun(given));
  const requestId = options.request ?? run.request?.id;
  if (requestId === undefined) throw new CommandProblem(`Run ${short(id)} asks nothing now: ${howItStands(run)}`);
  if (!session.json && run.request?.id === requestId) terminal.out(`${question(run.request)}\n`);
  const actor = options.by ?? userInfo().username;
  const answered = await api
    .answerRun(id, { text, actor, requestId, surface: 'command_line' })
    .catch(refusalOf(id, given));
  if (session.json) return printJson(session, answered);
  const said = answered.request.answer?.text ?? text;
  terminal.out(
    `Answered “${plain(said)}”. The agent of run ${short(id)} goes on; \`codex-k8s runs logs ${short(id)} --follow\` shows it.`,
  );
}

/** Stops a run's agent until the run is resumed. */
export async function runsPause(
  session: Session,
  given: string,
  options: { readonly reason?: string | undefined; readonly by?: string | undefined },
): Promise<void> {
  const id = await resolveRunId(session.api, given);
  const actor = options.by ?? userInfo().username;
  const paused = await session.api
    .pauseRun(id, { actor, ...(options.reason === undefined ? {} : { reason: options.reason }) })
    .catch(refusalOf(id, given));
  if (session.json) return printJson(session, paused);
  session.terminal.out(
    `Paused run ${short(id)}. It waits until ${exact(new Date(paused.wait.until))}; \`codex-k8s runs resume ${short(id)}\` lets it go on.`,
  );
}

/** Lets a paused run go on. */
export async function runsResume(
  session: Session,
  given: string,
  options: { readonly note?: string | undefined; readonly by?: string | undefined },
): Promise<void> {
  const id = await resolveRunId(session.api, given);
  const actor = options.by ?? userInfo().username;
  const resumed = await session.api
    .resumeRun(id, { actor, ...(options.note === undefined ? {} : { note: options.note }) })
    .catch(refusalOf(id, given));
  if (session.json) return printJson(session, resumed);
  session.terminal.out(`Run ${short(id)} goes on. \`codex-k8s runs logs ${short(id)} --follow\` shows its agent.`);
}

/** Turns a refusal into a sentence; the code before it is for programs. */
function refusalOf(id: string, given: string): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof ApiRefusal) || (error.code !== 'conflict' && error.code !== 'unprocessable'))
      return orNoRun(given)(error);
    throw new CommandProblem(`Run ${short(id)}: ${error.message.replace(/^[a-z_]+: /, '')}`);
  };
}

/** How a run stands, in a cell. */
function standing({ status, failure, wait, hold }: RunView): string {
  if (hold === 'no_worker') return `${status}: no worker`;
  if (wait) return `${status}: ${WAITS[wait.kind]}`;
  return failure ? `${status}: ${failure}` : status;
}

/** A question with its options, as a person answers it. */
function question({ question: asked, options, deadline }: Request): string {
  const choices = options.map((option, index) => `  ${index + 1}. ${plain(option)}`);
  const how = choices.length === 0 ? 'Any text answers it' : 'The number or the words of an option answer it';
  return [indented(plain(asked)), '', ...choices, `  ${how}, until ${exact(new Date(deadline))}.`].join('\n');
}

function short(id: string): string {
  return id.slice(0, 8);
}

function issueName(run: Pick<RunView, 'repository' | 'issueNumber'>): string {
  return `${run.repository ?? '?'}#${run.issueNumber}`;
}

function took({ startedAt, finishedAt, terminal }: RunView, now: Date): string {
  if (startedAt === null || (finishedAt === null && terminal)) return '-';
  return duration(new Date(startedAt), finishedAt === null ? now : new Date(finishedAt));
}

function indented(text: string): string {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => `  ${line}`.trimEnd())
    .join('\n');
}
