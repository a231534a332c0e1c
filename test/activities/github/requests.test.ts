import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { beforeEach, describe, expect, test } from 'vitest';
import { createHash, randomUUID } from 'node:crypto';
import { visibleText } from '../../../src/adapters/github/visible.ts';
import { createRequestActivities } from '../../../activities/github/requests.ts';
import { DEFAULT_POLICY } from '../../../src/domain/approvals/default-policy.ts';
import { openCallRequest, openRequest } from '../../../src/domain/run/requests.ts';
import { hasOpenRequest } from '../../../src/store/runs/requests.ts';
import { addPerson, bindRepository, ensureProject } from '../../../src/store/projects/repositories.ts';
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
    policy: DEFAULT_POLICY,
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

describe('a comment on an approval', () => {
  const call = {
    id: `${REQUEST.runId}:1`,
    tool: 'database.lifecycle',
    action: 'delete',
    digest: 'd'.repeat(64),
    summary: '{"action":"delete"}',
    mode: 'owner',
    reason: 'nobody undoes it',
    requester: { id: 7, login: 'olivia' },
  } as const;
  const APPROVAL = openCallRequest(call, { runId: REQUEST.runId, n: 1, askedAt: '', deadline: '' });
  const read = async (text: string, by: { id: number; login: string }) => {
    comments = { 5: text };
    return activities().readAnswerComment({
      issue: ISSUE,
      comment: 5,
      sha256: createHash('sha256').update(text).digest('hex'),
      actor: by.login,
      actorId: by.id,
      request: APPROVAL,
      after: 4,
      locale: 'en',
    });
  };
  const NADIA = { id: 8, login: 'nadia' };

  beforeEach(async () => {
    const projectId = await ensureProject(tables.db, 'default');
    await bindRepository(tables.db, { id: 42, owner: 'acme', name: 'demo', defaultBranch: 'main', projectId });
    await addPerson(tables.db, NADIA, 'admin', projectId);
    await addPerson(tables.db, { id: 9, login: 'petra' }, 'read_write', projectId);
    await addPerson(tables.db, { id: 7, login: 'olivia' }, 'platform_owner', projectId);
  });

  test('by an owner who did not start the run decides, and gets eyes', async () => {
    expect(await read('/approve 1', NADIA)).toEqual({ text: '', decision: 'approved' });
    expect(await read('/deny 1 too late', NADIA)).toEqual({ text: 'too late', decision: 'denied' });
    expect(reactions).toEqual([
      [5, 'eyes'],
      [5, 'eyes'],
    ]);
    expect(written).toEqual([]);
  });

  test.each([
    ['by a member who is no owner', { id: 9, login: 'petra' }, 'only an owner'],
    ['by the person who started the run', { id: 7, login: 'olivia' }, 'started the run'],
    ['by a stranger', { id: 66, login: 'mallory' }, 'only an owner'],
  ])('%s is refused, and the comment below says why', async (_who, by, why) => {
    expect(await read('/approve 1', by)).toEqual({ text: null });
    expect(reactions).toEqual([[5, 'confused']]);
    expect(written[0]?.body).toContain(why);
  });

  test('that names another request is refused, and the comment below names the one that is open', async () => {
    expect(await read('/approve 2', NADIA)).toEqual({ text: null });
    expect(written[0]?.body).toContain(`request 1`);
  });

  test('that is no command is left alone', async () => {
    expect(await read('looks fine to me', NADIA)).toEqual({ text: null });
    expect([reactions, written]).toEqual([[], []]);
  });
});
