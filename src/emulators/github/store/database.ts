/** The emulator's state on disk: one SQLite file, to which every change is written before it is acknowledged. */
import { DatabaseSync } from 'node:sqlite';
import type { Row } from '../rows.ts';
import type { RowChange } from './collection.ts';
import type { RowStore } from './store.ts';

/** Collections that are not stored here: git objects are read from the bare repositories at start. */
const KEPT_BY_GIT = new Set(['github.blobs', 'github.trees', 'github.commits']);

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS rows (
    collection TEXT NOT NULL, id INTEGER NOT NULL, json TEXT NOT NULL, PRIMARY KEY (collection, id)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS counters (collection TEXT PRIMARY KEY, next INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT, hook_id INTEGER NOT NULL, repo_id INTEGER, guid TEXT NOT NULL,
    event TEXT NOT NULL, action TEXT, redelivery INTEGER NOT NULL, body TEXT NOT NULL, outcome TEXT
  );
  CREATE INDEX IF NOT EXISTS deliveries_of_hook ON deliveries (hook_id, id);
`;

/**
 * Stages rows and writes them in one transaction. The file is locked, so that no second emulator can start on the same
 * directory; the lock ends with the process, however it ends.
 */
export class Database {
  readonly sql: DatabaseSync;
  readonly #staged = new Map<string, { collection: string; id: number; row: Row | undefined }>();
  readonly #store: RowStore;

  constructor(file: string, store: RowStore) {
    this.#store = store;
    this.sql = new DatabaseSync(file);
    this.sql.exec(
      'PRAGMA busy_timeout = 2000; PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;',
    );
    this.sql.exec(SCHEMA);
    store.onChange((change) => this.#stage(change));
  }

  get dirty(): boolean {
    return this.#staged.size > 0;
  }

  get empty(): boolean {
    return this.sql.prepare('SELECT 1 FROM rows LIMIT 1').get() === undefined;
  }

  /** Fills a collection with the rows that an earlier process stored. */
  load(collection: string): void {
    const stored = this.sql.prepare('SELECT json FROM rows WHERE collection = ? ORDER BY id').all(collection);
    const counter = this.sql.prepare('SELECT next FROM counters WHERE collection = ?').get(collection);
    const rows = stored.map(({ json }) => JSON.parse(String(json)) as Row);
    this.#store.collection(collection).load(rows, Number(counter?.['next'] ?? 1));
  }

  loadAll(): void {
    const names = this.sql.prepare('SELECT collection FROM rows UNION SELECT collection FROM counters').all();
    for (const { collection } of names) this.load(String(collection));
  }

  /** Writes what is staged, and whatever `also` writes, in one transaction. */
  commit<T>(also: () => T): T {
    this.sql.exec('BEGIN IMMEDIATE');
    try {
      this.#writeStaged();
      const result = also();
      this.sql.exec('COMMIT');
      this.#staged.clear();
      return result;
    } catch (error) {
      this.sql.exec('ROLLBACK');
      throw error;
    }
  }

  close(): void {
    this.sql.close();
  }

  #stage({ collection, before, after }: RowChange): void {
    const id = (after ?? before)?.id;
    if (id === undefined || KEPT_BY_GIT.has(collection)) return;
    this.#staged.set(`${collection} ${id}`, { collection, id, row: after });
  }

  #writeStaged(): void {
    const put = this.sql.prepare('INSERT OR REPLACE INTO rows (collection, id, json) VALUES (?, ?, ?)');
    const remove = this.sql.prepare('DELETE FROM rows WHERE collection = ? AND id = ?');
    const count = this.sql.prepare('INSERT OR REPLACE INTO counters (collection, next) VALUES (?, ?)');
    for (const { collection, id, row } of this.#staged.values()) {
      if (row) put.run(collection, id, JSON.stringify(row));
      else remove.run(collection, id);
    }
    for (const name of new Set([...this.#staged.values()].map((staged) => staged.collection))) {
      count.run(name, this.#store.nextId(name));
    }
  }
}
