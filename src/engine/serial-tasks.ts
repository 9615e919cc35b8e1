/** Runs asynchronous tasks one after the other, in the order in which they were given; a failed one stops none. */
export class SerialTasks {
  #tail: Promise<unknown> = Promise.resolve();

  run<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(task, task);
    this.#tail = result.catch(() => undefined);
    return result;
  }
}
