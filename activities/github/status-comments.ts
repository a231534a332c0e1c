/**
 * Writes status comments on GitHub. What a workflow asks for is kept first; whoever holds the comment then writes the newest of
 * it. So a body that was overtaken is never written, an older one never stands in the place of a newer one, and what one
 * writer leaves is found by the next: the run's next step, the one that watches its agent, or its end, which waits.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { ApplicationFailure, log } from '@temporalio/activity';
import { hasWorkspaceEndMarker, withWorkspaceEnd } from '../../src/domain/messages/workspace-removal.ts';
import type { IssueRef } from '../../src/domain/issue/facts.ts';
import { withLatestOutput } from '../../src/domain/messages/latest-output.ts';
import { statusMarker } from '../../src/domain/messages/status-comment.ts';
import type { Database } from '../../src/store/connection/database.ts';
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
import { classified } from '../failures.ts';

/** What this file needs from GitHub. */
export interface GitHubComments {
  /** Creates or updates the comment that carries the marker. */
  writeComment(
    issue: IssueRef,
    comment: { marker: string; body: string; knownId: number | null },
  ): Promise<{ id: number; url: string }>;
  /** The text of a comment, or undefined when it is gone. */
  readComment(issue: IssueRef, id: number): Promise<string | undefined>;
}

/** A comment that a workflow asks for. */
export interface CommentRequest {
  readonly issue: IssueRef;
  readonly runId: string;
  readonly body: string;
  readonly commentId: number | null;
  /** Counts the bodies of a run. */
  readonly revision: number;
}

export interface CommentRef {
  readonly id: number;
  readonly url: string;
}

/** Milliseconds. */
export interface CommentLimits extends CommentPace {
  /** Whoever waits for a comment that others hold does so for so long at most, and comes back later. */
  readonly patienceMs: number;
  /** A comment between two writes is free within this time. */
  readonly momentMs: number;
  /** Until the comment of a run at work is looked at first, for what was left of its beginning, and then again and again. */
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
    return withLatestOutput(withWorkspaceEnd(body, end), await readLatestOutput(db, runId));
  }

  /** Brings a comment up to date with what its workflow does not know. What cannot be done now is left. */
  async function refresh(runId: string, words: boolean): Promise<void> {
    const row = await findComment(db, runId);
    if (!row || row.commentId === null || row.written === (await textOf(row))) return;
    const issue = await findCommentSubject(db, row);
    const held = issue && (await hold(runId, limits.momentMs, words));
    if (held) await write(held, issue);
  }

  /** Writes what ought to stand there, and nothing else may meanwhile. */
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

  /** Holds the comment as soon as it is free; undefined when that is not within the time. */
  async function hold(runId: string, patienceMs: number, words = false): Promise<StatusComment | undefined> {
    for (const deadline = performance.now() + patienceMs; ;) {
      const attempt = await holdComment(db, runId, limits, { words });
      if ('held' in attempt) return attempt.held;
      if (performance.now() + attempt.waitMs > deadline) return undefined;
      await delay(attempt.waitMs);
    }
  }

  /** Keeps the body, and has it on GitHub within the time, or not: then somebody has to come again. */
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
    /** Has the body on GitHub now, if the comment is free; otherwise it is left to whoever comes next. */
    showNow: (request: CommentRequest) => show(request, 0),

    /** Has the body on GitHub. Fails when the comment is held by others for too long. */
    async showSurely(request: CommentRequest): Promise<CommentRef> {
      const { comment, stands: shown } = await show(request, limits.patienceMs);
      if (comment && shown) return comment;
      throw ApplicationFailure.create({
        type: 'StatusCommentHeld',
        message: 'somebody else writes the status comment',
        nextRetryDelay: '2 seconds',
      });
    },

    /** Brings a comment up to date with what its agent says, and with what others have left. What cannot be done now is left. */
    refresh: (runId: string): Promise<void> => refresh(runId, true),

    /**
     * Shows what became of an issue's workspace, in the comments of its newest runs. A courtesy: never fails, begins nothing
     * after half a minute, and ends with the first comment that GitHub does not take.
     */
    async showWorkspaceEnd(issueKey: string, runs: number): Promise<void> {
      const deadline = performance.now() + COURTESY_MS;
      try {
        for (const runId of await runsInWorkspaces(db, issueKey, runs))
          if (performance.now() < deadline) await refresh(runId, false);
      } catch (error) {
        log.warn('status comments do not say what became of the workspace', { issueKey, error: String(error) });
      }
    },

    /**
     * Makes a comment right that somebody may have edited or deleted: GitHub is asked. One that is edited again and again is
     * made right some times in a minute.
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
          // It stands as it was written; what was left out since is written now.
          return await (held.written === (await textOf(held)) ? leaveComment(db, held) : write(held, issue));
        }
        const waitMs = await countRestore(db, runId);
        if (waitMs !== undefined) throw later(waitMs);
      } catch (error) {
        await leaveComment(db, held).catch(() => undefined);
        throw error;
      }
      log.info('a status comment is made right again', { runId });
      await write({ ...held, written: null }, issue);
    },
  };
}

export type StatusComments = ReturnType<typeof createStatusComments>;

/** The activities that do nothing but write a status comment. */
export function createStatusCommentActivities(comments: StatusComments) {
  return {
    /** Waits for its turn: the newest body gets there, or this fails and is tried again. */
    writeStatusComment: (request: CommentRequest): Promise<CommentRef> => comments.showSurely(request),

    /** Makes a comment right that somebody may have edited or deleted. */
    restoreStatusComment: ({ runId }: { runId: string }): Promise<void> => comments.restore(runId),

    /** Says what became of the issue's workspace, in the comments of so many of its newest runs. */
    showWorkspaceEnd: ({ issueKey, runs }: { issueKey: string; runs: number }): Promise<void> =>
      comments.showWorkspaceEnd(issueKey, runs),
  };
}

function later(waitMs: number): ApplicationFailure {
  return ApplicationFailure.create({
    type: 'StatusCommentRestoredOften',
    message: 'the status comment is edited again and again, or written just now',
    nextRetryDelay: waitMs,
  });
}

/** GitHub's pages send texts with the line ends of the web. */
function sameText(one: string, other: string): boolean {
  const plain = (text: string): string => text.replaceAll('\r\n', '\n').trim();
  return plain(one) === plain(other);
}
