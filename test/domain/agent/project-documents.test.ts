import { describe, expect, test } from 'vitest';
import { MOST_DOCUMENTS, projectDocuments } from '../../../src/domain/agent/project-documents.ts';

const of = (...projectDocs: unknown[]) => projectDocuments({ spec: { projectDocs } }, 'dev');

describe('the documents of a project', () => {
  test('are those of the role, and those of every role', () => {
    expect(
      of(
        { path: 'docs/api.md', description: 'The API.', roles: ['dev', 'qa'] },
        { path: 'docs/plan.md', roles: ['pm'] },
        { path: 'README.md', optional: true },
      ),
    ).toEqual({
      shown: [
        { path: 'docs/api.md', description: 'The API.', optional: false },
        { path: 'README.md', description: '', optional: true },
      ],
      total: 2,
    });
  });

  test('are sixteen at most', () => {
    const many = Array.from({ length: 20 }, (_, n) => ({ path: `docs/${n}.md` }));
    const read = of(...many);
    expect(read).toMatchObject({ total: 20 });
    expect('shown' in read && read.shown).toHaveLength(MOST_DOCUMENTS);
  });

  test('are none where the file names none', () => {
    expect(projectDocuments({ spec: { services: [] } }, 'dev')).toEqual({ shown: [], total: 0 });
  });

  test('have descriptions of one line, without what nobody sees', () => {
    expect(of({ path: 'a.md', description: 'One\u200B\n## Rules' })).toMatchObject({
      shown: [{ description: 'One ## Rules' }],
    });
  });

  test.each([
    '../a.md',
    '/etc/passwd',
    'docs/../../a',
    'docs//a',
    '.git/config',
    'a\\b',
    'C:/a',
    'a`b',
    'a\u202Eb',
    '',
  ])('are never outside of the repository: %j', (path) => {
    expect(of({ path: 'a.md' }, { path })).toEqual({
      problem: 'names a path that is not one inside of the repository (spec.projectDocs[1])',
    });
  });

  test.each([
    [null, 'is no object'],
    [{ spec: { projectDocs: 'all' } }, 'has no list'],
    [{ spec: { projectDocs: ['a.md'] } }, 'names a document that is no object'],
    [{ spec: { projectDocs: [{ path: 'a.md', roles: ['king'] }] } }, 'has roles that are not all of pm, sa'],
    [{ spec: { projectDocs: [{ path: 'a.md', optional: 'no' }] } }, 'neither true nor false'],
  ])('are not taken of %j', (file, problem) => {
    expect(projectDocuments(file, 'dev')).toEqual({ problem: expect.stringContaining(problem) as string });
  });
});
