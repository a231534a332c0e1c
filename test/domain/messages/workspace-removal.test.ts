import { describe, expect, test } from 'vitest';
import {
  workspaceEndMarker,
  withWorkspaceEnd,
  type WorkspaceEvent,
} from '../../../src/domain/messages/workspace-removal.ts';
import { newRunProgress, withStep, renderStatusComment } from '../../../src/domain/messages/status-comment.ts';

const AT = new Date('2026-11-21T10:05:07.000Z');

function bodyOf(locale: 'en' | 'ru'): string {
  return `# A run\n\n| | |\n|---|---|\n| Kept until | 2026-11-22 10:00 UTC${workspaceEndMarker(locale)} |\n| Model | gpt |`;
}

function rowAfter(type: WorkspaceEvent['type'], payload: Record<string, unknown>, locale: 'en' | 'ru' = 'en'): string {
  const lines = withWorkspaceEnd(bodyOf(locale), { type, at: AT, payload }).split('\n');
  expect(lines.toSpliced(4, 1)).toEqual(bodyOf(locale).split('\n').toSpliced(4, 1));
  return lines[4] ?? '';
}

describe('the end of a workspace, in the status comment', () => {
  test('is not shown before there is an event about it', () => {
    const text = withWorkspaceEnd(bodyOf('en'), undefined);
    expect(text.split('\n')[4]).toBe('| Kept until | 2026-11-22 10:00 UTC |');
  });

  test('says that it was removed, when, and why', () => {
    const told = { namespace: 'demo-i7', reason: 'issue_closed' };
    expect(rowAfter('run.namespace.cleaned', told)).toBe(
      '| Workspace removed | 2026-11-21 10:05 UTC, the issue was closed |',
    );
  });

  test('says that it was removed, also for a reason without a text', () => {
    expect(rowAfter('run.namespace.cleaned', { reason: 'because' })).toBe(
      '| Workspace removed | 2026-11-21 10:05 UTC |',
    );
  });

  test('says until when `run:debug` keeps it', () => {
    expect(rowAfter('run.namespace.cleanup_skipped', { until: '2026-11-23T10:00:00.000Z' })).toBe(
      '| Workspace kept until | 2026-11-23 10:00 UTC (`run:debug`) |',
    );
  });

  test('names what holds it', () => {
    const held = 'namespace demo-i7 is still being deleted: Some content\nhas finalizers | remaining';
    expect(rowAfter('run.namespace.cleanup_blocked', { held })).toBe(
      String.raw`| Workspace not removed yet | 2026-11-21 10:05 UTC: namespace demo-i7 is still being deleted: Some content has finalizers \| remaining |`,
    );
  });

  test('says why it could not be removed', () => {
    expect(rowAfter('run.namespace.cleanup_failed', { error: 'namespace x belongs to somebody' })).toBe(
      '| Workspace not removed | 2026-11-21 10:05 UTC: namespace x belongs to somebody |',
    );
  });

  test('is in the language of the comment', () => {
    expect(rowAfter('run.namespace.cleaned', { reason: 'ttl_expired' }, 'ru')).toBe(
      '| Рабочее пространство удалено | 2026-11-21 10:05 UTC, истёк срок хранения |',
    );
  });

  test('mentions nobody, whatever the message', () => {
    expect(rowAfter('run.namespace.cleanup_failed', { error: '@paula <!-- <img> `x' })).toBe(
      '| Workspace not removed | 2026-11-21 10:05 UTC: @\u200Bpaula \\<\\!-- \\<img\\> \\`x |',
    );
  });

  test.each(['```js', '~~~', '| a |'])('stays one row with the message %j', (error) => {
    expect(rowAfter('run.namespace.cleanup_failed', { error })).toMatch(/^\| Workspace not removed \| 2026-.* \|$/);
  });

  test('does not change a comment without its marker', () => {
    expect(withWorkspaceEnd('as it is', { type: 'run.namespace.cleaned', at: AT, payload: {} })).toBe('as it is');
  });

  test.each(['en', 'ru'] as const)('does not replace a marker in the text of somebody else, in %s', (locale) => {
    const told = `mine${workspaceEndMarker(locale)}`;
    const event = { type: 'run.namespace.cleaned', at: AT, payload: {} } as const;
    const text = withWorkspaceEnd(`${told}\n${bodyOf('ru')}`, event);
    expect(text.startsWith(`${told}\n# A run`)).toBe(true);
    expect(text).toContain('| Рабочее пространство удалено |');
  });

  test('has its marker in the comment of a run with a workspace', () => {
    const asked = newRunProgress(
      {
        runId: '7f1e4d0c-0000-4000-8000-000000000001',
        target: { stage: 'dev', kind: 'work' },
        trigger: { kind: 'label', event: 1 },
        by: { login: 'paula' },
        requestedAt: AT.toISOString(),
      },
      { branch: 'codex/issue-7', model: null, reasoningEffort: null, pullRequest: null },
    );
    const progress = {
      ...withStep(asked, 'working', AT.toISOString()),
      workspace: 'demo-i7',
      workspaceUntil: AT.toISOString(),
    };
    const body = renderStatusComment(progress, 'ru', {
      run: 'https://x/run',
      issue: 'https://x/issue',
      issueNumber: 7,
    });
    const told = { type: 'run.namespace.cleaned', at: AT, payload: { reason: 'issue_closed' } } as const;
    expect(withWorkspaceEnd(body, told)).toContain(
      '| Рабочее пространство удалено | 2026-11-21 10:05 UTC, issue закрыт |',
    );
  });
});
