import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Fact } from '../../../src/domain/issue/facts.ts';
import type { Sender, Membership } from '../../../src/domain/triggers/senders.ts';
import { evaluate } from '../../../src/domain/triggers/triggers.ts';
import type { WebhookEvent } from '../../../src/domain/triggers/webhooks.ts';
import {
  IDENTITY,
  issuesEvent,
  knowing,
  labeled,
  MEMBER,
  OLIVIA,
  pullRequestEvent,
  pushEvent,
  reviewEvent,
  STRANGER,
} from '../events.ts';

const BOUND = knowing(MEMBER, true);

function from<Event extends WebhookEvent>(sender: Sender | null, event: Event): Event {
  return { ...event, sender };
}

/** Changes requested in a review of a commit, on a pull request with this head. */
function reviewOf(commit: string | null, headSha: string | null): WebhookEvent {
  const event = reviewEvent('changes_requested', { headSha, labels: ['run:dev'] });
  return { ...event, review: { ...event.review, commit } };
}

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
        branch: 'codex/issue-7',
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
    expect(evaluate(event, BOUND, IDENTITY).fact).toEqual(fact);
  });
});

describe('T19: a review', () => {
  test.each([
    ['of the head', reviewOf('the head', 'the head')],
    ['whose commit is not named', reviewOf(null, 'the head')],
    ['of a pull request whose head is not named', reviewOf('the head', null)],
  ])('T19: %s is not outdated', (_what, event) => {
    expect(evaluate(event, BOUND, IDENTITY).fact).not.toHaveProperty('outdated');
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
    ['an issue that is deleted', from(everybody, issuesEvent('deleted', null))],
  ])('T34: of %s is small, however large its delivery', (_what, event) => {
    const { fact } = evaluate(event, BOUND, IDENTITY);
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
  const membership: fc.Arbitrary<Membership> = fc.record({
    platformRole: fc.constantFrom('platform_owner' as const, null),
    projectRole: fc.constantFrom('admin', 'read_write', 'read', '', null),
    known: fc.boolean(),
  });

  test('a repository that is not bound yields no fact', () => {
    fc.assert(
      fc.property(anEvent, membership, (event, who) => {
        expect(evaluate(event, knowing(who, false), IDENTITY).fact).toBeNull();
      }),
    );
  });

  test('strangers and bots start no run, end none, and never make the platform speak', () => {
    fc.assert(
      fc.property(anEvent, (event) => {
        const silent = ['trigger_label_added', 'trigger_label_removed', 'trigger_refused', 'changes_requested'];
        const bot = from({ ...OLIVIA, type: 'Bot' }, event);
        expect(silent).not.toContain(evaluate(event, knowing(STRANGER, true), IDENTITY).fact?.kind);
        expect(silent).not.toContain(evaluate(bot, BOUND, IDENTITY).fact?.kind);
      }),
    );
  });

  test('only what is accepted asks for a run', () => {
    fc.assert(
      fc.property(anEvent, membership, fc.boolean(), (event, who, bound) => {
        const { status, fact } = evaluate(event, knowing(who, bound), IDENTITY);
        const asks = fact?.kind === 'trigger_label_added' || fact?.kind === 'changes_requested';
        expect(asks && status === 'ignored').toBe(false);
      }),
    );
  });
});

describe('T16: a label of the repository', () => {
  const about = (action: string, label: string, before: string | null): WebhookEvent => {
    const { repository, sender } = labeled('run:dev');
    return { name: 'label', action, repository, sender, label, before };
  };

  test.each<[string, WebhookEvent, string]>([
    ['that means something and was renamed', about('edited', 'run:development', 'run:dev'), 'label_catalogue_drift'],
    ['that means something and was deleted', about('deleted', 'State:In-Review', null), 'label_catalogue_drift'],
    ['of which only the colour changed', about('edited', 'run:dev', null), 'recorded'],
    ['that means nothing and was renamed', about('edited', 'run:dev', 'bug'), 'recorded'],
    ['that is new', about('created', 'run:dev', null), 'recorded'],
  ])('T16: %s', (_what, event, reason) => {
    expect(evaluate(event, BOUND, IDENTITY)).toEqual({ status: 'accepted', reason, fact: null });
  });
});
