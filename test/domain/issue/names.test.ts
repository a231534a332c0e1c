import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  branchName,
  branchPrefixProblem,
  issueOfBranch,
  nthBranch,
  ownPrefix,
  workspaceName,
} from '../../../src/domain/issue/names.ts';

const anId = fc.maxSafeNat();
const aProject = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('demo', 'r1-i1', '-', 'a'.repeat(100), 'A--b_'),
);

describe("a workspace's name", () => {
  test('is made of the project, the repository and the issue', () => {
    expect(workspaceName('Demo Shop', { repositoryId: 42, number: 7 })).toBe('codex-demo-shop-r42-i7');
  });

  test('does without a project that has no letters', () => {
    expect(workspaceName('...', { repositoryId: 42, number: 7 })).toBe('codex-r42-i7');
  });

  test('is a DNS-1123 label of at most 63 characters, whatever the project is called', () => {
    fc.assert(
      fc.property(aProject, anId, anId, (project, repositoryId, number) => {
        const name = workspaceName(project, { repositoryId, number });
        expect(name).toMatch(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/);
        expect(name.length).toBeLessThanOrEqual(63);
      }),
    );
  });

  test('is never shared by two issues, whatever their projects are called', () => {
    const issue = fc.record({ repositoryId: fc.oneof(fc.nat(20), anId), number: fc.oneof(fc.nat(20), anId) });
    fc.assert(
      fc.property(aProject, issue, aProject, issue, (oneProject, one, otherProject, other) => {
        fc.pre(one.repositoryId !== other.repositoryId || one.number !== other.number);
        expect(workspaceName(oneProject, one)).not.toBe(workspaceName(otherProject, other));
      }),
      { numRuns: 1000 },
    );
  });

  test('is the same each time', () => {
    fc.assert(
      fc.property(aProject, anId, anId, (project, repositoryId, number) => {
        const issue = { repositoryId, number };
        expect(workspaceName(project, issue)).toBe(workspaceName(project, issue));
      }),
    );
  });
});

describe("an issue's branch", () => {
  test('leads back to its issue', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 31 - 1 }), (number) => {
        expect(issueOfBranch(branchName(number))).toBe(number);
      }),
    );
  });

  test.each(['codex-k8s', 'bots/codex', 'team_1/codex-agents'])('with the prefix %s is ours', (prefix) => {
    expect(branchPrefixProblem(prefix)).toBeUndefined();
    const branch = branchName(7, 2, prefix);
    expect([branch, issueOfBranch(branch), nthBranch(branch), ownPrefix(branch)]).toEqual([
      `${prefix}/issue-7-2`,
      7,
      2,
      prefix,
    ]);
  });

  test.each([
    ['', 'letters'],
    ['bots', 'has the word “codex”'],
    ['codex/', 'letters'],
    ['/codex', 'letters'],
    ['codex..x', 'letters'],
    ['-codex', 'begins with'],
    ['refs/codex', 'not with “refs/”'],
    ['codex x', 'letters'],
    [`codex${'x'.repeat(60)}`, 'at most 60'],
  ])('cannot have the prefix %j', (prefix, problem) => {
    expect(branchPrefixProblem(prefix)).toContain(problem);
  });

  test.each([
    'main',
    'feature/issue-7',
    'codex/issue-',
    'codex/issue-0',
    'codex/issue-07',
    'codex/issue-7/more',
    'codex/issue-7\n',
    'codex/issue--7',
    'codex/issue-7a',
    'codex/issue-99999999999',
    'refs/heads/codex/issue-7',
    'Codex/issue-7',
    ' codex/issue-7',
  ])('%j is not ours', (branch) => {
    expect(issueOfBranch(branch)).toBeUndefined();
  });
});
