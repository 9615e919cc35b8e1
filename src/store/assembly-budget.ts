// Memory for pieces in the making, shared by all torrents: an account only, the bytes are the piece memory's. The last
// eighth is kept for what streams wait for. A torrent that holds nothing is always granted one piece, so that no
// torrent starves behind others (and pieces larger than the whole budget still arrive); the budget can be exceeded by
// that much, one piece for each active torrent.

/** Who holds memory; asked to give up what lies idle when it runs short. */
export interface MemoryHolder {
  readonly heldBytes: number;
  /** Gives back what pieces hold that have stood still for long, now or soon. */
  giveUpStale(): void;
}

const STREAM_SHARE = 1 / 8;
/** From here on memory is short: nothing new is begun for the background (engine), so what is stale must go. */
const SHORT_SHARE = 3 / 4;
/** What memory is handed out in. */
const SLAB_BYTES = 64 * 1024;

/** What a piece of this length takes of the budget. */
export function slabBytesOf(lengthBytes: number): number {
  return Math.ceil(lengthBytes / SLAB_BYTES) * SLAB_BYTES;
}

export class AssemblyBudget {
  readonly capacityBytes: number;
  readonly #holders = new Set<MemoryHolder>();
  readonly #waiting = new Set<() => void>();
  #usedBytes = 0;
  #settlingBytes = 0;
  /** Somebody waits for memory since some last came back. */
  #isAwaited = false;

  constructor(capacityBytes: number) {
    this.capacityBytes = capacityBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** The part of `usedBytes` whose pieces have all their blocks: it comes back without another one. */
  get settlingBytes(): number {
    return this.#settlingBytes;
  }

  join(holder: MemoryHolder): void {
    this.#holders.add(holder);
  }

  leave(holder: MemoryHolder): void {
    this.#holders.delete(holder);
  }

  /** Calls `listener` whenever memory comes back that somebody was refused or awaits. Returns what ends it. */
  onFree(listener: () => void): () => void {
    this.#waiting.add(listener);
    return () => void this.#waiting.delete(listener);
  }

  /** Enters a piece into the account; false where memory is short. */
  tryTake(holder: MemoryHolder, lengthBytes: number, isUrgent: boolean): boolean {
    const bytes = slabBytesOf(lengthBytes);
    if (this.#usedBytes + bytes > this.capacityBytes * SHORT_SHARE) {
      for (const other of this.#holders) other.giveUpStale();
    }
    if (!this.#mayTake(holder, bytes, isUrgent)) {
      this.#isAwaited = true;
      return false;
    }
    this.#usedBytes += bytes;
    return true;
  }

  /** The next memory that comes back is told, once. */
  awaitFree(): void {
    this.#isAwaited = true;
  }

  /** A piece of this length has all its blocks. */
  sealed(lengthBytes: number): void {
    this.#settlingBytes += slabBytesOf(lengthBytes);
  }

  /** A sealed piece is done with; giveBack() follows. */
  settled(lengthBytes: number): void {
    this.#settlingBytes -= slabBytesOf(lengthBytes);
  }

  /** A piece of this length is gone from memory. */
  giveBack(lengthBytes: number): void {
    this.#usedBytes -= slabBytesOf(lengthBytes);
    if (!this.#isAwaited) return;
    this.#isAwaited = false;
    queueMicrotask(() => {
      for (const listener of [...this.#waiting]) listener();
    });
  }

  #mayTake(holder: MemoryHolder, bytes: number, isUrgent: boolean): boolean {
    if (holder.heldBytes === 0) return true;
    const limitBytes = isUrgent ? this.capacityBytes : this.capacityBytes * (1 - STREAM_SHARE);
    return this.#usedBytes + bytes <= limitBytes;
  }
}
