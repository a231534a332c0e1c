/** `issues list|show`. */
import { isWaitKind } from '../../domain/run/waits.ts';
import type { IssueView } from '../../../ingress/api/views.ts';
import { ago } from '../../../ingress/api/messages/times.ts';
import { ApiRefusal } from '../../api-client/api-client.ts';
import { printEvents } from './events.ts';
import { readIssueName } from '../client/names.ts';
import { CommandProblem } from '../../terminal/problems.ts';
import { printRuns } from './runs.ts';
import { printJson, type Session } from '../client/session.ts';
import { printFacts, printTable, type Cell } from '../../terminal/table.ts';
import { paint, plain } from '../../terminal/terminal.ts';

export interface IssuesListOptions {
  readonly state?: IssueView['state'] | undefined;
  readonly repository?: string | undefined;
  readonly limit?: number | undefined;
}

/** Lists issues, the most recently changed first. */
export async function issuesList(session: Session, options: IssuesListOptions): Promise<void> {
  const list = await session.api.issues(options);
  if (session.json) return printJson(session, list);
  if (list.items.length === 0) {
    session.terminal.out('No issues. Put the label run:dev on an issue of a bound repository.');
    return;
  }
  const now = new Date();
  const rows = list.items.map((issue): Cell[] => [
    { text: issueName(issue) },
    { text: stateText(issue), style: issue.state === 'working' ? 'cyan' : undefined },
    { text: issue.stage ?? '-' },
    { text: issue.pullRequest === null ? '-' : `#${issue.pullRequest}` },
    { text: ago(new Date(issue.updatedAt), now) },
    { text: issue.title },
  ]);
  printTable(session.terminal, ['ISSUE', 'STATE', 'STAGE', 'PR', 'CHANGED', 'TITLE'], rows);
  if (list.next !== null) session.terminal.out('… and older ones: use --limit (at most 200)');
}

/** Shows one issue with its runs and events. */
export async function issuesShow(session: Session, given: string): Promise<void> {
  const { api, terminal } = session;
  const issue = await api.issue(readIssueName(given)).catch((error: unknown) => {
    if (!(error instanceof ApiRefusal) || error.status !== 404) throw error;
    throw new CommandProblem(`Issue ${given} not found; \`codex-k8s issues list\` lists the known issues`);
  });
  if (session.json) return printJson(session, issue);
  terminal.out(paint(terminal, 'bold', `${issueName(issue)} “${plain(issue.title)}”`));
  printFacts(terminal, [
    ['State', stateText(issue)],
    ['Address', issue.url],
    ['Key', issue.key],
    ['Stage', issue.stage],
    ['Pull request', issue.pullRequest === null ? null : `#${issue.pullRequest}`],
    ['Workspace', issue.workspace],
  ]);
  terminal.out('');
  if (issue.runs.length > 0) printRuns(session, issue.runs);
  terminal.out('');
  printEvents(session, issue.events);
}

function issueName({ repository, number }: Pick<IssueView, 'repository' | 'number'>): string {
  return `${repository ?? '?'}#${number}`;
}

/** What an issue waits for, in words; anything else is said as it is stored. */
const WAITS: Readonly<Record<string, string>> = {
  question: 'waiting for an answer',
  approval: 'waiting for an approval',
  paused: 'paused',
  input: 'waiting for an answer',
  review: 'waiting for a review',
  label: 'waiting for a label',
  agent: 'waiting for its agent',
  cleanup: 'being cleaned up',
};

function stateText({ state, waitingFor, queued }: IssueView): string {
  const waits = isWaitKind(waitingFor) || state === 'waiting' ? waitingFor : null;
  const text = waits === null ? state : (WAITS[waits] ?? `waiting for ${waits}`);
  return queued > 0 ? `${text}, ${queued} queued` : text;
}
