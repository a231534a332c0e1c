/** What runs ask of people: written down, put on the issue as a comment, and answered by comments. */
import { createHash } from 'node:crypto';
import { log } from '@temporalio/activity';
import type { IssueRef } from '../../src/domain/issue/facts.ts';
import type { Locale } from '../../src/domain/locale.ts';
import type { ApprovalPolicy } from '../../src/domain/approvals/policy.ts';
import { readCommand } from '../../src/domain/run/commands.ts';
import {
  renderEditedAnswer,
  renderRefusedAnswer,
  renderRequest,
  requestMarker,
  type RequestState,
} from '../../src/domain/messages/request-comment.ts';
import { comparable, readAnswer, type Request, type Verdict } from '../../src/domain/run/requests.ts';
import type { Database } from '../../src/store/connection/database.ts';
import { mayEndNow } from '../../src/store/runs/judged-calls.ts';
import { storeRequest } from '../../src/store/runs/requests.ts';
import { classified } from '../failures.ts';

/** What this file needs from GitHub, and nothing else. */
export interface GitHubAnswers {
  /** Creates or updates the comment that carries the marker. */
  writeComment(
    issue: IssueRef,
    comment: { marker: string; body: string; knownId: number | null },
  ): Promise<{ id: number; url: string }>;
  /** The text of a comment, or undefined when it is gone. */
  readComment(issue: IssueRef, id: number): Promise<string | undefined>;
  reactToComment(issue: IssueRef, comment: number, content: 'eyes' | 'confused'): Promise<void>;
  /** What people see of a text on GitHub. */
  visibleText(markdown: string): { readonly text: string };
}

export interface RequestPorts {
  readonly db: Database;
  readonly github: GitHubAnswers;
  /** The policy as it is now: it says who may decide. */
  readonly policy: ApprovalPolicy;
}

export function createRequestActivities({ db, github, policy }: RequestPorts) {
  return {
    /** Before its comment stands on GitHub: a comment on the issue may be the answer from then on, until it is closed. */
    async recordRequest(input: { issueKey: string; request: Request; open: boolean }): Promise<void> {
      await storeRequest(db, input.issueKey, input.request, input.open);
    },

    /** The comment with the question, found again by its marker and edited to show how it ended. */
    async writeRequestComment(input: {
      issue: IssueRef;
      request: Request;
      state: RequestState;
      locale: Locale;
    }): Promise<{ comment: number }> {
      const { issue, request, state, locale } = input;
      const body = renderRequest(request, state, locale);
      const { id } = await classified(() =>
        github.writeComment(issue, { marker: requestMarker(request.id), body, knownId: null }),
      );
      return { comment: id };
    },

    /**
     * What a comment answers; null when it is gone, is no answer, was made before the question's own comment (`after`, GitHub's ids
     * grow), or is not what its author wrote (`sha256`): whoever may write in the repository can edit it, and GitHub's API does not
     * say who did. Shows its author whether it is an answer by eyes or a confused face, and what to do after an edit: courtesies.
     */
    async readAnswerComment(input: {
      issue: IssueRef;
      comment: number;
      sha256: string;
      actor: string;
      /** GitHub's id of the account; missing in runs that began before there were approvals. */
      actorId?: number;
      request: Request;
      after: number | null;
      locale: Locale;
    }): Promise<{ text: string | null; decision?: Verdict }> {
      const { issue, comment, request, after, locale } = input;
      if (after !== null && comment <= after) return { text: null };
      return classified(async () => {
        const text = await github.readComment(issue, comment);
        if (text === undefined) return { text: null };
        const given = readCommand(request, github.visibleText(text).text);
        if (given === undefined) return { text: null };
        const isEdited = sha256Of(comparable(text)) !== input.sha256;
        const read = 'problem' in given ? given : readAnswer(request, given);
        const refusal = isEdited || 'problem' in read ? undefined : await whyNot(input);
        const isAnswer = !isEdited && !('problem' in read) && refusal === undefined;
        await github
          .reactToComment(issue, comment, isAnswer ? 'eyes' : 'confused')
          .catch((error: unknown) => log.warn('no reaction to a comment', { comment, error: String(error) }));
        // A plain answer that is none is only marked; a command is explained.
        const isCommand = request.call !== undefined && 'problem' in read;
        const explanation = isEdited
          ? renderEditedAnswer(input, locale)
          : refusal !== undefined
            ? renderRefusedAnswer(input, refusal, locale)
            : isCommand
              ? renderRefusedAnswer(input, read.problem, locale)
              : undefined;
        if (explanation)
          await github
            .writeComment(issue, { ...explanation, knownId: null })
            .catch((error: unknown) => log.warn('nobody told of a refused answer', { comment, error: String(error) }));
        if (!isAnswer) return { text: null };
        return { text: read.text, ...(read.decision && { decision: read.decision }) };
      });
    },
  };

  /** Why its author may not answer the request, in a sentence; undefined if they may. */
  async function whyNot(input: {
    readonly issue: IssueRef;
    readonly actor: string;
    readonly actorId?: number;
    readonly request: Request;
  }): Promise<string | undefined> {
    // Without a call, whoever may start runs: the webhook was evaluated so.
    const by = { repositoryId: input.issue.repositoryId, id: input.actorId ?? null, login: input.actor };
    const may = await mayEndNow(db, policy, input.request, by);
    return may.allowed ? undefined : may.reason;
  }
}

function sha256Of(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
