import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readEvent } from '../../../ingress/github-webhook/payloads.ts';
import type { WebhookEvent } from '../../../src/domain/triggers/webhooks.ts';
import { WEBHOOK_EXAMPLES } from '../../support/webhook-examples.ts';

const LOOKED_AT = [
  'issues',
  'issue_comment',
  'label',
  'pull_request',
  'pull_request_review',
  'push',
  'repository',
  'installation',
  'installation_repositories',
];
const KNOWN: ReadonlySet<string> = new Set(LOOKED_AT);

const REPOSITORY = { id: 42, name: 'demo', owner: { login: 'acme' } };
const SENDER = { id: 11, login: 'olivia', type: 'User' };
const LABELED = {
  action: 'labeled',
  repository: REPOSITORY,
  sender: SENDER,
  issue: {
    number: 7,
    title: 'Count words',
    html_url: 'https://github.com/acme/demo/issues/7',
    labels: [{ name: 'run:dev' }],
  },
  label: { name: 'run:dev' },
};
const PULL = {
  number: 8,
  html_url: 'https://github.com/acme/demo/pull/8',
  head: { ref: 'codex/issue-7', repo: { id: 42 } },
  labels: [{ name: 'run:dev' }],
  merged: false,
};

/** The event of a body; fails when the body is refused. */
function read(name: string, body: unknown): WebhookEvent {
  const event = readEvent(name, body);
  if (typeof event === 'string') throw new Error(event);
  return event;
}

test('a comment has the hash of its text, whatever its line ends', () => {
  const { label: _, ...about } = LABELED;
  const comment = (body: string) =>
    read('issue_comment', {
      ...about,
      action: 'created',
      comment: { id: 5, body, created_at: '2026-11-21T10:00:00Z', user: { id: 11 } },
    });
  const sha256 = createHash('sha256').update('One\ntwo').digest('hex');
  expect(comment('One\ntwo')).toMatchObject({ comment: { sha256 } });
  expect(comment('One\r\ntwo\r\n')).toMatchObject({ comment: { sha256 } });
  expect(comment('One\nthree')).not.toMatchObject({ comment: { sha256 } });
});

describe("GitHub's own examples", () => {
  test.each(WEBHOOK_EXAMPLES.map(({ title, event, payload }) => [title, event, payload] as const))(
    '%s is accepted under its own name',
    (_title, event, payload) => {
      const { name, action } = read(event, payload);
      expect(name).toBe(KNOWN.has(event) ? event : 'other');
      expect(action).toBe(payload['action'] ?? '');
    },
  );

  const mismatches = WEBHOOK_EXAMPLES.filter(({ event }) => LOOKED_AT.includes(event)).flatMap(
    ({ title, event, payload }) =>
      LOOKED_AT.filter((name) => name !== event).map((name) => [title, name, payload] as const),
  );

  test.each(mismatches)('%s is refused under the name %s', (_title, name, payload) => {
    expect(readEvent(name, payload)).toBe(`the body is not that of the event ${name}`);
  });

  test('are of every event that the policy looks at', () => {
    expect(LOOKED_AT.filter((name) => !WEBHOOK_EXAMPLES.some(({ event }) => event === name))).toEqual([]);
  });
});

describe('what is read', () => {
  const common = { repository: { id: 42, owner: 'acme', name: 'demo' }, sender: SENDER };
  const pullRequest = {
    number: 8,
    url: 'https://github.com/acme/demo/pull/8',
    headRef: 'codex/issue-7',
    headSha: null,
    headRepositoryId: 42,
    labels: ['run:dev'],
    merged: false,
  };

  test.each<[string, string, unknown, WebhookEvent]>([
    [
      'of a labelled issue',
      'issues',
      LABELED,
      {
        ...common,
        name: 'issues',
        action: 'labeled',
        issue: { number: 7, title: 'Count words', url: 'https://github.com/acme/demo/issues/7', labels: ['run:dev'] },
        label: 'run:dev',
      },
    ],
    [
      'of a pull request',
      'pull_request',
      { action: 'closed', repository: REPOSITORY, sender: SENDER, pull_request: { ...PULL, merged: true } },
      { ...common, name: 'pull_request', action: 'closed', label: null, pullRequest: { ...pullRequest, merged: true } },
    ],
    [
      'of a pull request whose fork is gone',
      'pull_request',
      {
        action: 'closed',
        repository: REPOSITORY,
        sender: SENDER,
        pull_request: { ...PULL, head: { ref: 'codex/issue-7', repo: null } },
      },
      {
        ...common,
        name: 'pull_request',
        action: 'closed',
        label: null,
        pullRequest: { ...pullRequest, headRepositoryId: null },
      },
    ],
    [
      'of a review, whose state GitHub spells in two ways',
      'pull_request_review',
      {
        action: 'submitted',
        repository: REPOSITORY,
        sender: SENDER,
        pull_request: PULL,
        review: { id: 99, state: 'CHANGES_REQUESTED' },
      },
      {
        ...common,
        name: 'pull_request_review',
        action: 'submitted',
        pullRequest,
        review: { id: 99, state: 'changes_requested', commit: null },
      },
    ],
    [
      'of a push',
      'push',
      { ref: 'refs/heads/main', before: '0', after: '1', deleted: false, repository: REPOSITORY, sender: SENDER },
      { ...common, name: 'push', action: '', ref: 'refs/heads/main', deleted: false },
    ],
    [
      'of another event',
      'watch',
      { action: 'started', repository: REPOSITORY, sender: SENDER },
      { ...common, name: 'other', action: 'started' },
    ],
    [
      'of an event without repository and sender',
      'ping',
      { zen: 'Speak like a human.' },
      { name: 'other', action: '', repository: null, sender: null },
    ],
  ])('%s', (_what, name, body, event) => {
    expect(read(name, body)).toEqual(event);
  });

  test('T19: of a review is the commit that was reviewed, and the one at the head', () => {
    const event = read('pull_request_review', {
      action: 'submitted',
      repository: REPOSITORY,
      sender: SENDER,
      pull_request: { ...PULL, head: { ...PULL.head, sha: 'b'.repeat(40) } },
      review: { id: 99, state: 'changes_requested', commit_id: 'a'.repeat(40) },
    });
    expect(event).toMatchObject({ pullRequest: { headSha: 'b'.repeat(40) }, review: { commit: 'a'.repeat(40) } });
  });

  test('of a text that Postgres cannot hold is one that it can', () => {
    const title = 'a\0b\u{D800}c';
    const event = read('issues', {
      ...LABELED,
      issue: { ...LABELED.issue, title, labels: [{ name: title }] },
      label: { name: title },
    });
    const good = 'a\u{FFFD}b\u{FFFD}c';
    expect(event).toMatchObject({ label: good, issue: { title: good, labels: [good] } });
  });

  test('is nothing of what the body says besides', () => {
    const more = { ...LABELED, name: 'push', ref: 'refs/heads/main', constructor: { prototype: { polluted: true } } };
    expect(Object.keys(read('issues', more)).toSorted()).toEqual([
      'action',
      'issue',
      'label',
      'name',
      'repository',
      'sender',
    ]);
  });
});

describe('what is refused', () => {
  test.each<[string, unknown]>([
    ['null', null],
    ['an array', [LABELED]],
    ['a string', 'labeled'],
    ['a number', 7],
  ])('%s as a body', (_what, body) => {
    for (const name of [...LOOKED_AT, 'ping']) expect(readEvent(name, body)).toBe('the body is not a JSON object');
  });

  test.each<[string, unknown]>([
    ['without an issue', { action: 'labeled', repository: REPOSITORY, sender: SENDER, label: { name: 'run:dev' } }],
    ['whose issue is null', { ...LABELED, issue: null }],
    ['whose number is a text', { ...LABELED, issue: { ...LABELED.issue, number: '7' } }],
    ['whose number is a fraction', { ...LABELED, issue: { ...LABELED.issue, number: 7.5 } }],
    ['whose number is negative', { ...LABELED, issue: { ...LABELED.issue, number: -7 } }],
    ['whose labels are no list', { ...LABELED, issue: { ...LABELED.issue, labels: 'run:dev' } }],
    ['whose label has no name', { ...LABELED, label: {} }],
    ['whose repository has no id', { ...LABELED, repository: { ...REPOSITORY, id: null } }],
    ['whose sender has no id', { ...LABELED, sender: { login: 'olivia' } }],
    ['whose action is a list', { ...LABELED, action: ['labeled'] }],
    ['that is also a comment', { ...LABELED, comment: { id: 1, body: 'run:dev' } }],
    ['that is also a review', { ...LABELED, pull_request: PULL, review: { id: 1, state: 'approved' } }],
  ])('an issue event %s', (_what, body) => {
    expect(readEvent('issues', body)).toMatch(/^the body is not that of the event issues/);
  });

  test('an id that JavaScript cannot tell from another', () => {
    const body: unknown = JSON.parse(JSON.stringify(LABELED).replace('"id":42', '"id":9007199254740993'));
    expect(readEvent('issues', body)).toMatch(/^the body is not that of the event issues/);
  });

  test('nothing that only looks like a name of the language', () => {
    for (const name of ['constructor', '__proto__', 'toString', 'hasOwnProperty'])
      expect(readEvent(name, { action: 'started', repository: REPOSITORY })).toMatchObject({ name: 'other' });
  });
});

describe('whatever is sent', () => {
  const name = fc.constantFrom(...LOOKED_AT, 'ping', 'sub_issues', '__proto__');

  test('reading never throws', () => {
    fc.assert(
      fc.property(name, fc.jsonValue(), (event, body) => {
        expect(['string', 'object']).toContain(typeof readEvent(event, body));
      }),
    );
  });

  test('a body with one thing changed is read or refused, never something between', () => {
    const paths = [
      'action',
      'repository',
      'sender',
      'issue',
      'label',
      'comment',
      'review',
      'pull_request',
      'ref',
      'after',
      '__proto__',
    ];
    fc.assert(
      fc.property(name, fc.constantFrom(...paths), fc.jsonValue(), (event, path, value) => {
        const body: unknown = JSON.parse(
          `{${JSON.stringify(LABELED).slice(1, -1)},${JSON.stringify(path)}:${JSON.stringify(value)}}`,
        );
        const result = readEvent(event, body);
        if (typeof result !== 'string' && result.name === 'issues') expect(result.issue.number).toBeTypeOf('number');
        expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
      }),
    );
  });
});
