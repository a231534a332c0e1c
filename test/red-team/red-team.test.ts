/**
 * Hostile acts by a bare client that holds a run token, at two servers at once (docs/security.md). `npm run red-team` prints them
 * as a table.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ACTS, perform } from './acts.ts';
import { PROVIDED } from './acts/tools.ts';
import { BRANCH, startRig, type Rig } from './rig.ts';

let rig: Rig;
let before: Readonly<Record<string, string | undefined>>;

const BRANCHES = ['main', BRANCH, 'codex/issue-8'].map((branch) => `heads/${branch}`);

async function heads(): Promise<Record<string, string | undefined>> {
  const entries = await Promise.all([...BRANCHES, 'tags/v1'].map(async (ref) => [ref, await rig.head(ref)] as const));
  return Object.fromEntries(entries);
}

beforeAll(async () => {
  rig = await startRig();
  before = await heads();
});
afterAll(async () => rig?.[Symbol.asyncDispose]());

describe('an agent that', () => {
  test.each(ACTS.map((act) => [act.name, act] as const))(
    '%s is refused at both servers, and it is recorded',
    async (_, act) => {
      const { said, refused, audited } = await perform(rig, act);
      expect(refused, said.join('\n').slice(0, 1000)).toBe(true);
      expect(audited, `no event ${act.audited}`).toBe(true);
    },
  );
});

test('there are at least thirty', () => {
  expect(ACTS.length).toBeGreaterThanOrEqual(30);
});

test('afterwards no branch and no tag has moved', async () => {
  expect(await heads()).toEqual(before);
});

test('afterwards the model was asked for nothing that is refused', () => {
  expect(rig.modelRequests).toEqual([]);
});

test('afterwards no label and no comment is on an issue, and no environment has a secret', async () => {
  const { data: issues } = await rig.octo.issues.listForRepo({ owner: 'octo', repo: 'demo', state: 'all' });
  expect(issues.map(({ labels, comments }) => [labels, comments])).toEqual(issues.map(() => [[], 0]));
});

test('afterwards no secret is in a table, a log or an answer', async () => {
  const everything = `${await rig.everyRow()}\n${JSON.stringify(rig.logged)}`;
  const secrets = [...rig.secrets, PROVIDED];
  expect(secrets.filter((secret) => everything.includes(secret))).toEqual([]);
});

test('afterwards the audit trail holds together', async () => {
  const rows = await rig.connection.sql<{ chain: string; broken: number }[]>`
    select chain, count(*) filter (where previous <> previous_hash)::int as broken from (
      select chain, previous_hash, coalesce(lag(hash) over (partition by chain order by seq), repeat('0', 64)) as previous
      from flow_events) links group by chain`;
  expect(rows.filter(({ broken }) => broken > 0)).toEqual([]);
  expect(rows.length).toBeGreaterThan(0);
});

test('afterwards the runs of both servers still work: an honest agent is served', async () => {
  const { dev } = rig.runs;
  for (const server of rig.servers) {
    const answer = await fetch(`${server}/api/v1/agent/assignment`, {
      headers: { authorization: `Bearer ${dev.token}` },
    });
    expect(answer.status).toBe(200);
  }
});
