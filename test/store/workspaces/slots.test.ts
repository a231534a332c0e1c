import { beforeEach, describe, expect, test } from 'vitest';
import { leaseNamespace, releaseNamespace } from '../../../src/store/workspaces/slots.ts';
import { workspaceSlots } from '../../../src/store/connection/schema.ts';
import { useTables } from '../../support/tables.ts';

const tables = useTables();
const lease = (issueKey: string, project = 'shop'): Promise<string> =>
  leaseNamespace(tables.db, { issueKey, project, template: '{{ .Project }}-dev-{{ .Slot }}' });

beforeEach(() => tables.db.delete(workspaceSlots));

describe('a slot', () => {
  test('is the first that is free', async () => {
    expect([await lease('issue:1#1'), await lease('issue:1#2')]).toEqual(['shop-dev-1', 'shop-dev-2']);
  });

  test('stays with its issue', async () => {
    await lease('issue:1#1');
    expect(await lease('issue:1#1')).toBe('shop-dev-1');
  });

  test('that was given back is the next one’s', async () => {
    await lease('issue:1#1');
    await lease('issue:1#2');
    await releaseNamespace(tables.db, 'issue:1#1');
    expect(await lease('issue:1#3')).toBe('shop-dev-1');
  });

  test('is never shared, however many ask at once', async () => {
    const keys = Array.from({ length: 20 }, (_, n) => `issue:1#${n + 1}`);
    const leased = await Promise.all(keys.map((key) => lease(key)));
    expect(new Set(leased).size).toBe(20);
  });

  test('is one for an issue that asks several times at once', async () => {
    const leased = await Promise.all(Array.from({ length: 10 }, () => lease('issue:1#1')));
    expect(new Set(leased).size).toBe(1);
  });

  test('is never shared by two projects whose names become the same', async () => {
    expect(await lease('issue:1#1', 'shop.web')).not.toBe(await lease('issue:2#1', 'shop-web'));
  });
});
