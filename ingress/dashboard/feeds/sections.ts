/** The data of the pages of an issue and of a run. */
import type { Database } from '../../../src/store/connection/database.ts';
import { listRunEvents, newestIssueEvents, newestToolEvents } from '../../../src/read-model/queries/events.ts';
import type { IssueRecord } from '../../../src/read-model/queries/issues.ts';
import { readLog, readLogEnd } from '../../../src/read-model/queries/log.ts';
import { findRunRecord, listRuns, queuePosition } from '../../../src/read-model/queries/runs.ts';
import type { IssueDetails } from '../pages/issue-page.ts';
import { LOG_PAGE, type LogWindow } from '../components/log-view.ts';
import type { RunDetails } from '../pages/run-page.ts';

const ISSUE_RUNS = 50;
const EVENTS = 200;

/** A run with its events and its agent's calls of tools; undefined if there is no such run. */
export async function readRunDetails(db: Database, runId: string): Promise<RunDetails | undefined> {
  const [run, events, calls] = await Promise.all([
    findRunRecord(db, runId),
    listRunEvents(db, runId, { afterSeq: 0, limit: EVENTS }),
    newestToolEvents(db, runId, EVENTS),
  ]);
  if (!run) return undefined;
  const inOrder = [...events, ...calls].toSorted((a, b) => a.occurredAt.getTime() - b.occurredAt.getTime());
  return { run, events: inOrder, queuePosition: run.status === 'queued' ? await queuePosition(db, run) : undefined };
}

/** An issue with its newest runs and events. */
export async function readIssueDetails(db: Database, issue: IssueRecord): Promise<IssueDetails> {
  const [runs, events] = await Promise.all([
    listRuns(db, { issueKey: issue.key }, { limit: ISSUE_RUNS }),
    newestIssueEvents(db, issue.key, EVENTS),
  ]);
  return { issue, runs: runs.items, events };
}

/** The end of a log, or the lines after a given one. */
export async function readLogWindow(db: Database, runId: string, after: number | undefined): Promise<LogWindow> {
  if (after === undefined) return { lines: await readLogEnd(db, runId, LOG_PAGE), atEnd: true };
  const lines = await readLog(db, runId, { after, limit: LOG_PAGE + 1 });
  return { lines: lines.slice(0, LOG_PAGE), atEnd: lines.length <= LOG_PAGE };
}
