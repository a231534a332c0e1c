/**
 * The decision table, row by row: who does what to which labels in which state, and what
 * follows. First what a webhook means by itself, then what its fact means for an issue that has a past.
 *
 * Rows that this build has no counterpart of: 22 and 23 deploy and bump nothing, a push is recorded; 27 cannot be, every role
 * has an agent; 29 is found out by the run (`pull_request_not_found`, test/workflows/issue/workflow.test.ts).
 */
import { describe, expect, test } from 'vitest';
import { decideTriggers, gateOf } from '../../src/domain/issue/label-events.ts';
import type { Account, Fact, LabelFact } from '../../src/domain/issue/facts.ts';
import { ASKING, type DoneStages } from '../../src/domain/issue/gates.ts';
import { isCanceledByRemoval } from '../../src/domain/issue/handlers/label-removals.ts';
import { receive } from '../../src/domain/issue/inbox.ts';
import type { GitHubIssueState } from '../../src/domain/issue/reads.ts';
import { decideRevise } from '../../src/domain/issue/revise.ts';
import { newIssueState, type IssueState, type PlannedRun } from '../../src/domain/issue/state.ts';
import { renderTrigger } from '../../src/domain/run/trigger.ts';
import { selectModel } from '../../src/domain/stages/model-selection.ts';
import { RUN_LIMITS } from '../../src/domain/run/permits.ts';
import type { Sender, Membership } from '../../src/domain/triggers/senders.ts';
import { roleOf, STAGES, triggerLabel, type Stage, type TriggerTarget } from '../../src/domain/stages/stages.ts';
import { evaluate, type TriggerContext } from '../../src/domain/triggers/triggers.ts';
import { goneRepositories, type WebhookEvent } from '../../src/domain/triggers/webhooks.ts';
import {
  IDENTITY,
  issuesEvent,
  knowing,
  labeled,
  MEMBER,
  OLIVIA,
  pullRequestEvent,
  pushEvent,
  REPOSITORY,
  reviewEvent,
  STRANGER,
} from './events.ts';
import { ISSUE } from './support/issues.ts';

const BOUND = knowing(MEMBER, true);
const UNBOUND = knowing(MEMBER, false);
const KNOWN: Membership = { platformRole: null, projectRole: null, known: true };
const BOT = { ...OLIVIA, login: 'helper[bot]', type: 'Bot' };
const STRANGE = knowing(STRANGER, true);
const READER = knowing({ ...MEMBER, projectRole: 'read' }, true);
const OWNER = knowing({ ...KNOWN, platformRole: 'platform_owner' }, true);
const NO_TRIGGER = 'issue_event_not_trigger_label';
const STARTED = 'accepted project_member_read_write trigger_label_added';

type Row = [
  row: string,
  what: string,
  event: WebhookEvent,
  context: TriggerContext,
  /** Status, reason, and the kind of the fact that the workflow is told, if any. */
  outcome: string,
];

function from<Event extends WebhookEvent>(sender: Sender | null, event: Event): Event {
  return { ...event, sender };
}

function labelOnPullRequest(label: string, action = 'labeled', headRef = 'codex/issue-7'): WebhookEvent {
  return { ...pullRequestEvent(action, { headRef, labels: [label] }), name: 'pull_request', label };
}

/** Somebody says something on an issue with these labels. */
function commentOn(
  labels: readonly string[],
  { action = 'created', isPullRequest = false, body = 'Which flag?' } = {},
): WebhookEvent {
  const { issue, ...event } = issuesEvent(action, null);
  return {
    action,
    repository: event.repository,
    sender: event.sender,
    name: 'issue_comment',
    issue: { ...issue, labels, isPullRequest },
    comment: { id: 77, body, sha256: '', author: OLIVIA.id, before: null, at: IDENTITY.receivedAt },
  };
}

/** The rows that begin with a label, in the order in which they are tried. */
const TABLE: Row[] = [
  ['1', 'a trigger label by a member', labeled('run:dev'), BOUND, STARTED],
  ['1', 'a revise label by a member', labeled('run:dev:revise'), BOUND, STARTED],
  ['1', 'a trigger label in another spelling', labeled(' Run:DEV'), BOUND, STARTED],
  [
    '1',
    'a trigger label by a project admin',
    labeled('run:dev'),
    knowing({ ...MEMBER, projectRole: 'admin' }, true),
    'accepted project_member_admin trigger_label_added',
  ],
  [
    '1',
    'a trigger label by the platform owner',
    labeled('run:dev'),
    OWNER,
    'accepted platform_owner trigger_label_added',
  ],
  [
    '1',
    'a trigger label by a platform admin',
    labeled('run:dev'),
    knowing({ ...KNOWN, platformRole: 'platform_admin' }, true),
    'accepted platform_admin trigger_label_added',
  ],
  [
    '1',
    'a trigger label beside labels that trigger nothing',
    labeled('run:dev', [
      'run:dev',
      'run:debug',
      'state:blocked',
      'need:qa',
      '[ai-model-gpt-5.2]',
      '[ai-reasoning-low]',
    ]),
    BOUND,
    STARTED,
  ],
  [
    '1',
    'a trigger label that is on the issue in two spellings',
    labeled('run:dev', ['run:dev', 'RUN:DEV']),
    BOUND,
    STARTED,
  ],
  [
    '3',
    'two trigger labels',
    labeled('run:dev', ['run:dev', 'run:qa']),
    BOUND,
    'ignored issue_trigger_label_conflict trigger_refused',
  ],
  [
    '3',
    'a trigger label and its own revise',
    labeled('run:dev', ['run:dev', 'run:dev:revise']),
    BOUND,
    'ignored issue_trigger_label_conflict trigger_refused',
  ],
  [
    '3',
    'a second trigger label that the payload does not show on the issue yet',
    labeled('run:dev', ['run:qa']),
    BOUND,
    'ignored issue_trigger_label_conflict trigger_refused',
  ],
  [
    '3',
    'two trigger labels by a stranger',
    labeled('run:dev', ['run:dev', 'run:qa']),
    STRANGE,
    'ignored sender_not_allowed',
  ],
  [
    '3',
    'two trigger labels in a repository that is not bound',
    labeled('run:dev', ['run:dev', 'run:qa']),
    UNBOUND,
    'ignored repository_not_bound_for_issue_label',
  ],
  [
    '4',
    'a trigger label in a repository that is not bound',
    labeled('run:dev'),
    UNBOUND,
    'ignored repository_not_bound_for_issue_label',
  ],
  [
    '4',
    'a trigger label by a stranger in a repository that is not bound',
    labeled('run:dev'),
    knowing(STRANGER, false),
    'ignored repository_not_bound_for_issue_label',
  ],
  ['5', 'a trigger label by nobody', from(null, labeled('run:dev')), BOUND, 'ignored sender_login_missing'],
  [
    '5',
    'a trigger label by an empty login',
    from({ ...OLIVIA, login: '' }, labeled('run:dev')),
    BOUND,
    'ignored sender_login_missing',
  ],
  ['6', 'a trigger label by a stranger', labeled('run:dev'), STRANGE, 'ignored sender_not_allowed'],
  [
    '7',
    'a trigger label by somebody known who is no member',
    labeled('run:dev'),
    knowing(KNOWN, true),
    'ignored sender_not_project_member trigger_refused',
  ],
  [
    '8',
    'a trigger label by a member who may read',
    labeled('run:dev'),
    READER,
    'ignored sender_role_read_not_permitted trigger_refused',
  ],
  [
    '9',
    'a trigger label by a member without a role',
    labeled('run:dev'),
    knowing({ ...MEMBER, projectRole: '' }, true),
    'ignored sender_role_not_permitted trigger_refused',
  ],
  ['10', 'a trigger label by a bot', from(BOT, labeled('run:dev')), BOUND, 'ignored sender_type_bot_not_permitted'],
  ...['state:blocked', 'need:qa', '[ai-model-gpt-5.2]', '[ai-reasoning-low]', 'run:debug', 'bug'].map((label): Row => [
    '11',
    `the label ${label}`,
    labeled(label, ['run:dev', label]),
    BOUND,
    `ignored ${NO_TRIGGER}`,
  ]),
  ['11', 'another label in a repository that is not bound', labeled('bug'), UNBOUND, `ignored ${NO_TRIGGER}`],
  ...['opened', 'edited', 'assigned', 'locked', 'unlocked', 'pinned', 'milestoned', 'typed', ''].map((action): Row => [
    '12',
    `issues.${action}`,
    issuesEvent(action, null),
    BOUND,
    `ignored ${NO_TRIGGER}`,
  ]),
  ...['deleted', 'transferred'].map((action): Row => [
    '12',
    `issues.${action}`,
    issuesEvent(action, null),
    BOUND,
    `ignored ${NO_TRIGGER} issue_closed`,
  ]),
  [
    '12',
    'a trigger label taken off by a member',
    issuesEvent('unlabeled', 'run:dev'),
    BOUND,
    `ignored ${NO_TRIGGER} trigger_label_removed`,
  ],
  [
    '12',
    'a trigger label taken off by a stranger',
    issuesEvent('unlabeled', 'run:dev'),
    STRANGE,
    `ignored ${NO_TRIGGER}`,
  ],
  [
    '12',
    'a trigger label taken off by a member who may read',
    issuesEvent('unlabeled', 'run:dev'),
    READER,
    `ignored ${NO_TRIGGER}`,
  ],
  [
    '12',
    'a trigger label taken off by a bot',
    from(BOT, issuesEvent('unlabeled', 'run:dev')),
    BOUND,
    `ignored ${NO_TRIGGER}`,
  ],
  [
    '12',
    'a trigger label taken off where nothing is bound',
    issuesEvent('unlabeled', 'run:dev'),
    UNBOUND,
    `ignored ${NO_TRIGGER}`,
  ],
  ['12', 'another label taken off', issuesEvent('unlabeled', 'bug'), BOUND, `ignored ${NO_TRIGGER}`],
  ['12', 'an issue reopened', issuesEvent('reopened', null), BOUND, `ignored ${NO_TRIGGER} issue_reopened`],
  ['12', 'an issue reopened where nothing is bound', issuesEvent('reopened', null), UNBOUND, `ignored ${NO_TRIGGER}`],
  ['13', 'an issue closed by a member', issuesEvent('closed', null), BOUND, `ignored ${NO_TRIGGER} issue_closed`],
  ['13', 'an issue closed by a stranger', issuesEvent('closed', null), STRANGE, `ignored ${NO_TRIGGER} issue_closed`],
  ['13', 'an issue closed where nothing is bound', issuesEvent('closed', null), UNBOUND, `ignored ${NO_TRIGGER}`],
  ['14', 'our pull request closed', pullRequestEvent('closed'), BOUND, 'accepted recorded pull_request_closed'],
  [
    '14',
    'our pull request closed by a stranger',
    pullRequestEvent('closed'),
    STRANGE,
    'accepted recorded pull_request_closed',
  ],
  [
    '14',
    "somebody's own pull request closed",
    pullRequestEvent('closed', { headRef: 'fix' }),
    BOUND,
    'accepted recorded',
  ],
  [
    '14',
    'a branch named like ours in a fork closed',
    pullRequestEvent('closed', { headRepositoryId: 1 }),
    BOUND,
    'accepted recorded',
  ],
  [
    '14',
    'a pull request whose fork is gone closed',
    pullRequestEvent('closed', { headRepositoryId: null }),
    BOUND,
    'accepted recorded',
  ],
  ['14', 'a pull request closed where nothing is bound', pullRequestEvent('closed'), UNBOUND, 'accepted recorded'],
  [
    '15',
    'changes requested by a member',
    reviewEvent('changes_requested', { labels: ['run:dev'] }),
    BOUND,
    'accepted project_member_read_write changes_requested',
  ],
  [
    '15',
    'changes requested by the platform owner',
    reviewEvent('changes_requested'),
    OWNER,
    'accepted platform_owner changes_requested',
  ],
  ['15', 'changes requested by a stranger', reviewEvent('changes_requested'), STRANGE, 'ignored sender_not_allowed'],
  [
    '15',
    'changes requested by a bot',
    from(BOT, reviewEvent('changes_requested')),
    BOUND,
    'ignored sender_type_bot_not_permitted',
  ],
  [
    '15',
    'changes requested by nobody',
    from(null, reviewEvent('changes_requested')),
    BOUND,
    'ignored sender_login_missing',
  ],
  [
    '15',
    'changes requested where nothing is bound',
    reviewEvent('changes_requested'),
    UNBOUND,
    'ignored repository_not_bound_for_issue_label',
  ],
  ['20', 'a review that approves', reviewEvent('approved'), BOUND, 'accepted recorded'],
  ['20', 'a review that comments', reviewEvent('commented'), BOUND, 'accepted recorded'],
  ['20', 'a review that is dismissed', reviewEvent('changes_requested', {}, 'dismissed'), BOUND, 'accepted recorded'],
  ['20', 'a review that is edited', reviewEvent('changes_requested', {}, 'edited'), BOUND, 'accepted recorded'],
  [
    '20',
    'a review that approves, by a stranger where nothing is bound',
    reviewEvent('approved'),
    knowing(STRANGER, false),
    'accepted recorded',
  ],
  [
    '21',
    'a trigger label on a pull request',
    pullRequestEvent('labeled', { labels: ['run:dev'] }),
    BOUND,
    'accepted recorded',
  ],
  [
    '21',
    'a trigger label off a pull request',
    pullRequestEvent('unlabeled', { labels: [] }),
    BOUND,
    'accepted recorded',
  ],
  ['22', 'a push to main', pushEvent('refs/heads/main', false), BOUND, 'accepted recorded'],
  ['22', 'a push to master', pushEvent('refs/heads/master', false), BOUND, 'accepted recorded'],
  [
    '24',
    'a push to main where nothing is bound',
    pushEvent('refs/heads/main', false),
    UNBOUND,
    'ignored repository_not_bound_for_push_main',
  ],
  [
    '24',
    'a push to master where nothing is bound',
    pushEvent('refs/heads/master', false),
    UNBOUND,
    'ignored repository_not_bound_for_push_main',
  ],
  ['25', 'a push to another branch', pushEvent('refs/heads/fix', false), BOUND, 'accepted recorded'],
  [
    '25',
    'a push to another branch where nothing is bound',
    pushEvent('refs/heads/fix', false),
    UNBOUND,
    'accepted recorded',
  ],
  ['25', 'a tag named main', pushEvent('refs/tags/main', false), UNBOUND, 'accepted recorded'],
  ['25', 'main deleted', pushEvent('refs/heads/main', true), UNBOUND, 'accepted recorded'],
  [
    '26',
    'any other event',
    { name: 'other', action: 'created', repository: REPOSITORY, sender: OLIVIA },
    BOUND,
    'accepted recorded',
  ],
  [
    '26',
    'an event without repository and sender',
    { name: 'other', action: '', repository: null, sender: null },
    UNBOUND,
    'accepted recorded',
  ],
];

/** The rows of reviews, comments and conversations, as far as a webhook says by itself what it means. */
const LATER: Row[] = [
  [
    'review',
    'changes requested on a branch that is none of ours',
    reviewEvent('changes_requested', { headRef: 'fix', labels: ['run:dev'] }),
    BOUND,
    'ignored pull_request_review_stage_not_resolved',
  ],
  [
    'review',
    'changes requested on a branch named like ours in a fork',
    reviewEvent('changes_requested', { headRepositoryId: 1 }),
    BOUND,
    'ignored pull_request_review_stage_not_resolved',
  ],
  [
    'review',
    'changes requested by a member who may read',
    reviewEvent('changes_requested'),
    READER,
    'ignored sender_role_read_not_permitted review_refused',
  ],
  [
    'review',
    'changes requested by a stranger',
    reviewEvent('changes_requested'),
    STRANGE,
    'ignored sender_not_allowed',
  ],
  ['reviewer', 'need:reviewer on our pull request by a member', labelOnPullRequest('need:reviewer'), BOUND, STARTED],
  ['reviewer', 'need:reviewer in another spelling', labelOnPullRequest(' Need:Reviewer'), BOUND, STARTED],
  [
    'reviewer',
    'need:reviewer by a stranger',
    labelOnPullRequest('need:reviewer'),
    STRANGE,
    'ignored sender_not_allowed',
  ],
  [
    'reviewer',
    'need:reviewer by a bot',
    from(BOT, labelOnPullRequest('need:reviewer')),
    BOUND,
    'ignored sender_type_bot_not_permitted',
  ],
  [
    'reviewer',
    'need:reviewer by a member who may read',
    labelOnPullRequest('need:reviewer'),
    READER,
    'ignored sender_role_read_not_permitted trigger_refused',
  ],
  [
    'reviewer',
    'need:reviewer where nothing is bound',
    labelOnPullRequest('need:reviewer'),
    UNBOUND,
    'accepted recorded',
  ],
  [
    'reviewer',
    "need:reviewer on somebody's own pull request",
    labelOnPullRequest('need:reviewer', 'labeled', 'fix'),
    BOUND,
    'accepted recorded',
  ],
  [
    'reviewer',
    'need:reviewer taken off by a member',
    labelOnPullRequest('need:reviewer', 'unlabeled'),
    BOUND,
    'accepted project_member_read_write trigger_label_removed',
  ],
  [
    'reviewer',
    'need:reviewer taken off by a member who may read',
    labelOnPullRequest('need:reviewer', 'unlabeled'),
    READER,
    'ignored sender_role_read_not_permitted',
  ],
  ['reviewer', 'need:reviewer on an issue', labeled('need:reviewer'), BOUND, `ignored ${NO_TRIGGER}`],
  ['discussion', 'mode:discussion by a member', labeled('mode:discussion'), BOUND, STARTED],
  ['discussion', 'mode:discussion by a stranger', labeled('mode:discussion'), STRANGE, 'ignored sender_not_allowed'],
  [
    'discussion',
    'mode:discussion beside labels that trigger nothing',
    labeled('mode:discussion', ['bug', 'run:debug', 'mode:discussion']),
    BOUND,
    STARTED,
  ],
  [
    'discussion',
    'mode:discussion while a trigger label is on',
    labeled('mode:discussion', ['run:dev', 'mode:discussion']),
    BOUND,
    'ignored discussion_mode_trigger_label_conflict trigger_refused',
  ],
  [
    'discussion',
    'a trigger label while mode:discussion is on, which the work then ends',
    labeled('run:dev', ['mode:discussion', 'run:dev']),
    BOUND,
    STARTED,
  ],
  [
    'discussion',
    'mode:discussion taken off by a member',
    issuesEvent('unlabeled', 'mode:discussion'),
    BOUND,
    `ignored ${NO_TRIGGER} trigger_label_removed`,
  ],
  [
    'discussion',
    'mode:discussion taken off by a stranger',
    issuesEvent('unlabeled', 'mode:discussion'),
    STRANGE,
    `ignored ${NO_TRIGGER}`,
  ],
  [
    'discussion',
    'a comment of a member where mode:discussion is on',
    commentOn(['bug', 'Mode:Discussion']),
    BOUND,
    'accepted project_member_read_write comment_added',
  ],
  ['discussion', 'a comment of a member where it is not', commentOn(['run:dev']), BOUND, 'accepted recorded'],
  [
    'discussion',
    'a comment of a stranger where mode:discussion is on',
    commentOn(['mode:discussion']),
    STRANGE,
    'accepted recorded',
  ],
  [
    'discussion',
    'a comment of a bot where mode:discussion is on',
    from(BOT, commentOn(['mode:discussion'])),
    BOUND,
    'accepted recorded',
  ],
  [
    'discussion',
    'a comment that is edited where mode:discussion is on',
    commentOn(['mode:discussion'], { action: 'edited' }),
    BOUND,
    'accepted recorded',
  ],
  [
    'discussion',
    'a comment on a pull request that carries mode:discussion',
    commentOn(['mode:discussion'], { isPullRequest: true }),
    BOUND,
    'accepted recorded',
  ],
  [
    'discussion',
    'a comment where mode:discussion is on and nothing is bound',
    commentOn(['mode:discussion']),
    UNBOUND,
    'accepted recorded',
  ],
];

/** What an issue whose run waits for an answer knows of who comments. */
const asking = (context: TriggerContext): TriggerContext => ({ ...context, openRequest: true });

/** Comments on an issue whose run waits for an answer of people. */
const ANSWERS: Row[] = [
  [
    'an answer by a member',
    commentOn(['run:dev'], { body: '2' }),
    asking(BOUND),
    'accepted project_member_read_write comment_added',
  ],
  ['an answer by the platform owner', commentOn([]), asking(OWNER), 'accepted platform_owner comment_added'],
  ['an answer by a member who may only read', commentOn([]), asking(READER), 'ignored sender_role_read_not_permitted'],
  ['an answer by a stranger', commentOn([]), asking(STRANGE), 'ignored sender_not_allowed'],
  ['an answer by a bot', from(BOT, commentOn([])), asking(BOUND), 'ignored sender_type_bot_not_permitted'],
  ['an answer by nobody', from(null, commentOn([])), asking(BOUND), 'ignored sender_login_missing'],
  ['a comment that is edited', commentOn([], { action: 'edited' }), asking(BOUND), 'accepted recorded'],
  ['a comment that is deleted', commentOn([], { action: 'deleted' }), asking(BOUND), 'accepted recorded'],
  ['an answer where nothing is bound', commentOn([]), asking(UNBOUND), 'accepted recorded'],
  ['a comment where nothing is asked', commentOn([]), BOUND, 'accepted recorded'],
].map((row) => ['a question', ...row] as Row);

/** Of repositories in which so many issues are open. */
const withOpen = (openIssues: number): TriggerContext => ({ ...STRANGE, openIssues });
const CONCERNED = withOpen(1);

function repository(action: string): WebhookEvent {
  return { name: 'repository', action, repository: REPOSITORY, sender: OLIVIA };
}

function installation(action: string, repositories: readonly number[] | null = [REPOSITORY.id]): WebhookEvent {
  return { name: 'installation', action, repository: null, sender: OLIVIA, account: 'acme', repositories };
}

function installedIn(action: string): WebhookEvent {
  return { ...installation(action), name: 'installation_repositories' } as WebhookEvent;
}

/** What ends the work on issues, whoever did it (docs/reliability.md T17, T20, T21). */
const ENDINGS: Row[] = [
  ['T17', 'an issue deleted', issuesEvent('deleted', null), STRANGE, `ignored ${NO_TRIGGER} issue_closed`],
  ['T17', 'an issue transferred', issuesEvent('transferred', null), STRANGE, `ignored ${NO_TRIGGER} issue_closed`],
  ['T17', 'an issue locked', issuesEvent('locked', null), BOUND, `ignored ${NO_TRIGGER}`],
  ['T21', 'a repository archived', repository('archived'), CONCERNED, 'accepted repository_archived repository_gone'],
  ['T21', 'a repository deleted', repository('deleted'), CONCERNED, 'accepted repository_deleted repository_gone'],
  [
    'T21',
    'a repository archived where no issue is open',
    repository('archived'),
    withOpen(0),
    'ignored no_open_issue_concerned',
  ],
  [
    'T21',
    'a repository archived that is not bound',
    repository('archived'),
    UNBOUND,
    'ignored no_open_issue_concerned',
  ],
  ['T21', 'a repository unarchived', repository('unarchived'), CONCERNED, 'accepted recorded'],
  ['T20', 'a repository renamed', repository('renamed'), CONCERNED, 'accepted recorded'],
  ['T20', 'a repository transferred', repository('transferred'), CONCERNED, 'accepted recorded'],
  ['T21', 'the app removed', installation('deleted'), CONCERNED, 'accepted app_removed repository_gone'],
  ['T21', 'the app suspended', installation('suspend', null), CONCERNED, 'accepted app_suspended repository_gone'],
  [
    'T21',
    'the app taken out of a repository',
    installedIn('removed'),
    CONCERNED,
    'accepted app_removed repository_gone',
  ],
  [
    'T21',
    'the app removed where no issue is open',
    installation('deleted'),
    withOpen(0),
    'ignored no_open_issue_concerned',
  ],
  ['T21', 'the app installed', installation('created'), CONCERNED, 'accepted recorded'],
  ['T21', 'the app resumed', installation('unsuspend'), CONCERNED, 'accepted recorded'],
  ['T21', 'the app let into a repository', installedIn('added'), CONCERNED, 'accepted recorded'],
];

function judged(event: WebhookEvent, context: TriggerContext): string {
  const { status, reason, fact } = evaluate(event, context, IDENTITY);
  return [status, reason, ...(fact ? [fact.kind] : [])].join(' ');
}

describe('what a webhook means by itself', () => {
  test.each(TABLE)('2.2 row %s: %s', (_row, _what, event, context, outcome) => {
    expect(judged(event, context)).toBe(outcome);
  });

  test.each(LATER)('2.3 %s: %s', (_row, _what, event, context, outcome) => {
    expect(judged(event, context)).toBe(outcome);
  });

  test.each(ANSWERS)('%s: %s', (_row, _what, event, context, outcome) => {
    expect(judged(event, context)).toBe(outcome);
  });

  test.each(ENDINGS)('%s: %s', (_row, _what, event, context, outcome) => {
    expect(judged(event, context)).toBe(outcome);
  });

  test.each(['deleted', 'transferred'])('T17: the fact of an issue that was %s says so', (gone) => {
    expect(evaluate(issuesEvent(gone, null), BOUND, IDENTITY).fact).toMatchObject({ kind: 'issue_closed', gone });
  });

  test.each<[string, WebhookEvent, object]>([
    ['archived', repository('archived'), { reason: 'archived', repositories: [REPOSITORY.id], owner: null }],
    ['in which the app was removed', installation('deleted'), { repositories: [REPOSITORY.id], owner: null }],
    ['out of which the app was taken', installedIn('removed'), { repositories: [REPOSITORY.id], owner: null }],
    ['of an owner, where GitHub names none', installation('suspend', null), { repositories: [], owner: 'acme' }],
  ])('T21: repositories %s', (_what, event, gone) => {
    expect(goneRepositories(event)).toMatchObject(gone);
  });

  test.each(STAGES.map(({ stage }) => stage))('2.2 row 1: the label of the stage %s asks for its work', (stage) => {
    expect(evaluate(labeled(`run:${stage}`), BOUND, IDENTITY)).toMatchObject({
      status: 'accepted',
      fact: { kind: 'trigger_label_added', target: { stage, kind: 'work' } },
    });
  });

  test.each(STAGES.filter(({ revisable }) => revisable).map(({ stage }) => stage))(
    '2.3 late stages: the revise label of the stage %s asks for its revise',
    (stage) => {
      expect(evaluate(labeled(`run:${stage}:revise`), BOUND, IDENTITY)).toMatchObject({
        status: 'accepted',
        fact: { kind: 'trigger_label_added', target: { stage, kind: 'revise' } },
      });
    },
  );

  test.each(['rethink', 'ai-repair'])('2.5: there is no revise of %s', (stage) => {
    expect(judged(labeled(`run:${stage}:revise`), BOUND)).toBe(`ignored ${NO_TRIGGER}`);
  });

  test('2.3 reviewer: need:reviewer asks for a review of that pull request', () => {
    expect(evaluate(labelOnPullRequest('need:reviewer'), BOUND, IDENTITY).fact).toMatchObject({
      target: { stage: 'dev', kind: 'review' },
      pullRequest: 8,
    });
  });

  test.each<[string, WebhookEvent]>([
    ['run:dev', from({ ...OLIVIA, login: 'codex' }, labeled('run:dev'))],
    ['mode:discussion', from({ ...OLIVIA, login: 'codex' }, labeled('mode:discussion'))],
    ['need:reviewer', from({ ...OLIVIA, login: 'codex' }, labelOnPullRequest('need:reviewer'))],
    [
      'changes in a review',
      from({ ...OLIVIA, login: 'codex' }, reviewEvent('changes_requested', { labels: ['run:dev'] })),
    ],
    ['an answer in a comment', from({ ...OLIVIA, login: 'codex' }, commentOn(['mode:discussion']))],
  ])('an agent that asks for %s under its own login starts nothing by itself', (_what, event) => {
    const { fact } = evaluate(event, BOUND, { ...IDENTITY, agentLogin: 'codex' });
    expect(['trigger_label_added', 'changes_requested', 'comment_added']).not.toContain(fact?.kind);
  });

  test('an agent that answers a question under its own login answers nothing', () => {
    const event = from({ ...OLIVIA, login: 'codex' }, commentOn([]));
    const answered = evaluate(event, asking(BOUND), { ...IDENTITY, agentLogin: 'codex' });
    expect(answered).toEqual({ status: 'ignored', reason: 'comment_by_agent', fact: null });
  });
});

const AT = IDENTITY.receivedAt;
const BY: Account = { id: OLIVIA.id, login: OLIVIA.login };
const PULL_REQUEST = { number: 8, url: 'https://github.com/acme/demo/pull/8' };

/** An issue with a past, and what GitHub shows of it when it is asked before the launch. */
interface Past extends Partial<IssueState> {
  /** On the issue, the label in question included. */
  readonly labels?: readonly string[];
  /** Whether GitHub shows the issue open. */
  readonly open?: boolean;
  readonly candidates?: GitHubIssueState['candidates'];
  /** The event by which the label stands is taken up already. */
  readonly taken?: boolean;
  /** Somebody took the label off again. */
  readonly takenBack?: boolean;
  /** Who put the label on may not start runs any more, for this reason. */
  readonly refused?: string;
  /** What the edge refused the label for. */
  readonly refusedAtTheEdge?: string;
}

function issueWith(more: Partial<IssueState>): IssueState {
  return { ...newIssueState(ISSUE, 'Count words', 'https://github.com/acme/demo/issues/7', AT), ...more };
}

/** What a click on the label of `target` comes to: the run that is planned, or the reason why there is none. */
function clicked(target: TriggerTarget, past: Past = {}): string {
  const { labels, open = true, candidates, taken, takenBack, refused, refusedAtTheEdge, ...state } = past;
  const label = triggerLabel(target);
  const common = { delivery: 'd', by: BY, at: AT, label, ...(target.kind === 'review' ? { pullRequest: 8 } : {}) };
  const fact: LabelFact = refusedAtTheEdge
    ? { ...common, kind: 'trigger_refused', reason: refusedAtTheEdge, labels: [] }
    : { ...common, kind: 'trigger_label_added', target, runId: 'run-1' };
  const github: GitHubIssueState = {
    open,
    title: 'Count words',
    labels: labels ?? (takenBack ? [] : [label]),
    ...(candidates ? { candidates } : {}),
    ...(refused ? { refused: { [BY.id]: refused } } : {}),
    labeled: [{ id: 100, account: BY.id, at: AT, clearedByPlatform: false, takenOffBy: takenBack ? BY : null }],
  };
  const { planned, dropped } = decideTriggers(taken ? { [BY.id]: 100 } : {}, [fact], github, issueWith(state));
  return outcomeOf(planned[0]) ?? dropped[0]?.reason ?? 'nothing';
}

function outcomeOf(planned: PlannedRun | undefined): string | undefined {
  return planned && `runs ${planned.target.kind} of ${planned.target.stage} for ${renderTrigger(planned.trigger)}`;
}

/** Changes are requested on a pull request with these labels: the revise and where its stage was read, or why there is none. */
function reviewed(onPullRequest: readonly string[], past: Past & { readonly outdated?: true } = {}): string {
  const { labels, outdated, ...state } = past;
  const decision = decideRevise(
    issueWith(state),
    {
      kind: 'changes_requested',
      delivery: 'd',
      by: BY,
      at: AT,
      pullRequest: PULL_REQUEST.number,
      pullRequestUrl: PULL_REQUEST.url,
      branch: 'codex/issue-7',
      review: 99,
      labels: onPullRequest,
      runId: 'run-1',
      ...(outdated ? { outdated } : {}),
    },
    labels ?? [],
  );
  if ('reason' in decision) return decision.reason;
  return `${outcomeOf(decision.planned)} by ${decision.source}`;
}

/** Whether a run that waited may begin when its turn has come. */
function begins(target: TriggerTarget, past: Past): string {
  const { labels = [], candidates, ...state } = past;
  return gateOf(target, { labels, ...(candidates ? { candidates } : {}) }, issueWith(state))?.reason ?? 'begins';
}

function doneStages(...stages: readonly Stage[]): DoneStages {
  return Object.fromEntries(
    stages.map((stage, index) => [
      stage,
      {
        runId: `run-${index}`,
        pullRequest: PULL_REQUEST.number,
        at: new Date(Date.UTC(2026, 0, 1, index)).toISOString(),
      },
    ]),
  );
}

const run = (target: TriggerTarget, more: Partial<PlannedRun> = {}): PlannedRun => ({
  runId: 'run-0',
  target,
  trigger: { kind: 'label', event: 50 },
  label: triggerLabel(target),
  by: BY,
  delivery: 'd0',
  requestedAt: AT,
  revision: 0,
  ...more,
});

const DEV: TriggerTarget = { stage: 'dev', kind: 'work' };
const TALK: TriggerTarget = { stage: 'intake', kind: 'discussion' };
const REVIEW: TriggerTarget = { stage: 'dev', kind: 'review' };
const work = (stage: Stage): TriggerTarget => ({ stage, kind: 'work' });
const OPEN = { open: true, merged: false };
const MERGED = { open: false, merged: true };
const NONE = { open: false, merged: false };
const LAST = { runId: 'run-0', stage: 'dev' as const, threadId: 't' };
const LATE = doneStages('dev', 'qa', 'release', 'postdeploy');

type PastRow = [row: string, what: string, outcome: string, expected: string];

/** The rows of 2.2 and 2.3 that depend on the issue's past, and on what GitHub shows by then. */
const WITH_A_PAST: PastRow[] = [
  ['1', 'a click on run:dev, the only trigger label', clicked(DEV), 'runs work of dev for label:100'],
  ['1', 'a click on run:dev:revise', clicked({ stage: 'dev', kind: 'revise' }), 'runs revise of dev for label:100'],
  [
    '1',
    'a click while another run works, which is queued',
    clicked(DEV, { active: run(DEV) }),
    'runs work of dev for label:100',
  ],
  ['2', 'the same click under a second delivery', clicked(DEV, { taken: true }), 'trigger_already_taken'],
  [
    '3',
    'a click whose label is joined by a second one before the launch',
    clicked(DEV, { labels: ['run:dev', 'Run:QA'] }),
    'issue_trigger_label_conflict',
  ],
  [
    '3',
    'a click that the edge refused as one of two',
    clicked(DEV, { refusedAtTheEdge: 'issue_trigger_label_conflict' }),
    'issue_trigger_label_conflict',
  ],
  [
    '3',
    'a click beside run:debug and labels of states, needs and models',
    clicked(DEV, { labels: ['run:dev', 'run:debug', 'state:approved', 'need:qa', '[ai-model-gpt-5.2]'] }),
    'runs work of dev for label:100',
  ],
  [
    '7',
    'a click by somebody who has left the project since',
    clicked(DEV, { refused: 'sender_not_project_member' }),
    'sender_not_project_member',
  ],
  [
    '8',
    'a click by somebody who may only read by now',
    clicked(DEV, { refused: 'sender_role_read_not_permitted' }),
    'sender_role_read_not_permitted',
  ],
  ['12', 'a click that was taken back before the launch', clicked(DEV, { takenBack: true }), 'label_absent'],
  ['13', 'a click on an issue that was closed before the launch', clicked(DEV, { open: false }), 'issue_closed'],
  [
    '15',
    'changes requested on a pull request with run:dev',
    reviewed(['run:dev']),
    'runs revise of dev for review:99 by pr_labels',
  ],
  [
    '15',
    'changes requested twice in the same review',
    reviewed(['run:dev'], { takenReviews: [99] }),
    'trigger_already_taken',
  ],
  ['15', 'changes requested on an issue that is closed', reviewed(['run:dev'], { closed: true }), 'issue_closed'],
  [
    '15',
    'changes requested on a commit that was pushed over',
    reviewed(['run:dev'], { outdated: true }),
    'review_outdated',
  ],
  [
    '16',
    'changes requested without a label of a stage, of an issue nobody knows',
    reviewed(['bug']),
    'pull_request_review_stage_not_resolved',
  ],
  [
    '17',
    'changes requested under two stages',
    reviewed(['run:dev', 'run:qa:revise']),
    'pull_request_review_stage_ambiguous',
  ],
  [
    '18',
    'changes requested under run:dev and run:dev:revise, which are one stage',
    reviewed(['run:dev', 'run:dev:revise']),
    'runs revise of dev for review:99 by pr_labels',
  ],
  [
    '19',
    'changes requested under run:qa only, which 2.3 has a revise for',
    reviewed(['run:qa']),
    'runs revise of qa for review:99 by pr_labels',
  ],
  [
    '19',
    'changes requested under run:rethink only, which has no revise',
    reviewed(['run:rethink']),
    'pull_request_review_stage_not_resolved',
  ],
  [
    'review',
    'the label of the pull request comes before that of the issue',
    reviewed(['run:dev'], { labels: ['run:plan'], last: { ...LAST, stage: 'intake' } }),
    'runs revise of dev for review:99 by pr_labels',
  ],
  [
    'review',
    'then the label of the issue',
    reviewed([], { labels: ['run:plan:revise'], last: LAST }),
    'runs revise of plan for review:99 by issue_labels',
  ],
  [
    'review',
    'then the last run on that pull request',
    reviewed([], { last: LAST, pullRequest: PULL_REQUEST, done: doneStages('intake', 'dev') }),
    'runs revise of dev for review:99 by last_run_context',
  ],
  [
    'review',
    'changes requested on an earlier pull request, when the issue has gone on to another',
    reviewed(['run:dev'], { pullRequest: { number: 9, url: '' }, done: doneStages('dev') }),
    'pull_request_not_current',
  ],
  [
    'review',
    'then what the issue has done last',
    reviewed([], { pullRequest: PULL_REQUEST, done: doneStages('intake', 'vision') }),
    'runs revise of vision for review:99 by issue_history',
  ],
  [
    'review',
    'two stages on the issue are no answer',
    reviewed([], { labels: ['run:dev', 'run:qa'], last: LAST }),
    'pull_request_review_stage_ambiguous',
  ],
  [
    'review',
    'changes requested on a blocked issue',
    reviewed(['run:dev'], { labels: ['state:blocked'] }),
    'state_blocked',
  ],
  [
    'review',
    'changes requested while a person is asked',
    reviewed(['run:dev'], { labels: ['need:input'] }),
    'needs_input',
  ],
  [
    'review',
    'changes requested in answer to what the platform asked',
    reviewed(['run:dev'], { labels: ['need:input'], asked: 'pull_request_review_stage_ambiguous' }),
    'runs revise of dev for review:99 by pr_labels',
  ],
  [
    'reviewer',
    'a click on need:reviewer of a pull request',
    clicked(REVIEW, { pullRequest: PULL_REQUEST }),
    'runs review of dev for label:100',
  ],
  [
    'reviewer',
    'a click on need:reviewer beside trigger labels on the pull request',
    clicked(REVIEW, { pullRequest: PULL_REQUEST, labels: ['run:dev', 'run:qa', 'need:reviewer'] }),
    'runs review of dev for label:100',
  ],
  [
    'reviewer',
    'a click on need:reviewer of an earlier pull request, when the issue has gone on to another',
    clicked(REVIEW, { pullRequest: { number: 9, url: '' } }),
    'pull_request_not_current',
  ],
  ['reviewer', 'a click on need:reviewer that was taken back', clicked(REVIEW, { takenBack: true }), 'label_absent'],
  [
    'discussion',
    'a click on mode:discussion while nobody works',
    clicked(TALK),
    'runs discussion of intake for label:100',
  ],
  [
    'discussion',
    'a click on mode:discussion while work is under way',
    clicked(TALK, { active: run(DEV) }),
    'discussion_mode_trigger_label_conflict',
  ],
  [
    'discussion',
    'a click on mode:discussion while work waits behind a turn',
    clicked(TALK, { active: run(TALK), queue: [run(DEV)] }),
    'discussion_mode_trigger_label_conflict',
  ],
  [
    'discussion',
    'a click on mode:discussion while a turn of it is left',
    clicked(TALK, { active: run(TALK) }),
    'runs discussion of intake for label:100',
  ],
  [
    'discussion',
    'a click on mode:discussion that the edge refused beside a trigger label',
    clicked(TALK, { refusedAtTheEdge: 'discussion_mode_trigger_label_conflict' }),
    'discussion_mode_trigger_label_conflict',
  ],
  [
    'discussion',
    'a click on run:dev while people talk',
    clicked(DEV, { labels: ['run:dev', 'mode:discussion'], active: run(TALK) }),
    'runs work of dev for label:100',
  ],
  [
    'candidate',
    'run:qa after dev, with its pull request open',
    clicked(work('qa'), { done: doneStages('dev'), candidates: OPEN }),
    'runs work of qa for label:100',
  ],
  [
    'candidate',
    'run:qa after dev, without an open pull request',
    clicked(work('qa'), { done: doneStages('dev'), candidates: NONE }),
    'issue_trigger_candidate_not_found',
  ],
  [
    'candidate',
    'run:qa:revise without an open pull request',
    clicked({ stage: 'qa', kind: 'revise' }, { done: doneStages('dev', 'qa'), candidates: MERGED }),
    'issue_trigger_candidate_not_found',
  ],
  [
    'candidate',
    'run:release after qa, with the pull request merged already',
    clicked(work('release'), { done: doneStages('dev', 'qa'), candidates: MERGED }),
    'issue_trigger_candidate_not_found',
  ],
  [
    'candidate',
    'run:release:revise without an open pull request',
    clicked({ stage: 'release', kind: 'revise' }, { done: LATE, candidates: NONE }),
    'issue_trigger_candidate_not_found',
  ],
  [
    'production',
    'run:postdeploy after release, with the work merged',
    clicked(work('postdeploy'), { done: LATE, candidates: MERGED }),
    'runs work of postdeploy for label:100',
  ],
  [
    'production',
    'run:postdeploy while the work is only open',
    clicked(work('postdeploy'), { done: LATE, candidates: OPEN }),
    'issue_trigger_candidate_not_found',
  ],
  [
    'production',
    'run:ops after postdeploy, with the work merged',
    clicked(work('ops'), { done: LATE, candidates: MERGED }),
    'runs work of ops for label:100',
  ],
  ['repair', 'run:ai-repair on any issue', clicked(work('ai-repair')), 'runs work of ai-repair for label:100'],
  ['gate', 'run:dev on a blocked issue', clicked(DEV, { labels: ['run:dev', 'state:blocked'] }), 'state_blocked'],
  ['gate', 'run:dev while a person is asked', clicked(DEV, { labels: ['run:dev', 'need:input'] }), 'needs_input'],
  [
    'gate',
    'run:dev in answer to what the platform asked',
    clicked(DEV, { labels: ['run:dev', 'need:input'], asked: 'issue_trigger_label_conflict' }),
    'runs work of dev for label:100',
  ],
  ['gate', 'run:vision on a fresh issue', clicked(work('vision')), 'stage_entry_not_met'],
  [
    'gate',
    'run:vision in a feature',
    clicked(work('vision'), { labels: ['run:vision', 'profile:feature'], done: doneStages('intake') }),
    'stage_not_in_profile',
  ],
  [
    'gate',
    'run:dev under two profiles',
    clicked(DEV, { labels: ['run:dev', 'profile:feature', 'profile:quick-fix'] }),
    'profile_label_conflict',
  ],
  [
    'gate',
    'a run that waited, on an issue that was blocked meanwhile',
    begins(DEV, { labels: ['run:dev', 'state:blocked'] }),
    'state_blocked',
  ],
  ['gate', 'a run that waited, whose stage may begin', begins(DEV, { labels: ['run:dev'] }), 'begins'],
  [
    'gate',
    'run:qa that waited until its pull request was closed',
    begins(work('qa'), { labels: ['run:qa'], done: doneStages('dev'), candidates: NONE }),
    'issue_trigger_candidate_not_found',
  ],
];

describe('what its fact means for an issue with a past', () => {
  test.each(WITH_A_PAST)('row %s: %s', (_row, _what, outcome, expected) => {
    expect(outcome).toBe(expected);
  });

  test('2.2 row 2: the same delivery again is learned once', () => {
    const state = issueWith({});
    const fact: Fact = { kind: 'issue_closed', delivery: 'd', by: BY, at: AT };
    receive(state, [{ seq: 1, fact }]);
    receive(state, [{ seq: 1, fact }]);
    expect(state.unread).toHaveLength(1);
  });

  test.each(STAGES.filter(({ revisable }) => revisable).map(({ stage }) => stage))(
    '2.2 row 15, 2.3 late stages: changes requested under run:%s are worked in by that stage',
    (stage) => {
      expect(reviewed([`run:${stage}`])).toBe(`runs revise of ${stage} for review:99 by pr_labels`);
    },
  );

  test('2.2 row 17: the labels to choose from are the revises of the stages that stand against each other', () => {
    const decision = decideRevise(
      issueWith({}),
      {
        kind: 'changes_requested',
        delivery: 'd',
        by: BY,
        at: AT,
        pullRequest: 8,
        pullRequestUrl: PULL_REQUEST.url,
        branch: 'codex/issue-7',
        review: 99,
        labels: ['run:dev', 'run:qa', 'run:rethink'],
        runId: 'run-1',
      },
      [],
    );
    expect(decision).toMatchObject({ labels: ['run:dev:revise', 'run:qa:revise'] });
  });

  test.each<[string, TriggerTarget]>([
    ['run:qa', work('qa')],
    ['run:release', work('release')],
  ])('2.3 candidate: of %s run:dev and run:dev:revise are proposed instead', (label, target) => {
    const done = doneStages('dev', 'qa');
    expect(gateOf(target, { labels: [label], candidates: NONE }, { done, asked: null })?.labels).toEqual([
      'run:dev',
      'run:dev:revise',
    ]);
  });

  test.each<[string, PlannedRun, string, boolean]>([
    ['2.2 row 12: run:dev taken off ends the run that it asked for', run(DEV), 'run:dev', true],
    ['2.2 row 12: run:dev:revise taken off does not end the run of run:dev', run(DEV), 'run:dev:revise', false],
    [
      '2.2 row 12: run:dev taken off does not end what a review asked for',
      run({ stage: 'dev', kind: 'revise' }, { label: null }),
      'run:dev:revise',
      false,
    ],
    ['2.3 reviewer: need:reviewer taken off ends the review', run(REVIEW), 'need:reviewer', true],
    ['2.3 discussion: mode:discussion taken off ends the turn that it asked for', run(TALK), 'mode:discussion', true],
  ])('%s', (_what, planned, label, ends) => {
    expect(isCanceledByRemoval(planned, label)).toBe(ends);
  });

  test.each<[string, boolean]>([
    ['issue_trigger_label_conflict', true],
    ['pull_request_review_stage_not_resolved', true],
    ['pull_request_review_stage_ambiguous', true],
    ['issue_trigger_candidate_not_found', true],
    ['discussion_mode_trigger_label_conflict', false],
    ['sender_not_project_member', false],
  ])('2.4: whether %s leaves a question to a person: %s', (reason, asks) => {
    expect(ASKING.has(reason)).toBe(asks);
  });

  test.each(STAGES.map(({ stage }) => stage))('2.2 row 27: the stage %s has a role that may work', (stage) => {
    expect(RUN_LIMITS.roles[roleOf(work(stage))]).toBeGreaterThanOrEqual(1);
  });

  test.each<[string, string[], string[]]>([
    ['two models', ['[ai-model-gpt-5.2]', '[ai-model-gpt-5.4]'], []],
    ['two reasoning efforts', ['[ai-reasoning-low]', '[ai-reasoning-high]'], []],
    ['two models on the pull request', [], ['[ai-model-gpt-5.2]', '[ai-model-gpt-5.4]']],
  ])(
    '2.2 row 28: %s by the launch are a conflict, and the run cannot be carried out',
    (_what, onIssue, onPullRequest) => {
      const asked = {
        issueLabels: onIssue,
        pullRequestLabels: onPullRequest,
        last: null,
        project: { model: null, reasoningEffort: null },
        platform: { model: 'gpt-5.5', reasoningEffort: 'high' as const },
      };
      expect(selectModel(asked)).toEqual({ conflict: [...onIssue, ...onPullRequest] });
    },
  );
});

/** The codes of 2.4 that this build does not use, each with the reason. */
const NOT_USED: Readonly<Record<string, string>> = {
  users_repository_unavailable: 'a store that is away is answered 503, and GitHub is asked to send the delivery again',
  project_membership_repository_unavailable: 'as above',
  push_main_versions_autobumped: 'no versions are bumped',
  pull_request_review_missing_stage_label: 'replaced by pull_request_review_stage_not_resolved',
  pull_request_review_stage_label_conflict: 'replaced by pull_request_review_stage_ambiguous',
};

/** The codes of 2.4 that it uses; `<…>` stands for one of its values. */
const USED = [
  'issue_event_not_trigger_label',
  'issue_trigger_label_conflict',
  'repository_not_bound_for_issue_label',
  'repository_not_bound_for_push_main',
  'sender_login_missing',
  'sender_not_allowed',
  'sender_not_project_member',
  'sender_role_not_permitted',
  'sender_role_read_not_permitted',
  'sender_type_bot_not_permitted',
  'pull_request_review_stage_not_resolved',
  'pull_request_review_stage_ambiguous',
  'issue_trigger_candidate_not_found',
  'discussion_mode_trigger_label_conflict',
];

/** What this build refuses for reasons that 2.4 does not know. */
const OWN = new Set([
  'no_open_issue_concerned',
  'trigger_by_agent',
  'pull_request_not_current',
  'trigger_already_taken',
  'label_absent',
  'issue_closed',
  'review_outdated',
  'state_blocked',
  'needs_input',
  'profile_label_conflict',
  'stage_not_in_profile',
  'stage_entry_not_met',
]);

describe('2.4: the codes of what is ignored', () => {
  const ignored = [...TABLE, ...LATER, ...ANSWERS, ...ENDINGS].flatMap(([, , event, context]) => {
    const { status, reason } = evaluate(event, context, IDENTITY);
    return status === 'ignored' ? [reason] : [];
  });
  const refused = WITH_A_PAST.map(([, , outcome]) => outcome).filter((outcome) => !/^runs |^begins$/.test(outcome));
  const reached = new Set([...ignored, ...refused]);

  test.each(USED)('%s is reached by a row', (code) => {
    expect(reached).toContain(code);
  });

  test.each(Object.entries(NOT_USED))('%s is reached by none: %s', (code) => {
    expect(reached).not.toContain(code);
  });

  test('no row is ignored for a reason that is neither in 2.4 nor of this build', () => {
    expect([...reached].filter((code) => !USED.includes(code) && !OWN.has(code))).toEqual([]);
  });
});
