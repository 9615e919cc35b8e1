// Memory for pieces in the making, shared by all torrents. The last eighth is kept for what streams wait for. A
// torrent that holds nothing is always granted one piece, so that no torrent starves behind others (and pieces larger
// than the whole budget still arrive); the budget can be exceeded by that much, one piece for each active torrent.

/** Who holds memory; asked to give up what lies idle when it runs short. */
export interface MemoryHolder {
  readonly heldBytes: number;
  /** Gives back buffers of pieces that have stood still for long. */
  dropStale(): void;
}

const STREAM_SHARE = 1 / 8;

export class AssemblyBudget {
  readonly capacityBytes: number;
  readonly #holders = new Set<MemoryHolder>();
  readonly #pool = new Map<number, Uint8Array[]>();
  #usedBytes = 0;
  #pooledBytes = 0;

  constructor(capacityBytes: number) {
    this.capacityBytes = capacityBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  join(holder: MemoryHolder): void {
    this.#holders.add(holder);
  }

  leave(holder: MemoryHolder): void {
    this.#holders.delete(holder);
  }

  /** A buffer of exactly `lengthBytes` with undefined content, or null where memory is short. */
  tryTake(holder: MemoryHolder, lengthBytes: number, isUrgent: boolean): Uint8Array | null {
    if (!this.#mayTake(holder, lengthBytes, isUrgent)) {
      for (const other of this.#holders) other.dropStale();
      if (!this.#mayTake(holder, lengthBytes, isUrgent)) return null;
    }
    this.#usedBytes += lengthBytes;
    return this.#fromPool(lengthBytes) ?? new Uint8Array(Buffer.allocUnsafeSlow(lengthBytes).buffer);
  }

  /** Gives memory back; what is pooled goes when nothing is in use. A buffer that may still be written to is not reused. */
  giveBack(buffer: Uint8Array, isReusable: boolean): void {
    this.#usedBytes -= buffer.length;
    if (this.#usedBytes === 0) this.#emptyPool();
    if (!isReusable || this.#usedBytes + this.#pooledBytes + buffer.length > this.capacityBytes) return;
    this.#pooledBytes += buffer.length;
    const sameSize = this.#pool.get(buffer.length);
    if (sameSize === undefined) this.#pool.set(buffer.length, [buffer]);
    else sameSize.push(buffer);
  }

  #mayTake(holder: MemoryHolder, lengthBytes: number, isUrgent: boolean): boolean {
    if (holder.heldBytes === 0) return true;
    const limitBytes = isUrgent ? this.capacityBytes : this.capacityBytes * (1 - STREAM_SHARE);
    return this.#usedBytes + lengthBytes <= limitBytes;
  }

  #fromPool(lengthBytes: number): Uint8Array | undefined {
    const buffer = this.#pool.get(lengthBytes)?.pop();
    if (buffer !== undefined) this.#pooledBytes -= lengthBytes;
    else if (this.#usedBytes + this.#pooledBytes > this.capacityBytes) this.#emptyPool();
    return buffer;
  }

  #emptyPool(): void {
    this.#pool.clear();
    this.#pooledBytes = 0;
  }
}
