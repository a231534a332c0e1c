/** A real Postgres with what most tests of the intake need: a bound repository, its people, and deliveries to keep. */
import { asc, eq } from 'drizzle-orm';
import { afterAll, beforeAll } from 'vitest';
import { issueKey, type Fact, type IssueRef } from '../../src/domain/issue/facts.ts';
import { connect, type Connection, type Database } from '../../src/store/connection/database.ts';
import { eventHash, type FlowEvent } from '../../src/store/audit/events.ts';
import type { EvaluatedDelivery } from '../../src/store/intake/arrivals.ts';
import { createIntake, type Intake } from '../../src/store/intake/intake.ts';
import { addPerson, bindRepository, ensureProject } from '../../src/store/projects/repositories.ts';
import type { storeAssignment } from '../../src/store/runs/assignments.ts';
import {
  deliveries,
  flowEvents,
  inboxes,
  issueFacts,
  issues,
  people,
  projectMembers,
  projects,
  repositories,
} from '../../src/store/connection/schema.ts';
import { startTestDatabase } from './postgres.ts';

export const REPOSITORY = { id: 42, owner: 'acme', name: 'demo' };
export const OLIVIA = { id: 11, login: 'olivia' };

/** A GitHub that shows every repository as it was bound. */
export const UNCHANGED = {
  readRepository: async ({ owner, name }: { owner: string; name: string }) => ({
    owner,
    name,
    defaultBranch: 'main',
    archived: false,
  }),
};

export interface Tables {
  readonly url: string;
  readonly db: Database;
  /** Another pool, as of another server. */
  another(): Connection;
  /** Removes everything. */
  clear(): Promise<void>;
}

/** Longer than a busy machine takes, where many wait for the same lock. */
const PATIENT = { statementTimeoutMs: 60_000, lockTimeoutMs: 30_000 };

/** The database of a test file: started before its tests, stopped after them. */
export function useTables(): Tables {
  const connections: Connection[] = [];
  let database: Awaited<ReturnType<typeof startTestDatabase>>;
  let main: Connection;
  const open = (): Connection => {
    const connection = connect(database.url, { name: 'test', ...PATIENT });
    connections.push(connection);
    return connection;
  };

  beforeAll(async () => {
    database = await startTestDatabase();
    main = open();
  });
  afterAll(async () => {
    await Promise.all(connections.map((connection) => connection.close()));
    await database?.stop();
  });

  return {
    get url() {
      return database.url;
    },
    get db() {
      return main.db;
    },
    another: open,
    async clear() {
      for (const table of [
        deliveries,
        issueFacts,
        inboxes,
        issues,
        flowEvents,
        projectMembers,
        people,
        repositories,
        projects,
      ])
        await main.db.delete(table);
    },
  };
}

/** Binds {@link REPOSITORY} to a project, in which {@link OLIVIA} may start runs. */
export async function bind(db: Database): Promise<{ projectId: string }> {
  const projectId = await ensureProject(db, 'demo');
  await bindRepository(db, { ...REPOSITORY, projectId });
  await addPerson(db, OLIVIA, 'read_write', projectId);
  return { projectId };
}

/** An intake that waits for its commits longer than GitHub would: for tests that are not about that limit. */
export function patientIntake(db: Database): Intake {
  return createIntake(db, PATIENT.statementTimeoutMs);
}

export function issueOf(number: number): IssueRef & { title: string; url: string } {
  const { id, ...name } = REPOSITORY;
  const url = `https://github.com/acme/demo/issues/${number}`;
  return { repositoryId: id, ...name, number, title: `Issue ${number}`, url };
}

export function keyOf(number: number): string {
  return issueKey(issueOf(number));
}

/** A fact that says which delivery brought it. */
export function factOf(id: string): Fact {
  return { kind: 'issue_closed', delivery: id, by: OLIVIA, at: '2026-11-21T10:00:00.000Z' };
}

/** A judged delivery with a fact for an issue. */
export function deliveryOf(id: string, issue: number, more: Partial<EvaluatedDelivery> = {}): EvaluatedDelivery {
  return {
    id,
    event: 'issues',
    action: 'closed',
    body: Buffer.from(`{"delivery":"${id}"}`),
    status: 'accepted',
    reason: 'recorded',
    repositoryId: REPOSITORY.id,
    issue: issueOf(issue),
    sender: OLIVIA.login,
    runId: null,
    receivedAt: '2026-11-21T10:00:00.000Z',
    fact: factOf(id),
    details: { event: 'issues', action: 'closed' },
    ...more,
  };
}

/** The facts of an issue as they lie in its inbox, in order. */
export async function factsOf(db: Database, issue: number): Promise<{ seq: number; deliveryId: string; fact: Fact }[]> {
  return db
    .select({ seq: issueFacts.seq, deliveryId: issueFacts.deliveryId, fact: issueFacts.fact })
    .from(issueFacts)
    .where(eq(issueFacts.issueKey, keyOf(issue)))
    .orderBy(asc(issueFacts.seq));
}

/** `from`, `from + 1`, … up to `to`. */
export function count(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

/** The ids of a chain's events in order; throws where the chain is broken. */
export async function verifiedChain(db: Database, chain: string): Promise<string[]> {
  const rows = await db.select().from(flowEvents).where(eq(flowEvents.chain, chain)).orderBy(asc(flowEvents.seq));
  let previous = '0'.repeat(64);
  for (const [index, { seq, previousHash, hash, occurredAt, ...rest }] of rows.entries()) {
    const event: FlowEvent = { ...rest, occurredAt: occurredAt.toISOString() };
    const good = seq === index + 1 && previousHash === previous && hash === eventHash(previousHash, seq, event);
    if (!good) throw new Error(`the chain ${chain} is broken at ${seq} (${rest.id})`);
    previous = hash;
  }
  return rows.map(({ id }) => id);
}

/** What a run's agent is given: nothing that a test looks at, but for what it says itself. */
export function assignmentOf(
  runId: string,
  more: Partial<Parameters<typeof storeAssignment>[1]> = {},
): Parameters<typeof storeAssignment>[1] {
  return {
    runId,
    repositoryId: REPOSITORY.id,
    repositoryFullName: 'acme/demo',
    branch: 'codex/issue-7',
    baseBranch: 'main',
    kind: 'work',
    prompt: 'Please.',
    promptSha256: '',
    model: 'gpt-5.5',
    reasoningEffort: 'medium',
    resumeThreadId: null,
    resumeRunId: null,
    ...more,
  };
}
