// Requests that one peer still owes us, in the order in which they were sent: peers answer first in, first out.
// Parallel typed arrays, because this is touched twice for every block.

const FIRST_CAPACITY = 64;
/** Peers that read from disk with several threads answer a little out of order; this near, no array is moved whole. */
const NEAR_HEAD = 32;

export class RequestQueue {
  #pieces = new Int32Array(FIRST_CAPACITY);
  #blocks = new Int32Array(FIRST_CAPACITY);
  #sentAtMs = new Float64Array(FIRST_CAPACITY);
  #dueAtMs = new Float64Array(FIRST_CAPACITY);
  #head = 0;
  #end = 0;

  get count(): number {
    return this.#end - this.#head;
  }

  pieceAt(index: number): number {
    return this.#pieces[this.#head + index] ?? -1;
  }

  blockAt(index: number): number {
    return this.#blocks[this.#head + index] ?? -1;
  }

  sentAtMs(index: number): number {
    return this.#sentAtMs[this.#head + index] ?? 0;
  }

  /** When the block was thought to arrive, as of the time of asking (for a ghost: until when it counts as queued). */
  dueAtMs(index: number): number {
    return this.#dueAtMs[this.#head + index] ?? 0;
  }

  push(piece: number, block: number, sentAtMs: number, dueAtMs: number): void {
    if (this.#end === this.#pieces.length) this.#makeRoom();
    this.#pieces[this.#end] = piece;
    this.#blocks[this.#end] = block;
    this.#sentAtMs[this.#end] = sentAtMs;
    this.#dueAtMs[this.#end] = dueAtMs;
    this.#end++;
  }

  /** Position in the queue, or −1. Answers come mostly in order, so this mostly looks at one entry. */
  indexOf(piece: number, block: number): number {
    for (let at = this.#head; at < this.#end; at++) {
      if (this.#blocks[at] === block && this.#pieces[at] === piece) return at - this.#head;
    }
    return -1;
  }

  removeAt(index: number): void {
    const at = this.#head + index;
    if (index < NEAR_HEAD) {
      this.#closeGapFromHead(at);
      return;
    }
    this.#pieces.copyWithin(at, at + 1, this.#end);
    this.#blocks.copyWithin(at, at + 1, this.#end);
    this.#sentAtMs.copyWithin(at, at + 1, this.#end);
    this.#dueAtMs.copyWithin(at, at + 1, this.#end);
    this.#end--;
  }

  /** What was asked before `at` moves up by one. */
  #closeGapFromHead(at: number): void {
    for (let to = at; to > this.#head; to--) {
      this.#pieces[to] = this.#pieces[to - 1] ?? 0;
      this.#blocks[to] = this.#blocks[to - 1] ?? 0;
      this.#sentAtMs[to] = this.#sentAtMs[to - 1] ?? 0;
      this.#dueAtMs[to] = this.#dueAtMs[to - 1] ?? 0;
    }
    this.#head++;
    if (this.#head < this.#end) return;
    this.#head = 0;
    this.#end = 0;
  }

  /** Moves the entries to the front; doubles the arrays where they fill more than half. */
  #makeRoom(): void {
    const count = this.count;
    const capacity = count * 2 > this.#pieces.length ? this.#pieces.length * 2 : this.#pieces.length;
    this.#pieces = compacted(this.#pieces, () => new Int32Array(capacity), this.#head);
    this.#blocks = compacted(this.#blocks, () => new Int32Array(capacity), this.#head);
    this.#sentAtMs = compacted(this.#sentAtMs, () => new Float64Array(capacity), this.#head);
    this.#dueAtMs = compacted(this.#dueAtMs, () => new Float64Array(capacity), this.#head);
    this.#head = 0;
    this.#end = count;
  }
}

/** The arrays are full: entries from `head` to the very end move to the front, of a larger array if head is small. */
function compacted<T extends Int32Array | Float64Array>(from: T, larger: () => T, head: number): T {
  if (head >= from.length / 2) {
    from.copyWithin(0, head);
    return from;
  }
  const to = larger();
  to.set(from.subarray(head));
  return to;
}
