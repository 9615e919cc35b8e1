// One info dictionary in the making: the parts that peers claiming one and the same size have sent. Memory grows only
// by what was really received. Who sent which part is kept until the hash has spoken.

import { PART_BYTES, partCountOf } from "./message.ts";

interface Part {
  bytes: Uint8Array | null;
  from: number | null;
  /** Peers that were asked and have not answered, and when. */
  readonly askedAtMs: Map<number, number>;
}

export class Assembly {
  readonly totalBytes: number;
  readonly createdAtMs: number;
  /** When a part last came in. */
  progressAtMs: number;
  /** How many whole sets failed the hash. */
  failedRounds = 0;
  #parts: Part[];
  #haveCount = 0;

  constructor(totalBytes: number, nowMs: number) {
    this.totalBytes = totalBytes;
    this.createdAtMs = nowMs;
    this.progressAtMs = nowMs;
    this.#parts = emptyParts(totalBytes);
  }

  get partCount(): number {
    return this.#parts.length;
  }

  get haveCount(): number {
    return this.#haveCount;
  }

  get isWhole(): boolean {
    return this.#haveCount === this.#parts.length;
  }

  partLength(part: number): number {
    return Math.min(PART_BYTES, this.totalBytes - part * PART_BYTES);
  }

  /** Keeps a copy of the part; false where it is there already. */
  put(part: number, bytes: Uint8Array, from: { readonly peer: number; readonly nowMs: number }): boolean {
    const slot = this.#parts[part];
    if (slot === undefined || slot.bytes !== null) return false;
    slot.bytes = bytes.slice();
    slot.from = from.peer;
    slot.askedAtMs.clear();
    this.#haveCount++;
    this.progressAtMs = from.nowMs;
    return true;
  }

  /**
   * The missing part that `peer` should be asked for: one that nobody was asked for, else one whose only request
   * is older than `duplicateAfterMs`. Null where there is none.
   */
  nextPartFor(peer: number, nowMs: number, duplicateAfterMs: number): number | null {
    let duplicate: number | null = null;
    for (let part = 0; part < this.#parts.length; part++) {
      const slot = this.#parts[part];
      if (slot === undefined || slot.bytes !== null || slot.askedAtMs.has(peer)) continue;
      if (slot.askedAtMs.size === 0) return part;
      const [askedAtMs] = slot.askedAtMs.values();
      const isSlow = slot.askedAtMs.size === 1 && nowMs - (askedAtMs ?? nowMs) >= duplicateAfterMs;
      if (isSlow) duplicate ??= part;
    }
    return duplicate;
  }

  asked(part: number, peer: number, nowMs: number): void {
    this.#parts[part]?.askedAtMs.set(peer, nowMs);
  }

  outstandingOf(peer: number): number {
    return this.#parts.reduce((count, slot) => count + (slot.askedAtMs.has(peer) ? 1 : 0), 0);
  }

  /** Forgets what `peer` was asked for and has not answered. */
  release(peer: number): void {
    for (const slot of this.#parts) slot.askedAtMs.delete(peer);
  }

  /** Peers with a request older than `timeoutMs`. */
  silentPeers(nowMs: number, timeoutMs: number): Set<number> {
    const silent = new Set<number>();
    for (const slot of this.#parts) {
      for (const [peer, askedAtMs] of slot.askedAtMs) if (nowMs - askedAtMs >= timeoutMs) silent.add(peer);
    }
    return silent;
  }

  contributors(): Set<number> {
    return new Set(this.#parts.map((slot) => slot.from).filter((peer) => peer !== null));
  }

  joined(): Uint8Array {
    const whole = new Uint8Array(this.totalBytes);
    this.#parts.forEach((slot, part) => {
      if (slot.bytes !== null) whole.set(slot.bytes, part * PART_BYTES);
    });
    return whole;
  }

  clear(): void {
    this.#parts = emptyParts(this.totalBytes);
    this.#haveCount = 0;
  }
}

function emptyParts(totalBytes: number): Part[] {
  return Array.from({ length: partCountOf(totalBytes) }, () => ({
    bytes: null,
    from: null,
    askedAtMs: new Map(),
  }));
}
