/** The collections that replace emulate's in-memory store. */
import type { Row } from '../rows.ts';
import { RowCollection, type RowChange } from './collection.ts';

/** Implements the interface of emulate's `Store` and notifies listeners of every change of a row. */
export class RowStore {
  readonly #collections = new Map<string, RowCollection<Row>>();
  readonly #data = new Map<string, unknown>();
  readonly #listeners: ((change: RowChange) => void)[] = [];

  onChange(listener: (change: RowChange) => void): void {
    this.#listeners.push(listener);
  }

  collection<T extends Row>(name: string, indexFields: readonly string[] = []): RowCollection<T> {
    const existing = this.#collections.get(name);
    if (existing) return existing as unknown as RowCollection<T>;
    const created = new RowCollection<T>(name, indexFields, (change) => {
      for (const listener of this.#listeners) listener(change);
    });
    this.#collections.set(name, created);
    return created;
  }

  /** The next id of a collection; ids of deleted rows are not used again. */
  nextId(name: string): number {
    return this.#collections.get(name)?.nextId ?? 1;
  }

  /** Temporary values of emulate's sign-in pages, which are not stored. */
  getData(key: string): unknown {
    return this.#data.get(key);
  }

  setData(key: string, value: unknown): void {
    this.#data.set(key, value);
  }
}
