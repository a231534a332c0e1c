import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Fact } from '../../src/domain/facts.ts';
import type { Sender, Standing } from '../../src/domain/senders.ts';
import { STAGES } from '../../src/domain/stages.ts';
import { judge, type Knowledge } from '../../src/domain/triggers.ts';
import type { WebhookEvent } from '../../src/domain/webhooks.ts';
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

const BOUND = knowing(MEMBER, true);
const UNBOUND = knowing(MEMBER, false);
const KNOWN: Standing = { platformRole: null, projectRole: null, known: true };
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
  knowledge: Knowledge,
  /** Status, reason, and the kind of the fact that the workflow is told, if any. */
  outcome: string,
];

function from<Event extends WebhookEvent>(sender: Sender | null, event: Event): Event {
  return { ...event, sender };
}

/** Changes requested in a review of a commit, on a pull request with this head. */
function reviewOf(commit: string | null, headSha: string | null): WebhookEvent {
  const event = reviewEvent('changes_requested', { headSha, labels: ['run:dev'] });
  return { ...event, review: { ...event.review, commit } };
}

/** The rows of requirements.md 2.2 that are in force, in their order. */
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
  ...['opened', 'edited', 'assigned', 'pinned', 'milestoned', 'typed', ''].map((action): Row => [
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

describe('the decision table', () => {
  test.each(TABLE)('row %s: %s', (_row, _what, event, knowledge, outcome) => {
    const { status, reason, fact } = judge(event, knowledge, IDENTITY);
    expect([status, reason, ...(fact ? [fact.kind] : [])].join(' ')).toBe(outcome);
  });

  test.each(STAGES.filter(({ launchable }) => !launchable).map(({ stage }) => stage))(
    'a label of the stage %s is ignored until that stage can be launched, and a member is told why',
    (stage) => {
      expect(judge(labeled(`run:${stage}`), BOUND, IDENTITY)).toMatchObject({
        status: 'ignored',
        reason: 'stage_not_launchable',
        fact: { kind: 'trigger_refused', reason: 'stage_not_launchable' },
      });
    },
  );

  test('a stranger is not told that a stage cannot be launched', () => {
    expect(judge(labeled('run:qa'), knowing(STRANGER, true), IDENTITY)).toEqual({
      status: 'ignored',
      reason: 'sender_not_allowed',
      fact: null,
    });
  });
});

describe('the fact for the workflow', () => {
  const common = { delivery: IDENTITY.delivery, at: IDENTITY.receivedAt, by: { id: 11, login: 'olivia' } };

  test.each<[string, WebhookEvent, Fact]>([
    [
      'of a trigger label names the normalized label, its target and the run',
      labeled('RUN:Dev'),
      {
        ...common,
        kind: 'trigger_label_added',
        label: 'run:dev',
        target: { stage: 'dev', kind: 'work' },
        runId: IDENTITY.runId,
      },
    ],
    [
      'of a conflict lists the labels that stand against each other and no others',
      labeled('run:dev', ['bug', 'run:dev', 'Run:QA', 'run:debug']),
      {
        ...common,
        kind: 'trigger_refused',
        label: 'run:dev',
        reason: 'issue_trigger_label_conflict',
        labels: ['run:dev', 'run:qa'],
      },
    ],
    [
      'of a label taken off names the normalized label',
      issuesEvent('unlabeled', 'RUN:Dev'),
      { ...common, kind: 'trigger_label_removed', label: 'run:dev' },
    ],
    [
      'of a review names the review and the trigger labels of the pull request',
      reviewEvent('changes_requested', { labels: ['run:dev', 'bug'] }),
      {
        ...common,
        kind: 'changes_requested',
        pullRequest: 8,
        pullRequestUrl: 'https://github.com/acme/demo/pull/8',
        review: 99,
        labels: ['run:dev'],
        runId: IDENTITY.runId,
      },
    ],
    [
      'T19: of a review on an old commit says so',
      reviewOf('the first', 'the second'),
      expect.objectContaining({ kind: 'changes_requested', outdated: true }),
    ],
    [
      'of a pull request says whether it was merged',
      pullRequestEvent('closed', { merged: true }),
      { ...common, kind: 'pull_request_closed', pullRequest: 8, merged: true },
    ],
    ['of a closed issue names who closed it', issuesEvent('closed', null), { ...common, kind: 'issue_closed' }],
  ])('%s', (_what, event, fact) => {
    expect(judge(event, BOUND, IDENTITY).fact).toEqual(fact);
  });
});

describe('T19: a review', () => {
  test.each([
    ['of the head', reviewOf('the head', 'the head')],
    ['whose commit is not named', reviewOf(null, 'the head')],
    ['of a pull request whose head is not named', reviewOf('the head', null)],
  ])('T19: %s is not outdated', (_what, event) => {
    expect(judge(event, BOUND, IDENTITY).fact).not.toHaveProperty('outdated');
  });
});

describe('T34: a fact', () => {
  const long = 'x'.repeat(1_000_000);
  const everybody = { ...OLIVIA, login: long };

  test.each([
    ['a label that is put on', from(everybody, labeled('run:dev'))],
    ['a label that is refused', from(everybody, labeled('run:dev', ['run:dev', 'run:qa', long]))],
    ['a label that is taken off', from(everybody, issuesEvent('unlabeled', 'run:dev'))],
    ['a review', from(everybody, reviewEvent('changes_requested', { url: long, labels: ['run:dev', long] }))],
    ['a pull request that is closed', from(everybody, pullRequestEvent('closed', { url: long }))],
    ['an issue that is closed', from(everybody, issuesEvent('closed', null))],
  ])('T34: of %s is small, however large its delivery', (_what, event) => {
    const { fact } = judge(event, BOUND, IDENTITY);
    expect(fact).not.toBeNull();
    expect(JSON.stringify(fact).length).toBeLessThan(2000);
  });
});

describe('whatever is delivered', () => {
  const someLabel = fc.oneof(
    fc.constantFrom('run:dev', 'RUN:DEV', 'run:qa', 'run:dev:revise', 'run:debug', 'bug'),
    fc.string(),
  );
  const sender = fc.option(
    fc.record({
      id: fc.nat(),
      login: fc.constantFrom('', 'olivia'),
      type: fc.constantFrom('User', 'Bot', 'Organization', ''),
    }),
  );
  const anEvent: fc.Arbitrary<WebhookEvent> = fc.oneof(
    fc
      .tuple(
        fc.constantFrom('labeled', 'unlabeled', 'closed', 'reopened', 'opened'),
        fc.option(someLabel),
        fc.array(someLabel),
        sender,
      )
      .map(([action, label, labels, by]): WebhookEvent => {
        const event = from(by, issuesEvent(action, label));
        return { ...event, issue: { ...event.issue, labels } };
      }),
    fc
      .tuple(
        fc.constantFrom('submitted', 'edited'),
        fc.constantFrom('changes_requested', 'approved'),
        fc.array(someLabel),
        sender,
      )
      .map(([action, state, labels, by]) => from(by, reviewEvent(state, { labels }, action))),
    fc
      .tuple(fc.constantFrom('closed', 'labeled'), fc.constantFrom('codex/issue-7', 'fix'), sender)
      .map(([action, headRef, by]) => from(by, pullRequestEvent(action, { headRef }))),
    fc.tuple(fc.string(), fc.boolean()).map(([ref, deleted]) => pushEvent(ref, deleted)),
  );
  const standing: fc.Arbitrary<Standing> = fc.record({
    platformRole: fc.constantFrom('platform_owner' as const, null),
    projectRole: fc.constantFrom('admin', 'read_write', 'read', '', null),
    known: fc.boolean(),
  });

  test('nothing is told to a workflow where nothing is bound', () => {
    fc.assert(
      fc.property(anEvent, standing, (event, who) => {
        expect(judge(event, knowing(who, false), IDENTITY).fact).toBeNull();
      }),
    );
  });

  test('strangers and bots start no run, end none, and never make the platform speak', () => {
    fc.assert(
      fc.property(anEvent, (event) => {
        const silent = ['trigger_label_added', 'trigger_label_removed', 'trigger_refused', 'changes_requested'];
        const bot = from({ ...OLIVIA, type: 'Bot' }, event);
        expect(silent).not.toContain(judge(event, knowing(STRANGER, true), IDENTITY).fact?.kind);
        expect(silent).not.toContain(judge(bot, BOUND, IDENTITY).fact?.kind);
      }),
    );
  });

  test('only what is accepted asks for a run', () => {
    fc.assert(
      fc.property(anEvent, standing, fc.boolean(), (event, who, bound) => {
        const { status, fact } = judge(event, knowing(who, bound), IDENTITY);
        const asks = fact?.kind === 'trigger_label_added' || fact?.kind === 'changes_requested';
        expect(asks && status === 'ignored').toBe(false);
      }),
    );
  });
});
