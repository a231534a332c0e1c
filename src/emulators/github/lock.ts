/** One change at a time. */
export class Lock {
  #last: Promise<unknown> = Promise.resolve();

  /** Runs `change` when everything before it has ended, however that ended. */
  async run<T>(change: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(change, change);
    this.#last = mine.catch(() => undefined);
    return mine;
  }
}
