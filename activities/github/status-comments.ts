/**
 * Writes status comments on GitHub. A requested body is stored first; the one writer that holds the comment then writes the
 * newest body. So an outdated body is never written, an older one never replaces a newer one, and what one writer leaves undone
 * the next one finds: the run's next step, the activity that watches its agent, or the run's end, which waits.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { ApplicationFailure, log } from '@temporalio/activity';
import { hasWorkspaceEndMarker, withWorkspaceEnd } from '../../src/domain/messages/workspace-removal.ts';
import type { IssueRef } from '../../src/domain/issue/facts.ts';
import { withCost } from '../../src/domain/messages/costs.ts';
import { withLatestOutput } from '../../src/domain/messages/latest-output.ts';
import { statusMarker } from '../../src/domain/messages/status-comment.ts';
import type { Database } from '../../src/store/connection/database.ts';
import { estimateRunCost, readRunCost } from '../../src/store/money/costs.ts';
import {
  COMMENT_PACE,
  countRestore,
  findComment,
  findCommentSubject,
  holdComment,
  keepHold,
  leaveComment,
  releaseComment,
  readWorkspaceEnd,
  readLatestOutput,
  runsInWorkspaces,
  wantComment,
  type CommentPace,
  type StatusComment,
} from '../../src/store/github/status-comments.ts';
import { readStatusReports } from '../../src/store/runs/tool-calls.ts';
import { classified } from '../failures.ts';

/** The part of GitHub's client that this file needs. */
export interface GitHubComments {
  /** Creates or updates the comment that carries the marker. */
  writeComment(
    issue: IssueRef,
    comment: { marker: string; body: string; knownId: number | null },
  ): Promise<{ id: number; url: string }>;
  /** The text of a comment, or undefined when it is gone. */
  readComment(issue: IssueRef, id: number): Promise<string | undefined>;
  /** The text as it stands on GitHub when it is written. */
  outgoing(text: string): string;
}

/** A comment that a workflow requests. */
export interface CommentRequest {
  readonly issue: IssueRef;
  readonly runId: string;
  readonly body: string;
  readonly commentId: number | null;
  /** Counts the bodies of a run; the highest revision wins. */
  readonly revision: number;
}

export interface CommentRef {
  readonly id: number;
  readonly url: string;
}

/** Milliseconds. */
export interface CommentLimits extends CommentPace {
  /** The longest wait for a comment that another writer holds; the activity is then retried. */
  readonly patienceMs: number;
  /** The longest wait for a comment between two writes. */
  readonly momentMs: number;
  /** Until the comment of a run at work is refreshed for the first time, and then between two refreshes. */
  readonly firstLookMs: number;
  readonly nextLookMs: number;
}

export const COMMENT_LIMITS: CommentLimits = {
  ...COMMENT_PACE,
  patienceMs: 20_000,
  momentMs: 3000,
  firstLookMs: 2500,
  nextLookMs: 20_000,
};

const COURTESY_MS = 30_000;

export interface StatusCommentPorts {
  readonly db: Database;
  readonly github: GitHubComments;
  /** Production's unless given. */
  readonly commentLimits?: CommentLimits;
}

export function createStatusComments({ db, github, commentLimits: limits = COMMENT_LIMITS }: StatusCommentPorts) {
  async function textOf({ runId, body }: StatusComment): Promise<string> {
    const end = hasWorkspaceEndMarker(body) ? await readWorkspaceEnd(db, runId) : undefined;
    // What others wrote is made safe first: nothing in it is taken for a marker.
    const [messages, statuses] = await Promise.all([readLatestOutput(db, runId), readStatusReports(db, runId)]);
    const shown = withLatestOutput(withWorkspaceEnd(github.outgoing(body), end), messages, statuses);
    return github.outgoing(await withCost(shown, await readRunCost(db, runId), async () => estimateRunCost(db, runId)));
  }

  /** Refreshes a comment with what its workflow does not know. What cannot be done now is left for the next refresh. */
  async function refresh(runId: string, outputOnly: boolean): Promise<void> {
    const row = await findComment(db, runId);
    if (!row || row.commentId === null || row.written === (await textOf(row))) return;
    const issue = await findCommentSubject(db, row);
    const held = issue && (await hold(runId, limits.momentMs, outputOnly));
    if (held) await write(held, issue);
  }

  /** Writes the wanted body, as the only writer. */
  async function write(held: StatusComment, issue: IssueRef): Promise<void> {
    const holding = setInterval(() => void keepHold(db, held, limits).catch(() => undefined), limits.holdMs / 4);
    try {
      const text = await textOf(held);
      if (text === held.written) return await leaveComment(db, held);
      const comment = { marker: statusMarker(held.runId), body: text, knownId: held.commentId };
      const { id, url } = await classified(() => github.writeComment(issue, comment));
      await releaseComment(db, held, { id, url, text });
    } catch (error) {
      const unsent = error instanceof ApplicationFailure && error.type === 'GitHubRateLimited';
      await (unsent ? leaveComment(db, held) : releaseComment(db, held)).catch(() => undefined);
      throw error;
    } finally {
      clearInterval(holding);
    }
  }

  /** Takes the comment as soon as it is free; undefined when that takes longer. */
  async function hold(runId: string, patienceMs: number, outputOnly = false): Promise<StatusComment | undefined> {
    for (const deadline = performance.now() + patienceMs; ;) {
      const attempt = await holdComment(db, runId, limits, { outputOnly });
      if ('held' in attempt) return attempt.held;
      if (performance.now() + attempt.waitMs > deadline) return undefined;
      await delay(attempt.waitMs);
    }
  }

  /** Stores the body, and writes it if the comment is free in time; otherwise `stands` is false, and it has to be retried. */
  async function show(
    { issue, runId, body, commentId, revision }: CommentRequest,
    patienceMs: number,
  ): Promise<{ readonly comment: CommentRef | null; readonly stands: boolean }> {
    let row: StatusComment | undefined = await wantComment(db, { runId, place: issue, body, commentId, revision });
    for (const deadline = performance.now() + patienceMs; ;) {
      const comment = row && row.commentId !== null && row.url !== null ? { id: row.commentId, url: row.url } : null;
      if (!row || (comment && (await stands(row, revision)))) return { comment, stands: true };
      const held = await hold(runId, Math.max(0, deadline - performance.now()));
      if (!held) return { comment, stands: false };
      await write(held, issue);
      row = await findComment(db, runId);
    }
  }

  /** Whether GitHub shows the body of this revision, a newer one, or the same text. */
  async function stands(row: StatusComment, revision: number): Promise<boolean> {
    if (row.written === null) return false;
    return (row.writtenRevision ?? -1) >= revision || row.written === (await textOf(row));
  }

  return {
    /** Writes the body now if the comment is free; otherwise the next writer does. */
    showNow: (request: CommentRequest) => show(request, 0),

    /** Writes the body. Fails when other writers hold the comment for too long. */
    async showSurely(request: CommentRequest): Promise<CommentRef> {
      const { comment, stands: shown } = await show(request, limits.patienceMs);
      if (comment && shown) return comment;
      throw ApplicationFailure.create({
        type: 'StatusCommentHeld',
        message: 'the status comment is held by another writer',
        nextRetryDelay: '2 seconds',
      });
    },

    /** Refreshes a comment with the agent's latest output and whatever was left undone. */
    refresh: (runId: string): Promise<void> => refresh(runId, true),

    /**
     * Shows in the status comments of the issue's newest runs what happened to its workspace. Never fails, starts no write
     * after half a minute, and ends with the first comment that GitHub refuses.
     */
    async showWorkspaceEnd(issueKey: string, runs: number): Promise<void> {
      const deadline = performance.now() + COURTESY_MS;
      try {
        for (const runId of await runsInWorkspaces(db, issueKey, runs))
          if (performance.now() < deadline) await refresh(runId, false);
      } catch (error) {
        log.warn('status comments do not show the end of the workspace', { issueKey, error: String(error) });
      }
    },

    /**
     * Restores a comment that somebody may have edited or deleted, after reading it from GitHub. The number of restores a
     * minute is limited.
     */
    async restore(runId: string): Promise<void> {
      const row = await findComment(db, runId);
      const issue = row && row.commentId !== null ? await findCommentSubject(db, row) : undefined;
      if (!issue) return;
      const held = await hold(runId, limits.patienceMs);
      if (!held) throw later(2000);
      const id = held.commentId;
      try {
        const found = id === null ? undefined : await classified(() => github.readComment(issue, id));
        if (found !== undefined && held.written !== null && sameText(found, held.written)) {
          // The comment is as it was written; write what was left undone since.
          return await (held.written === (await textOf(held)) ? leaveComment(db, held) : write(held, issue));
        }
        const waitMs = await countRestore(db, runId);
        if (waitMs !== undefined) throw later(waitMs);
      } catch (error) {
        await leaveComment(db, held).catch(() => undefined);
        throw error;
      }
      log.info('status comment restored', { runId });
      await write({ ...held, written: null }, issue);
    },
  };
}

export type StatusComments = ReturnType<typeof createStatusComments>;

/** Activities that only write a status comment. */
export function createStatusCommentActivities(comments: StatusComments) {
  return {
    /** Writes the newest body, or fails and is retried. */
    writeStatusComment: (request: CommentRequest): Promise<CommentRef> => comments.showSurely(request),

    /** Restores a comment that somebody may have edited or deleted. */
    restoreStatusComment: ({ runId }: { runId: string }): Promise<void> => comments.restore(runId),

    /** Shows what happened to the issue's workspace, in the status comments of so many of its newest runs. */
    showWorkspaceEnd: ({ issueKey, runs }: { issueKey: string; runs: number }): Promise<void> =>
      comments.showWorkspaceEnd(issueKey, runs),
  };
}

function later(waitMs: number): ApplicationFailure {
  return ApplicationFailure.create({
    type: 'StatusCommentRestoredOften',
    message: 'the status comment is being written, or is edited too often',
    nextRetryDelay: waitMs,
  });
}

/** GitHub's web forms send texts with CRLF. */
function sameText(one: string, other: string): boolean {
  const plain = (text: string): string => text.replaceAll('\r\n', '\n').trim();
  return plain(one) === plain(other);
}
