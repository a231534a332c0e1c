import { beforeEach, describe, expect, test } from 'vitest';
import { listFeed } from '../../../ingress/dashboard/feeds/list-feed.ts';
import { storeLogLines } from '../../../src/store/runs/run-log.ts';
import { readEvents, type EventReader } from './support/events.ts';
import { useSite } from './support/site.ts';
import { bind, keyOf, putIssue, putLines, putRun, runId } from './support/world.ts';

const given = useSite({ live: { heartbeatMs: 200 } });

beforeEach(async () => {
  await bind(given.connection.db);
  await putIssue(given.connection.db, 1);
});

async function open(path: string, headers: Record<string, string> = {}): Promise<EventReader> {
  return readEvents(await given.site.ask(path, { headers }));
}

/** The numbers of the lines in an event. */
function numbers(html: string): number[] {
  return [...html.matchAll(/id="L(\d+)"/g)].map(([, n]) => Number(n));
}

describe('the stream of a run', () => {
  test('begins with its state, as the fragments of its page', async () => {
    await putRun(given.connection.db, 1);
    const event = await (await open(`/runs/${runId(1)}/stream`)).next();
    expect(event?.event).toBe('state');
    for (const id of ['state', 'timeline', 'facts']) expect(event?.data).toContain(`id="${id}"`);
  });

  test('brings the lines after the one that the page shows', async () => {
    await putRun(given.connection.db, 1);
    await putLines(given.connection.db, runId(1), [{ n: 0 }, { n: 1 }, { n: 2 }]);
    const event = (await (await open(`/runs/${runId(1)}/stream?after=0`)).until('log')).at(-1);
    expect([numbers(event?.data ?? ''), event?.id]).toEqual([[1, 2], '2']);
  });

  test('goes on after the last line that a browser has seen, when it comes back', async () => {
    await putRun(given.connection.db, 1);
    await putLines(given.connection.db, runId(1), [{ n: 0 }, { n: 1 }, { n: 2 }]);
    const reader = await open(`/runs/${runId(1)}/stream?after=-1`, { 'last-event-id': '1' });
    expect(numbers((await reader.until('log')).at(-1)?.data ?? '')).toEqual([2]);
  });

  test('brings new lines once, in their order, and new states', async () => {
    await putRun(given.connection.db, 1);
    const reader = await open(`/runs/${runId(1)}/stream`);
    await reader.until('state');
    const at = new Date().toISOString();
    for (const n of [0, 1, 2])
      await storeLogLines(given.connection.db, runId(1), [{ n, at, kind: 'output', text: `line ${n}` }]);
    await putRun(given.connection.db, 1, { status: 'succeeded', revision: 2 });
    const events = await reader.until('end');
    const lines = events.filter(({ event }) => event === 'log').flatMap(({ data }) => numbers(data));
    expect(lines).toEqual([0, 1, 2]);
    expect(events.findLast(({ event }) => event === 'state')?.data).toContain('succeeded');
  });

  test('brings all lines of a long log', async () => {
    await putRun(given.connection.db, 1, { status: 'succeeded' });
    await putLines(
      given.connection.db,
      runId(1),
      Array.from({ length: 130 }, (_, n) => ({ n, text: 'x'.repeat(4000) })),
    );
    const events = await (await open(`/runs/${runId(1)}/stream`)).until('end');
    const lines = events.filter(({ event }) => event === 'log').flatMap(({ data }) => numbers(data));
    expect(lines).toEqual(Array.from({ length: 130 }, (_, n) => n));
  });

  test('keeps the lines of a text apart', async () => {
    await putRun(given.connection.db, 1);
    await putLines(given.connection.db, runId(1), [{ n: 0, text: 'one\n\n\ntwo' }]);
    const reader = await open(`/runs/${runId(1)}/stream`);
    expect((await reader.until('log')).at(-1)?.data).toContain('one\n\n\ntwo');
  });

  test('ends when the run is over', async () => {
    await putRun(given.connection.db, 1, { status: 'canceled' });
    const reader = await open(`/runs/${runId(1)}/stream`);
    await reader.until('end');
    expect(await reader.next()).toBeUndefined();
  });

  test('of an unknown run is none', async () => {
    expect((await given.site.ask(`/runs/${runId(9)}/stream`)).status).toBe(404);
  });
});

describe('the stream of lists', () => {
  async function streamOf(path: string): Promise<string> {
    const html = await (await given.site.ask(path)).text();
    return (/data-stream="([^"]+)"/.exec(html)?.[1] ?? '').replaceAll('&amp;', '&');
  }

  test('tells of a change', async () => {
    const reader = await open(await streamOf('/'));
    await putIssue(given.connection.db, 1, { state: 'closed', revision: 2, updatedAt: new Date().toISOString() });
    expect(await reader.next()).toMatchObject({ event: 'changed' });
  });

  test('tells of what changed between the page and the stream', async () => {
    const path = await streamOf('/');
    await putIssue(given.connection.db, 1, { state: 'closed', revision: 2, updatedAt: new Date().toISOString() });
    expect(await (await open(path)).next()).toMatchObject({ event: 'changed' });
  });

  test('tells of what changed while a browser was away', async () => {
    const path = await streamOf('/issues/acme/shop/1');
    const reader = await open(path);
    await putIssue(given.connection.db, 1, { revision: 2, updatedAt: new Date().toISOString() });
    const seen = (await reader.next())?.id ?? '';
    await reader.leave();
    await putIssue(given.connection.db, 1, { revision: 3, updatedAt: new Date(Date.now() + 1).toISOString() });
    const back = await open(path, { 'last-event-id': seen });
    expect((await back.next())?.id).not.toBe(seen);
  });

  test.each([
    [keyOf(1), keyOf(1), true],
    [keyOf(1), keyOf(2), false],
    [undefined, keyOf(2), true],
  ])('of %s looks at a change of %s: %s', (issue, changed, expected) => {
    const feed = listFeed(given.connection.db, issue, undefined);
    expect(feed.concerns({ kind: 'issue', key: changed })).toBe(expected);
  });

  test('of something that is no issue is refused', async () => {
    expect((await given.site.ask('/stream?issue=12')).status).toBe(400);
  });
});
