/** A4: GitHub's 403 and 404 in words: the missing right, who can grant it, and where. */
import { describe, expect, test } from 'vitest';
import { missingRight, type RefusedRequest } from '../../../src/adapters/github/rights.ts';

const REFUSED: RefusedRequest = {
  apiUrl: 'https://api.github.com',
  method: 'POST',
  url: '/repos/{owner}/{repo}/issues/{issue_number}/comments',
  owner: 'acme',
  repository: 'demo',
  status: 403,
  message: 'Resource not accessible by personal access token',
  headers: {},
};

describe('a right is named', () => {
  test.each([
    ['POST', '/repos/{owner}/{repo}/issues/{issue_number}/comments', 'write', 'Issues: write'],
    ['POST', '/repos/{owner}/{repo}/labels', 'write', 'Issues: write'],
    ['POST', '/repos/{owner}/{repo}/pulls', 'write', 'Pull requests: write'],
    ['GET', '/repos/{owner}/{repo}/compare/{basehead}', 'read', 'Contents: read'],
    ['GET', '/repos/{owner}/{repo}/hooks', 'admin', 'Webhooks: write'],
    ['GET', 'https://api.github.com/repos/acme/demo/hooks?page=2', 'admin', 'Webhooks: write'],
    ['GET', '/repos/{owner}/{repo}', 'read', 'Metadata: read'],
  ])('for %s %s', (method, url, role, permission) => {
    const words = missingRight({ ...REFUSED, method, url });
    expect(words).toContain(`the role ${role} in acme/demo`);
    expect(words).toContain(`the permission ${permission}`);
    expect(words).toContain('https://github.com/acme/demo/settings/access');
  });

  test("in GitHub's own words where it says them", () => {
    const words = missingRight({ ...REFUSED, headers: { 'x-accepted-github-permissions': 'issues=write' } });
    expect(words).toContain("in GitHub's words: issues=write");
  });

  test('with the address where an organization has tokens authorized', () => {
    const url = 'https://github.com/orgs/acme/sso?authorization_request=A';
    const words = missingRight({ ...REFUSED, headers: { 'x-github-sso': `required; url=${url}` } });
    expect(words).toContain(`authorizes it at ${url}`);
  });

  test('on the pages of a GitHub Enterprise Server', () => {
    const words = missingRight({ ...REFUSED, apiUrl: 'https://github.example.com/api/v3' });
    expect(words).toContain('https://github.example.com/acme/demo/settings/access');
  });
});

describe('no right is named', () => {
  test.each([
    ['Repository was archived so is read-only.'],
    ['Unable to create comment because issue is locked.'],
    ['Repository access blocked'],
  ])('for: %s', (message) => {
    expect(missingRight({ ...REFUSED, message })).toBeUndefined();
  });

  test('for another status, or outside a repository', () => {
    expect(missingRight({ ...REFUSED, status: 422 })).toBeUndefined();
    expect(missingRight({ ...REFUSED, owner: undefined })).toBeUndefined();
  });
});
