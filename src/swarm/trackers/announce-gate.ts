import { EgressError } from "../egress/egress-error.ts";

interface Waiting {
  readonly host: string;
  enter(): void;
}

/**
 * Lets only so many announces run at once, in all and per tracker host, in the order of asking. A tracker that hangs
 * keeps its own few places busy, not everybody's; a thousand torrents that start do not open a thousand connections.
 */
export class AnnounceGate {
  readonly #limits: { readonly total: number; readonly perHost: number };
  readonly #running = new Map<string, number>();
  #runningTotal = 0;
  #queue: Waiting[] = [];

  constructor(limits: { total: number; perHost: number }) {
    this.#limits = limits;
  }

  /** Runs `task` when there is room. Throws EgressError aborted while waiting, and whatever the task throws. */
  async run<T>(host: string, signal: AbortSignal, task: () => Promise<T>): Promise<T> {
    await this.#enter(host, signal);
    try {
      return await task();
    } finally {
      this.#leave(host);
    }
  }

  #enter(host: string, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.reject(new EgressError("aborted", "stopped"));
    if (this.#hasRoom(host)) {
      this.#count(host, 1);
      return Promise.resolve();
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const onAbort = () => {
      this.#queue = this.#queue.filter((one) => one !== waiting);
      reject(new EgressError("aborted", "stopped"));
    };
    const waiting: Waiting = {
      host,
      enter: () => {
        signal.removeEventListener("abort", onAbort);
        resolve();
      },
    };
    signal.addEventListener("abort", onAbort, { once: true });
    this.#queue.push(waiting);
    return promise;
  }

  #leave(host: string): void {
    this.#count(host, -1);
    for (let at = 0; at < this.#queue.length && this.#runningTotal < this.#limits.total; ) {
      const next = this.#queue[at];
      if (next === undefined || !this.#hasRoom(next.host)) {
        at++;
        continue;
      }
      this.#queue.splice(at, 1);
      this.#count(next.host, 1);
      next.enter();
    }
  }

  #hasRoom(host: string): boolean {
    return this.#runningTotal < this.#limits.total && (this.#running.get(host) ?? 0) < this.#limits.perHost;
  }

  #count(host: string, change: 1 | -1): void {
    this.#runningTotal += change;
    const running = (this.#running.get(host) ?? 0) + change;
    if (running === 0) this.#running.delete(host);
    else this.#running.set(host, running);
  }
}
