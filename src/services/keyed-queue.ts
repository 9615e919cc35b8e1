// Tasks of one key run one after the other, those of different keys side by side. So two commands on one torrent never
// meet half-done work of each other.

export class KeyedQueue<K> {
  readonly #tails = new Map<K, Promise<void>>();

  /** Runs `task` at once where nothing of `key` runs, else after it. Settles as the task does. */
  run<T>(key: K, task: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(key);
    const result = before === undefined ? task() : before.then(task);
    // The caller gets the failure; the next task only needs to know that this one is over.
    const tail: Promise<void> = result.then(
      () => this.#leave(key, tail),
      () => this.#leave(key, tail),
    );
    this.#tails.set(key, tail);
    return result;
  }

  /** Resolves when everything that was queued so far is over. */
  async idle(): Promise<void> {
    await Promise.all(this.#tails.values());
  }

  #leave(key: K, tail: Promise<void>): void {
    if (this.#tails.get(key) === tail) this.#tails.delete(key);
  }
}
