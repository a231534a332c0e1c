import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { beforeEach, describe, expect, test } from 'vitest';
import { createHash, randomUUID } from 'node:crypto';
import { visibleText } from '../../../src/adapters/github/visible.ts';
import { createRequestActivities } from '../../../activities/github/requests.ts';
import { openRequest } from '../../../src/domain/run/requests.ts';
import { hasOpenRequest } from '../../../src/store/runs/requests.ts';
import { useTables } from '../../support/tables.ts';

const tables = useTables();
const ISSUE = { repositoryId: 42, owner: 'acme', name: 'demo', number: 7 };
const REQUEST = openRequest(
  { text: 'Tabs or spaces?', options: ['Tabs', 'Spaces'] },
  { runId: randomUUID(), n: 1, askedAt: '2026-01-01T00:00:00.000Z', deadline: '2026-01-08T00:00:00.000Z' },
);

let comments: Record<number, string>;
let written: { marker: string; body: string; knownId: number | null }[];
let reactions: [number, string][];
let writes: () => Promise<void>;
let reacts: (comment: number, content: string) => Promise<void>;

const activities = () =>
  createRequestActivities({
    db: tables.db,
    github: {
      async writeComment(_issue, comment) {
        await writes();
        written.push(comment);
        return { id: 1, url: 'http://github/1' };
      },
      readComment: async (_issue, id) => comments[id],
      visibleText,
      reactToComment: async (_issue, comment, content) => reacts(comment, content),
    },
  });

beforeEach(() => {
  comments = {};
  written = [];
  reactions = [];
  writes = async () => undefined;
  reacts = async (comment, content) => void reactions.push([comment, content]);
});

describe('a comment on the issue', () => {
  /** `said`: what its author wrote, if it was edited since. */
  const read = (comment: number, after: number | null = 4, said = comments[comment] ?? '') =>
    activities().readAnswerComment({
      issue: ISSUE,
      comment,
      sha256: createHash('sha256').update(said).digest('hex'),
      actor: 'nadia',
      request: REQUEST,
      after,
      locale: 'en',
    });

  test('that was made before the question is no answer, and is left alone', async () => {
    comments = { 5: '2' };
    expect(await read(5, 6)).toEqual({ text: null });
    expect(reactions).toEqual([]);
  });

  test('that is an answer is one though GitHub takes no reaction', async () => {
    comments = { 5: '2' };
    reacts = async () => Promise.reject(new Error('403'));
    const quiet = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
    expect(await quiet.run(() => read(5))).toEqual({ text: 'Spaces' });
  });

  test('that is an answer is seen to be one', async () => {
    comments = { 5: '> 1. Tabs\n\n2' };
    expect(await read(5)).toEqual({ text: 'Spaces' });
    expect(reactions).toEqual([[5, 'eyes']]);
  });

  test('that is none gets a confused face', async () => {
    comments = { 5: 'whatever you like' };
    expect(await read(5)).toEqual({ text: null });
    expect(reactions).toEqual([[5, 'confused']]);
  });

  describe('that somebody edited before it was read', () => {
    beforeEach(() => {
      comments = { 5: '2' };
    });

    test('is no answer, and a reply asks its author to answer again, once', async () => {
      expect([await read(5, 4, '1'), await read(5, 4, '1')]).toEqual([{ text: null }, { text: null }]);
      expect(reactions[0]).toEqual([5, 'confused']);
      const markers = new Set(written.map(({ marker }) => marker));
      expect([...markers]).toEqual(['<!-- codex-k8s:answer-edited 5 -->']);
      expect(written[0]?.body).toContain('The comment of nadia was edited before it was read');
    });

    test('is no answer though GitHub takes no comment', async () => {
      writes = async () => Promise.reject(new Error('403'));
      const quiet = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
      expect(await quiet.run(() => read(5, 4, '1'))).toEqual({ text: null });
    });
  });

  test('is the same with the line ends of Windows and without its last line end', async () => {
    comments = { 5: '> 1. Tabs\r\n\r\n2\r\n' };
    expect(await read(5, 4, '> 1. Tabs\n\n2')).toEqual({ text: 'Spaces' });
  });

  test('that is gone meanwhile answers nothing', async () => {
    expect(await read(5)).toEqual({ text: null });
    expect(reactions).toEqual([]);
  });
});

test('a request is open for its issue from when it is written down until it is closed', async () => {
  const record = (open: boolean) => activities().recordRequest({ issueKey: 'issue:42#7', request: REQUEST, open });
  await record(true);
  expect(await hasOpenRequest(tables.db, 'issue:42#7')).toBe(true);
  await record(false);
  expect(await hasOpenRequest(tables.db, 'issue:42#7')).toBe(false);
});

test('its comment is found again by its marker, not by an id that could be lost', async () => {
  await activities().writeRequestComment({ issue: ISSUE, request: REQUEST, state: 'open', locale: 'en' });
  await activities().writeRequestComment({ issue: ISSUE, request: REQUEST, state: 'closed', locale: 'en' });
  expect(written.map(({ marker, knownId }) => [marker, knownId])).toEqual([
    [`<!-- codex-k8s:request ${REQUEST.id} -->`, null],
    [`<!-- codex-k8s:request ${REQUEST.id} -->`, null],
  ]);
});
