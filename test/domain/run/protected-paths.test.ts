import { describe, expect, test } from 'vitest';
import { refuseChanges, refusedChange, type ChangedEntry } from '../../../src/domain/run/protected-paths.ts';
import { outsideScope } from '../../../src/domain/run/scope.ts';

const FILE: ChangedEntry = { mode: '100644' };

describe('what GitHub acts on by itself', () => {
  test.each([
    ['.github/workflows/ci.yml', 'workflows of GitHub Actions'],
    ['.github/workflows/deep/ci.yml', 'workflows of GitHub Actions'],
    ['.GitHub/Workflows/ci.yml', 'workflows of GitHub Actions'],
    ['.github/workflows', 'workflows of GitHub Actions'],
    ['.github', 'workflows of GitHub Actions'],
    ['.github/workflows/a\nb.yml', 'workflows of GitHub Actions'],
    ['.github/actions/setup/action.yml', 'actions that workflows use'],
    ['CODEOWNERS', 'owners of code'],
    ['.github/CODEOWNERS', 'owners of code'],
    ['docs/CODEOWNERS', 'owners of code'],
    ['.gitmodules', 'submodules'],
  ])('%s may be changed by no run', (path, what) => {
    for (const stage of ['dev', 'self-improve', 'prd', null] as const)
      for (const entry of [FILE, null]) expect(refusedChange({ path, entry }, stage)).toBe(what);
  });

  test.each([
    '.github/dependabot.yml',
    'src/.github/workflows/x.yml',
    'docs/workflows.md',
    'src/CODEOWNERS',
    'x/.gitmodules',
  ])('%s may be changed', (path) => {
    expect(refusedChange({ path, entry: FILE }, 'dev')).toBeUndefined();
  });
});

describe('what agents obey', () => {
  const CONTROL = [
    'AGENTS.md',
    'agents.MD',
    'packages/web/AGENTS.md',
    'AGENTS.override.md',
    'CLAUDE.md',
    '.codex-k8s/prompts/dev-work.md',
    'CLAUDE.local.md',
    'GEMINI.md',
    '.codex/config.toml',
    'packages/web/.codex/prompts/x.md',
    '.claude/settings.json',
    '.cursor/rules/x.mdc',
    '.cursorrules',
    '.mcp.json',
    '.agents/skills/x/SKILL.md',
    '.github/copilot-instructions.md',
    '.github/instructions/x.md',
    '.vscode/mcp.json',
  ];

  test.each(CONTROL)('%s may be changed by a self-improve run and no other', (path) => {
    for (const stage of ['dev', 'prd', 'doc-audit', 'qa', null] as const)
      expect(refusedChange({ path, entry: FILE }, stage)).toBe('instructions of agents');
    expect(refusedChange({ path, entry: FILE }, 'self-improve')).toBeUndefined();
  });

  test.each(CONTROL)('%s is no document, and in the scope of self-improve', (path) => {
    expect(outsideScope('documents', [path])).toEqual([path]);
    expect(outsideScope('prompts', [path])).toEqual([]);
  });

  test.each(['README.md', 'docs/agents.txt', 'src/agents.ts', 'MY-AGENTS.md', 'docs/AGENTS.md.txt'])(
    '%s is a file like others',
    (path) => {
      expect(refusedChange({ path, entry: FILE }, 'dev')).toBeUndefined();
    },
  );
});

describe('a symbolic link', () => {
  const link = (path: string, target: string | null) =>
    refusedChange({ path, entry: { mode: '120000', target } }, 'dev');

  test.each([
    ['link', '/etc/passwd'],
    ['link', '../outside'],
    ['a/link', '../../outside'],
    ['a/link', '../b/../../outside'],
    ['link', 'a/../b'],
    ['link', '.git/config'],
    ['a/link', '../.GIT/hooks'],
    ['link', 'GIT~1/config'],
    ['link', ''],
    ['link', 'a\0b'],
    ['link', '\\server\\share'],
    ['link', null],
  ])('%s to %j is refused', (path, target) => {
    expect(link(path, target)).toBe('a link out of the repository');
  });

  test.each([
    ['link', 'README.md'],
    ['link', './a//b'],
    ['a/b/link', '../../README.md'],
    ['a/b/link', '../..'],
    ['link', '.github/x'],
    ['link', '..a/b'],
  ])('%s to %j may pass', (path, target) => {
    expect(link(path, target)).toBeUndefined();
  });
});

test.each([
  ['160000', 'a submodule'],
  ['100664', 'a file mode that git does not write: 100664'],
  ['100600', 'a file mode that git does not write: 100600'],
  ['104755', 'a file mode that git does not write: 104755'],
  ['060000', 'a file mode that git does not write: 060000'],
])('an entry with mode %s is refused: %s', (mode, what) => {
  expect(refusedChange({ path: 'x', entry: { mode } }, 'dev')).toBe(what);
});

test('a submodule or link that is removed may go', () => {
  expect(refusedChange({ path: 'x', entry: null }, 'dev')).toBeUndefined();
});

test('a refusal names ten paths on one line, and how many more there are', () => {
  const changes = Array.from({ length: 13 }, (_, n) => ({
    path: `.github/workflows/${n}\n\u001b[31m\u202e.yml`,
    entry: FILE,
  }));
  const text = refuseChanges(changes, 'dev') ?? '';
  expect(text).toContain('.github/workflows/9');
  expect(text).not.toContain('.github/workflows/10');
  expect(text).toContain(', 3 more: put these paths back');
  expect(text).not.toMatch(/\p{C}/u);
});
