import { describe, expect, test } from 'vitest';
import { readEvent } from '../../../ingress/github-webhook/payloads.ts';
import { CANONICAL_NAMES, labelNames } from '../../../src/domain/stages/label-names.ts';
import { WEBHOOK_EXAMPLES } from '../../support/webhook-examples.ts';

const chosen = labelNames({ 'run:dev': 'agent:dev' });
const names = 'names' in chosen ? chosen.names : CANONICAL_NAMES;

const common = { repository: { id: 42, name: 'demo', owner: { login: 'acme' } }, sender: { id: 1, login: 'olivia' } };
const labels = [{ name: 'Agent:Dev' }, { name: 'bug' }];
const issue = { number: 7, title: 'Count', html_url: 'https://github.com/acme/demo/issues/7', labels };
const pull = { number: 8, html_url: 'https://github.com/acme/demo/pull/8', head: { ref: 'codex/issue-7' }, labels };
const comment = { id: 1, body: 'agent:dev', created_at: '2026-11-21T10:00:00Z' };

describe('what an installation calls otherwise is read under its canonical name', () => {
  test('on an issue, and as the label that was put on', () => {
    const body = { ...common, action: 'labeled', issue, label: { name: 'agent:dev' } };
    expect(readEvent('issues', body, names)).toMatchObject({
      issue: { labels: ['run:dev', 'bug'] },
      label: 'run:dev',
    });
  });

  test('on a pull request, and as the label that was put on', () => {
    const body = { ...common, action: 'labeled', pull_request: pull, label: { name: 'agent:dev' } };
    expect(readEvent('pull_request', body, names)).toMatchObject({
      pullRequest: { labels: ['run:dev', 'bug'] },
      label: 'run:dev',
    });
  });

  test('on the pull request of a review', () => {
    const review = { id: 1, state: 'CHANGES_REQUESTED' };
    const body = { ...common, action: 'submitted', pull_request: pull, review };
    expect(readEvent('pull_request_review', body, names)).toMatchObject({
      pullRequest: { labels: ['run:dev', 'bug'] },
    });
  });

  test('on the issue of a comment, whose text stays as it is', () => {
    const body = { ...common, action: 'created', issue, comment };
    expect(readEvent('issue_comment', body, names)).toMatchObject({
      issue: { labels: ['run:dev', 'bug'] },
      comment: { body: 'agent:dev' },
    });
  });
});

test('a name that was given up means nothing', () => {
  const body = { ...common, action: 'labeled', issue, label: { name: 'run:dev' } };
  expect(readEvent('issues', body, names)).toMatchObject({ label: 'agent:dev' });
});

test("GitHub's own examples, which name no label of ours, are read as they are without names", () => {
  for (const { event, payload } of WEBHOOK_EXAMPLES)
    expect(readEvent(event, payload, names)).toEqual(readEvent(event, payload));
});
