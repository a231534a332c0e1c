import { beforeEach, describe, expect, test } from 'vitest';
import { recordedNetworkProbe } from '../../../src/diagnostics/postgres.ts';
import { findNetworkFinding, storeNetworkFinding } from '../../../src/store/workspaces/cluster-findings.ts';
import { clusterFindings } from '../../../src/store/connection/schema.ts';
import { useTables } from '../../support/tables.ts';

const tables = useTables();
const UNKNOWN = { state: 'unknown', detail: 'no node has room', agents: 'started' } as const;

beforeEach(() => tables.db.delete(clusterFindings));

describe('the finding about the network', () => {
  test('is none before anybody has tried', async () => {
    expect(await findNetworkFinding(tables.db)).toBeUndefined();
  });

  test('is the newest', async () => {
    await storeNetworkFinding(tables.db, { state: 'enforced', detail: '', agents: 'started' });
    await storeNetworkFinding(tables.db, UNKNOWN);
    expect(await findNetworkFinding(tables.db)).toEqual({ ...UNKNOWN, foundAt: expect.any(Date) as Date });
  });

  test('is read by the doctor too', async () => {
    await storeNetworkFinding(tables.db, UNKNOWN);
    expect(await recordedNetworkProbe(tables.url)).toEqual({ ...UNKNOWN, foundAt: expect.any(Date) as Date });
  });

  test.each([
    ['unenforced', '10.96.0.1:443', { state: 'unenforced', detail: '10.96.0.1:443', agents: 'stopped' }],
    ['enforced', '', { state: 'enforced', detail: '', agents: 'started' }],
    ['a later one', '{}', { state: 'unknown', detail: '{}', agents: 'stopped' }],
  ])('of another build, %s, is read as well as can be', async (state, detail, finding) => {
    await tables.db.insert(clusterFindings).values({ name: 'network_policy', state, detail });
    expect(await findNetworkFinding(tables.db)).toMatchObject(finding);
  });
});
