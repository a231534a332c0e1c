/** A table in memory that notifies its owner of every change; emulate's routes read and write it. */
import type { Row } from '../rows.ts';

/** The values of a new row; the id is assigned unless the caller gives one. */
export type NewRow<T extends Row> = Omit<T, 'id' | 'created_at' | 'updated_at'> & { id?: number };

/** One change of one row: no `before` for an insert, no `after` for a delete. */
export interface RowChange<T extends Row = Row> {
  collection: string;
  before?: T;
  after?: T;
}

export interface QueryOptions<T> {
  filter?: (item: T) => boolean;
  sort?: (left: T, right: T) => number;
  page?: number;
  per_page?: number;
}

/** The interface of emulate's `Collection`; rows are never changed in place. */
export class RowCollection<T extends Row> {
  readonly fieldNames: string[];
  readonly #name: string;
  readonly #rows = new Map<number, T>();
  readonly #indexes = new Map<string, Map<string, Map<number, T>>>();
  readonly #changed: (change: RowChange) => void;
  #nextId = 1;

  constructor(name: string, indexFields: readonly string[], changed: (change: RowChange) => void) {
    this.#name = name;
    this.#changed = changed;
    this.fieldNames = indexFields.toSorted();
    for (const field of indexFields) this.#indexes.set(field, new Map());
  }

  get nextId(): number {
    return this.#nextId;
  }

  /** Loads stored rows without notifying anybody. */
  load(rows: Iterable<T>, nextId: number): void {
    for (const row of rows) {
      this.#rows.set(row.id, row);
      this.#index(row);
      this.#nextId = Math.max(this.#nextId, row.id + 1);
    }
    this.#nextId = Math.max(this.#nextId, nextId);
  }

  insert(data: NewRow<T>): T {
    const now = new Date().toISOString();
    const id = data.id !== undefined && data.id > 0 ? data.id : this.#nextId;
    this.#nextId = Math.max(this.#nextId, id + 1);
    const row = { ...data, id, created_at: now, updated_at: now } as unknown as T;
    this.#rows.set(id, row);
    this.#index(row);
    this.#changed({ collection: this.#name, after: row });
    return row;
  }

  update(id: number, data: Partial<T>): T | undefined {
    const before = this.#rows.get(id);
    if (!before) return undefined;
    const after = { ...before, ...data, id, updated_at: new Date().toISOString() };
    this.#unindex(before, after);
    this.#rows.set(id, after);
    this.#index(after);
    this.#changed({ collection: this.#name, before, after });
    return after;
  }

  delete(id: number): boolean {
    const before = this.#rows.get(id);
    if (!before) return false;
    this.#unindex(before);
    this.#rows.delete(id);
    this.#changed({ collection: this.#name, before });
    return true;
  }

  get(id: number): T | undefined {
    return this.#rows.get(id);
  }

  findBy(field: keyof T & string, value: unknown): T[] {
    const index = this.#indexes.get(field);
    if (index) return [...(index.get(String(value))?.values() ?? [])];
    return this.all().filter((row) => row[field] === value);
  }

  findOneBy(field: keyof T & string, value: unknown): T | undefined {
    const index = this.#indexes.get(field);
    if (index) return index.get(String(value))?.values().next().value;
    return this.all().find((row) => row[field] === value);
  }

  all(): T[] {
    return [...this.#rows.values()];
  }

  count(filter?: (row: T) => boolean): number {
    return filter ? this.all().filter(filter).length : this.#rows.size;
  }

  query(options: QueryOptions<T> = {}): Record<string, unknown> {
    const rows = options.filter ? this.all().filter(options.filter) : this.all();
    if (options.sort) rows.sort(options.sort);
    const page = options.page ?? 1;
    const per_page = Math.min(options.per_page ?? 30, 100);
    const start = (page - 1) * per_page;
    const has_next = start + per_page < rows.length;
    return {
      items: rows.slice(start, start + per_page),
      total_count: rows.length,
      page,
      per_page,
      has_next,
      has_prev: page > 1,
    };
  }

  clear(): void {
    for (const id of this.#rows.keys()) this.delete(id);
  }

  #index(row: T): void {
    for (const [field, index] of this.#indexes) {
      const value = row[field as keyof T];
      if (value === undefined || value === null) continue;
      const bucket = index.get(String(value)) ?? new Map<number, T>();
      index.set(String(value), bucket.set(row.id, row));
    }
  }

  /** Removes a row from its index buckets, except from those that its next version is in, so that the order stays. */
  #unindex(row: T, next?: T): void {
    for (const [field, index] of this.#indexes) {
      const value = row[field as keyof T];
      if (next && next[field as keyof T] === value) continue;
      index.get(String(value))?.delete(row.id);
    }
  }
}
