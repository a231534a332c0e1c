import { bind, factsOf } from '../../support/tables.ts';
import { describe, expect, test } from 'vitest';
import { labeled, send, useWebhook } from './support/webhook.ts';

const PROTOTYPE = Object.getOwnPropertyNames(Object.prototype);
const { tables, webhook, kept } = useWebhook();

describe('T05: a hostile body', () => {
  const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`;
  const text = JSON.stringify(labeled());
  const withField = (field: string): string => `${text.slice(0, -1)},${field}}`;
  const title = (value: string): string => text.replace('"title":"Issue 7"', `"title":${value}`);

  test.each<[string, string | Buffer]>([
    ['a NUL in the title', title(String.raw`"a\u0000b"`)],
    ['a lone surrogate in the title', title(String.raw`"a\ud83db"`)],
    ['a NUL in the login', text.replace('"login":"olivia"', String.raw`"login":"oli\u0000via"`)],
    ['a lone surrogate in the name of the repository', text.replace('"name":"demo"', String.raw`"name":"\udc00"`)],
    ['a NUL in a field that is not read', withField(String.raw`"extra":"\u0000\ud800"`)],
    ['ten thousand lists in each other', withField(`"extra":${nested(10_000)}`)],
    ['as many lists in each other as fit', withField(`"extra":${nested(500_000)}`)],
    ['a key __proto__', withField('"__proto__":{"polluted":true,"action":"closed"}')],
    ['a key constructor', withField('"constructor":{"prototype":{"polluted":true}}')],
    ['an id that no number holds', withField('"installation":{"id":9007199254740993}')],
    ['a number that overflows', withField('"extra":1e999')],
    ['the same key twice', withField('"action":"labeled"')],
    [
      'bytes that are no UTF-8',
      Buffer.from(text.replace('Issue 7', 'Issue \u0001')).map((byte) => (byte === 1 ? 0xff : byte)) as Buffer,
    ],
    ['the longest title that GitHub takes, of smileys', title(JSON.stringify(`a${'😀'.repeat(255)}`))],
    ['a title that goes on and on', title(JSON.stringify('😀x'.repeat(10_000)))],
  ])('with %s is stored, and requests its run', async (_what, body) => {
    await bind(tables.db);
    const errors: unknown[] = [];
    const answer = await send(webhook({ onError: (error) => errors.push(error) }), Buffer.from(body), { id: 'd1' });
    expect(errors).toEqual([]);
    expect(answer).toMatchObject({ status: 202, body: { status: 'accepted' } });
    expect(await factsOf(tables.db, 7)).toMatchObject([{ fact: { kind: 'trigger_label_added', label: 'run:dev' } }]);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(PROTOTYPE);
  });

  test.each<[string, string]>([
    ['a NUL in its action', text.replace('"action":"labeled"', String.raw`"action":"label\u0000ed"`)],
    ['a lone surrogate in its label', text.replaceAll('"name":"run:dev"', String.raw`"name":"run:dev\ud800"`)],
    ['a NUL in its label', text.replaceAll('"name":"run:dev"', String.raw`"name":"run:dev\u0000"`)],
  ])('with %s is stored, and requests no run', async (_what, body) => {
    await bind(tables.db);
    expect(await send(webhook(), body, { id: 'd1' })).toMatchObject({ status: 200, body: { status: 'ignored' } });
    expect(await kept()).toEqual({ deliveries: 1, events: 1, facts: 0 });
  });

  test.each<[string, string]>([
    ['an id of the repository that no number holds', text.replace('"id":42', '"id":9007199254740993')],
    ['a number of the issue that no column holds', text.replace('"number":7', '"number":4294967296')],
  ])('with %s is no server error', async (_what, body) => {
    await bind(tables.db);
    expect((await send(webhook(), body)).status).toBeLessThan(500);
  });
});

describe('T05: an id that no number holds exactly', () => {
  const beyond = ['9007199254740992', '9007199254740993'];

  test.each([
    ['of a repository', 'repository'],
    ['of a sender', 'sender'],
  ])('%s is refused, and not rounded to another one', async (_whose, key) => {
    await bind(tables.db);
    const plain = labeled() as Record<string, unknown>;
    const owner = plain[key] as { id: number };
    for (const id of beyond) {
      const body = JSON.stringify({ ...plain, [key]: { ...owner, id: 'ID' } }).replace('"ID"', id);
      expect(await send(webhook(), body)).toMatchObject({ status: 400, body: { field: 'X-GitHub-Event' } });
    }
    expect(await kept()).toEqual({ deliveries: 0, events: 0, facts: 0 });
  });
});
