/** The log of all webhook deliveries, as GitHub keeps it: request, time and response. */
import type { SQLInputValue } from 'node:sqlite';
import type { Database } from '../store/database.ts';

/** The result of sending a delivery. A delivery without one has not been sent yet. */
export interface Outcome {
  deliveredAt: string;
  durationSeconds: number;
  status: string;
  statusCode: number;
  request: { url: string; headers: Record<string, string> };
  response: { headers: Record<string, string>; payload: string };
}

export interface NewDelivery {
  hookId: number;
  repoId: number | null;
  guid: string;
  event: string;
  action: string | null;
  redelivery: boolean;
  body: string;
}

export interface Delivery extends NewDelivery {
  id: number;
  outcome: Outcome | null;
}

/** Parameters of a page of deliveries. */
export interface DeliveryPage {
  hookId: number;
  limit: number;
  /** Only deliveries older than this one. */
  before?: number;
  status?: 'success' | 'failure';
}

/** Keeps deliveries in the database only, since there are many and they are read seldom. */
export class DeliveryLog {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Adds a delivery that is to be sent; call it inside a commit. */
  add({ hookId, repoId, guid, event, action, redelivery, body }: NewDelivery): Delivery {
    const insert = this.#database.sql.prepare(
      'INSERT INTO deliveries (hook_id, repo_id, guid, event, action, redelivery, body) VALUES (?, ?, ?, ?, ?, ?, ?)',
    );
    const { lastInsertRowid } = insert.run(hookId, repoId, guid, event, action, redelivery ? 1 : 0, body);
    return { id: Number(lastInsertRowid), hookId, repoId, guid, event, action, redelivery, body, outcome: null };
  }

  conclude(id: number, outcome: Outcome): void {
    this.#database.sql.prepare('UPDATE deliveries SET outcome = ? WHERE id = ?').run(JSON.stringify(outcome), id);
  }

  get(hookId: number, id: number): Delivery | undefined {
    return this.#select('hook_id = ? AND id = ? AND outcome IS NOT NULL', [hookId, id])[0];
  }

  /** Sent deliveries of one hook, newest first. */
  page({ hookId, limit, before = Number.MAX_SAFE_INTEGER, status }: DeliveryPage): Delivery[] {
    const ok = "json_extract(outcome, '$.status') = 'OK'";
    const only = status === undefined ? '' : status === 'success' ? ` AND ${ok}` : ` AND NOT ${ok}`;
    const where = `hook_id = ? AND id < ? AND outcome IS NOT NULL${only} ORDER BY id DESC LIMIT ?`;
    return this.#select(where, [hookId, before, limit]);
  }

  /** Deliveries that an earlier process recorded but did not send. */
  unsent(): Delivery[] {
    return this.#select('outcome IS NULL ORDER BY id', []);
  }

  #select(where: string, values: SQLInputValue[]): Delivery[] {
    const rows = this.#database.sql.prepare(`SELECT * FROM deliveries WHERE ${where}`).all(...values);
    return rows.map((row) => ({
      id: Number(row['id']),
      hookId: Number(row['hook_id']),
      repoId: row['repo_id'] === null ? null : Number(row['repo_id']),
      guid: String(row['guid']),
      event: String(row['event']),
      action: row['action'] === null ? null : String(row['action']),
      redelivery: row['redelivery'] === 1,
      body: String(row['body']),
      outcome: row['outcome'] === null ? null : (JSON.parse(String(row['outcome'])) as Outcome),
    }));
  }
}
