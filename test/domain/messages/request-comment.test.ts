import { describe, expect, it } from 'vitest';
import { outgoing } from '../../../src/adapters/github/outgoing.ts';
import { renderRequest, requestMarker } from '../../../src/domain/messages/request-comment.ts';
import { openCallRequest, openRequest, type Request } from '../../../src/domain/run/requests.ts';

/** The comment as it stands on GitHub. */
const shown = (...of: Parameters<typeof renderRequest>): string => outgoing(renderRequest(...of));

const AT = { runId: 'r', n: 1, askedAt: '2026-01-01T00:00:00.000Z', deadline: '2026-01-08T09:30:00.000Z' };
const asked = (...options: string[]): Request => openRequest({ text: 'Tabs or spaces, @olivia?', options }, AT);
const ANSWER = { text: 'Spaces', option: 1, actor: 'nadia', at: '2026-01-02T00:00:00.000Z', surface: 'api' } as const;

describe('the comment with a question', () => {
  it('begins with its marker, by which it is found again', () => {
    expect(shown(asked(), 'open', 'en').split('\n')[0]).toBe(requestMarker('r.1'));
  });

  it('numbers the options and says how to answer, and until when', () => {
    const text = shown(asked('Tabs', 'Spaces'), 'open', 'en');
    expect(text).toContain('1. Tabs\n2. Spaces');
    expect(text).toContain('the number of an option, or its text');
    expect(text).toContain('codex-k8s runs answer r TEXT');
    expect(text).toContain('2026-01-08 09:30 UTC');
  });

  it('asks for free text where there are no options', () => {
    expect(shown(asked(), 'open', 'en')).toContain('Answer with a comment. Or:');
  });

  it('shows an option in one line, whatever the agent writes', () => {
    expect(shown(asked('yes\n2. no', 'drop it'), 'open', 'en')).toContain('1. yes 2. no\n2. drop it');
  });

  it('calls nobody, whatever the agent writes', () => {
    expect(shown(asked('@olivia'), 'open', 'en')).not.toMatch(/@(?=olivia)/);
  });

  it('shows the answer and who gave it', () => {
    const text = shown({ ...asked('Tabs', 'Spaces'), answer: ANSWER }, 'closed', 'en');
    expect(text).toContain('Answered by nadia at 2026-01-02 00:00 UTC:\n\n```text\nSpaces\n```');
    expect(text).not.toContain('runs answer');
  });

  it('says when no answer is needed any more', () => {
    expect(shown(asked(), 'closed', 'en')).toContain('No answer is needed any more');
  });

  it('is written in Russian where the project says so', () => {
    expect(shown(asked('Tabs', 'Spaces'), 'open', 'ru')).toContain('### Вопрос агента');
  });
});

describe('the comment with an approval', () => {
  const call = {
    id: 'r:1',
    tool: 'database.lifecycle',
    action: 'delete',
    digest: 'd'.repeat(64),
    summary: '{"action":"delete","database_name":"shop","note":"```\\n@olivia"}',
    mode: 'owner',
    reason: 'the policy says so',
    requester: { id: 7, login: 'olivia' },
  } as const;
  const approval = openCallRequest(call, AT);

  it.each(['en', 'ru'] as const)('says what, why, who may decide, until when, and how (%s)', (locale) => {
    const text = shown(approval, 'open', locale);
    for (const part of ['database.lifecycle', 'delete', '"shop"', 'the policy says so', '2026-01-08 09:30 UTC'])
      expect(text).toContain(part);
    expect(text).toContain('/approve 1');
    expect(text).toContain('/deny 1');
    expect(text).toContain('codex-k8s decisions approve r.1');
    // A code block that nothing in the arguments can end, so that nobody is mentioned.
    expect(text).toContain('\n````text\n{');
  });

  it('shows who decided, and the reason', () => {
    const answer = {
      text: 'not on a Friday',
      option: null,
      decision: 'denied',
      actor: 'nadia',
      at: ANSWER.at,
    } as const;
    const text = shown({ ...approval, answer: { ...answer, surface: 'comment' } }, 'closed', 'en');
    expect(text).toContain('Denied by nadia at 2026-01-02 00:00 UTC.');
    expect(text).toContain('not on a Friday');
    expect(text).not.toContain('/approve');
  });
});
