import { describe, expect, test } from 'vitest';
import { actorText, eventText } from '../../../ingress/api/messages/events.ts';
import { reasonText } from '../../../ingress/api/messages/reasons.ts';
import { nextStepText, triggerText } from '../../../ingress/api/messages/runs.ts';
import { ago, duration } from '../../../ingress/api/messages/times.ts';
import { commentTexts } from '../../../src/domain/messages/comment-texts.ts';

describe('reasons', () => {
  test.each([
    ...Object.keys(commentTexts('en').refused.reasons),
    'issue_closed',
    'label_absent',
    'trigger_already_taken',
    'recorded',
    'platform_owner',
    'platform_admin',
    'project_member_admin',
    'project_member_read_write',
    'issue_event_not_trigger_label',
    'repository_not_bound_for_issue_label',
    'repository_not_bound_for_push_main',
    'sender_login_missing',
    'repository_archived',
    'repository_deleted',
    'app_removed',
    'app_suspended',
    'no_open_issue_concerned',
    'sender_not_allowed',
    'comment_by_agent',
    'sender_type_bot_not_permitted',
  ])('%s is a sentence', (code) => {
    expect(reasonText(code)).toMatch(/^[A-Z].* .*\.$/);
  });

  test('that are new are shown as they are', () => {
    expect(reasonText('something_else')).toBe('something_else');
  });
});

describe('events', () => {
  test.each([
    ['run.queued', { position: 2 }, 'The run waits for a permit, at queue position 2'],
    ['run.started', { label: 'run:dev', trigger: 'label:1' }, 'The run started, requested by the label run:dev'],
    ['run.started', { label: 'run:dev:revise', trigger: 'review:1' }, 'The run started, requested by a review'],
    [
      'input.snapshot',
      { comments: 0, outsiders: 0, edited: 0 },
      "The issue's text was taken for the agent, with no comments",
    ],
    [
      'input.snapshot',
      { comments: 1, outsiders: 2, edited: 1 },
      "The issue's text was taken for the agent, with 1 comment; left out: 2 by people outside the project, 1 edited after the request",
    ],
    ['input.hidden_text', { count: 3 }, '3 hidden passages or characters were removed from what people wrote'],
    ['prompt.context.assembled', { sha256: 'abcdef0123456789' }, 'The prompt was assembled: abcdef012345'],
    [
      'prompt.context.assembled',
      { sha256: 'abcdef0123456789', task: { source: 'project', version: '3' } },
      'The prompt was assembled with the task of the project, version 3: abcdef012345',
    ],
    ['run.agent.started', { branch: 'b', attempt: 1 }, 'The agent started on the branch b'],
    ['request.opened', { question: 'Which?', options: ['this', 'that'] }, 'The agent asked: Which? (1. this, 2. that)'],
    ['request.answered', { surface: 'comment' }, 'The question was answered by a comment'],
    ['request.expired', { request: 'r.1' }, 'Nobody answered the question in time'],
    [
      'run.wait.paused',
      { kind: 'question', until: '2026-12-07T12:00:00Z' },
      'The run waits for an answer until 2026-12-07 12:00 UTC; no agent runs',
    ],
    ['run.wait.paused', { kind: 'paused', reason: 'lunch' }, 'The run was paused: lunch'],
    ['run.wait.resumed', { kind: 'question' }, 'The run continues with the answer'],
    ['run.wait.resumed', { kind: 'paused' }, 'The run was resumed'],
    ['run.canceled', { actor: 'olivia', reason: 'enough' }, 'The run was canceled by olivia: enough'],
    [
      'run.namespace.cleaned',
      { namespace: 'n', reason: 'ttl_expired' },
      'The workspace n was removed, since its lease expired',
    ],
    [
      'issue.not_recorded',
      { revision: 3, events: ['run.started'], reason: 'the database refused' },
      'An earlier step could not be recorded (the database refused), so it is missing here: run.started',
    ],
    ['run.not_started', { reason: 'issue_closed' }, 'No run was started. The issue was closed by then.'],
    [
      'repository.gone',
      { reason: 'archived' },
      'The repository was archived; the issue cannot be worked on any more, and its runs are canceled',
    ],
    [
      'repository.gone_stale',
      { reason: 'app_suspended' },
      'A delivery says that the codex-k8s app was suspended in the repository, but GitHub does not confirm it; nothing was done',
    ],
    ['run.orphaned', { reason: 'issue_transferred' }, 'The run is orphaned: the issue was transferred'],
    ['issue.closed', { gone: true, how: 'deleted' }, 'The issue was deleted'],
    ['issue.closed', { gone: true }, 'GitHub no longer shows the issue'],
    [
      'github.comment_refused',
      { reason: 'Unable to create comment because issue is locked.' },
      'GitHub refuses the status comment: Unable to create comment because issue is locked.',
    ],
    ['run.pr.created', {}, 'Pull request #– was opened'],
    ['some.new_event', {}, 'some new event'],
  ])('%s %j reads: %s', (type, payload, sentence) => {
    expect(eventText({ type, payload })).toBe(sentence);
  });

  test.each([
    ['human', 'olivia', '@olivia'],
    ['system', 'github-webhook', 'GitHub'],
    ['system', 'worker', 'codex-k8s (worker)'],
  ] as const)('by %s %s are by %s', (actorType, actorId, words) => {
    expect(actorText({ actorType, actorId })).toBe(words);
  });
});

test('what to do next names the label that starts the run again', () => {
  const run = { stage: 'dev', kind: 'revise', branch: 'codex/issue-1' } as const;
  expect(nextStepText('push_rejected', run)).toMatch(/codex\/issue-1.*run:dev:revise/);
});

test('who asked for a run, when it was neither a label nor a review', () => {
  const run = { stage: 'dev', kind: 'work', trigger: 'other:1', triggeredBy: 'olivia', pullRequest: null } as const;
  expect(triggerText(run)).toBe('@olivia (other:1)');
});

describe('times', () => {
  const now = new Date('2026-11-21T12:00:00Z');
  test.each([
    [0, 'just now'],
    [-5, 'just now'],
    [60, '1 min ago'],
    [3600, '60 min ago'],
    [7200, '2 h ago'],
    [2 * 86_400, '2 d ago'],
  ])('%s seconds before is %s', (seconds, words) => {
    expect(ago(new Date(now.getTime() - seconds * 1000), now)).toBe(words);
  });

  test.each([
    [12, '12 s'],
    [130, '2 min 10 s'],
    [7260, '2 h 1 min'],
  ])('%s seconds take %s', (seconds, words) => {
    expect(duration(now, new Date(now.getTime() + seconds * 1000))).toBe(words);
  });
});
