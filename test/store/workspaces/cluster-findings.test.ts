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

  test('is unknown when its state is one that only another build knows', async () => {
    const detail = JSON.stringify({ text: '10.96.0.1:443', agents: 'stopped' });
    await tables.db.insert(clusterFindings).values({ name: 'network_policy', state: 'a later one', detail });
    expect(await findNetworkFinding(tables.db)).toMatchObject({ state: 'unknown', agents: 'stopped' });
  });
});
