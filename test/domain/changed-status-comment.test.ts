import { describe, expect, test } from 'vitest';
import { issueOfBranch } from '../../src/domain/issue/names.ts';
import {
  newRunProgress,
  pagesOf,
  readStatusMarkers,
  renderStatusComment,
} from '../../src/domain/messages/status-comment.ts';
import { evaluate } from '../../src/domain/triggers/triggers.ts';
import { issueNumberOf, type WebhookEvent } from '../../src/domain/triggers/webhooks.ts';
import { IDENTITY, knowing, OLIVIA, REPOSITORY, STRANGER } from './events.ts';

type CommentEvent = Extract<WebhookEvent, { name: 'issue_comment' }>;

const RUN = '0f0f0f0f-0000-4000-8000-000000000009';
const BOT = 99;
const OURS = comment('codex/issue-7');

/** The status comment of a run on a branch. */
function comment(branch: string): string {
  const progress = newRunProgress(
    {
      runId: RUN,
      target: { stage: 'dev', kind: 'work' },
      trigger: { kind: 'label', event: 1 },
      by: OLIVIA,
      requestedAt: '2026-11-21T10:00:00.000Z',
    },
    { branch, model: null, reasoningEffort: null, pullRequest: null },
  );
  const issue = { repositoryId: 1, owner: 'acme', name: 'demo', number: 7 };
  return renderStatusComment(progress, 'en', pagesOf('https://codex.example', issue, RUN));
}

/** Something that olivia did with a comment of the platform's. */
function told(action: string, more: Partial<CommentEvent['comment']> = {}, number = 7): CommentEvent {
  return {
    name: 'issue_comment',
    action,
    repository: REPOSITORY,
    sender: OLIVIA,
    issue: { number, title: 'Count words', url: '', labels: [], isPullRequest: number !== 7 },
    comment: { id: 5, body: OURS, sha256: '', before: null, author: BOT, at: '2026-11-21T10:00:00.000Z', ...more },
  };
}

const judged = (event: CommentEvent, bound = true) => evaluate(event, knowing(STRANGER, bound), IDENTITY);

describe('a status comment', () => {
  test.each<[string, CommentEvent]>([
    ['is deleted', told('deleted')],
    ['is edited to something else', told('edited', { body: 'spam', before: OURS })],
    ['is edited below its first line', told('edited', { body: `${OURS} spam`, before: OURS })],
    ['is edited, and nobody says what it was', told('edited')],
    ['is edited for the second time', told('edited', { body: 'spam', before: OURS.replaceAll('\n', '\r\n') })],
    ['is edited by nobody who is named', { ...told('edited', { before: OURS }), sender: null }],
  ])('that %s becomes a fact of its issue, whoever did it', (_what, event) => {
    const { status, fact } = judged(event);
    expect(status).toBe('accepted');
    expect(fact).toMatchObject({ kind: 'status_comment_changed', runId: RUN, delivery: IDENTITY.delivery });
  });

  test.each<[string, CommentEvent]>([
    ['is made', told('created')],
    ['is edited by who wrote it', { ...told('edited', { before: OURS }), sender: { ...OLIVIA, id: BOT } }],
    ['is deleted by who wrote it', { ...told('deleted'), sender: { ...OLIVIA, id: BOT } }],
    ['is none', told('edited', { body: 'hello', before: 'hi' })],
    ['only quotes one', told('deleted', { body: `> ${OURS}` })],
    ['names no run', told('deleted', { body: '<!-- codex-k8s:run-status ../../etc -->' })],
    ['names no issue', told('deleted', { body: `<!-- codex-k8s:run-status ${RUN} -->` })],
  ])('that %s is not', (_what, event) => {
    expect(judged(event).fact).toBeNull();
  });

  test('of a repository that is not bound becomes no fact', () => {
    expect(judged(told('deleted'), false).fact).toBeNull();
  });

  test.each([
    ['codex/issue-7', 7],
    ['codex/issue-7-2', 7],
    ['codex/issue-123', 123],
  ])('on a pull request is one of the issue of its branch %s', (branch, issue) => {
    const body = comment(branch);
    expect(readStatusMarkers(body)).toEqual({ runId: RUN, issue });
    expect(issueNumberOf(told('deleted', { body }, 8), issueOfBranch)).toBe(issue);
    expect(issueNumberOf(told('edited', { before: body, body: 'spam' }, 8), issueOfBranch)).toBe(issue);
  });

  test.each<[string, CommentEvent, number | undefined]>([
    ['what people say on an issue', told('created', { body: 'hello' }), 7],
    ['what people say on a pull request', told('created', { body: 'hello' }, 8), undefined],
    ['what people correct', told('edited', { body: 'hello', before: 'hallo' }), undefined],
    ['what the platform says', told('created'), undefined],
    [
      'what the platform writes anew',
      { ...told('edited', { before: OURS }), sender: { ...OLIVIA, id: BOT } },
      undefined,
    ],
  ])('%s is about an issue of ours or not', (_what, event, issue) => {
    expect(issueNumberOf(event, issueOfBranch)).toBe(issue);
  });
});
