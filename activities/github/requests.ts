/** What runs ask of people: written down, put on the issue as a comment, and answered by comments. */
import { createHash } from 'node:crypto';
import { log } from '@temporalio/activity';
import type { IssueRef } from '../../src/domain/issue/facts.ts';
import type { Locale } from '../../src/domain/locale.ts';
import {
  renderEditedAnswer,
  renderRequest,
  requestMarker,
  type RequestState,
} from '../../src/domain/messages/request-comment.ts';
import { comparable, readAnswerText, type Request } from '../../src/domain/run/requests.ts';
import type { Database } from '../../src/store/connection/database.ts';
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

export function createRequestActivities({ db, github }: { readonly db: Database; readonly github: GitHubAnswers }) {
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
      request: Request;
      after: number | null;
      locale: Locale;
    }): Promise<{ text: string | null }> {
      const { issue, comment, request, after } = input;
      if (after !== null && comment <= after) return { text: null };
      return classified(async () => {
        const text = await github.readComment(issue, comment);
        if (text === undefined) return { text: null };
        const isEdited = sha256Of(comparable(text)) !== input.sha256;
        const read = readAnswerText(request, github.visibleText(text).text);
        const answer = isEdited || 'problem' in read ? null : read.text;
        await github
          .reactToComment(issue, comment, answer === null ? 'confused' : 'eyes')
          .catch((error: unknown) => log.warn('no reaction to a comment', { comment, error: String(error) }));
        if (isEdited)
          await github
            .writeComment(issue, { ...renderEditedAnswer(input, input.locale), knownId: null })
            .catch((error: unknown) => log.warn('nobody told of an edited answer', { comment, error: String(error) }));
        return { text: answer };
      });
    },
  };
}

function sha256Of(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
