// A block that the viewer waits for goes to another peer when that one will have it much sooner: moved, if the first
// has not come to it yet, else asked of both. Duplicates are bounded; whoever delivers first wins, the others are
// cancelled on arrival.

import type { Allowance, OrderBook } from "./order-book.ts";
import type { PeerState } from "./peer-state.ts";
import { URGENCY } from "./piece-table.ts";
import type { Suspects } from "./suspects.ts";
import type { StreamWindows } from "./windows.ts";

const PERIOD_MS = 50;
const TOLERANCE_MS = 50;
const GAIN = 0.7;
const COPIES = 2;
const COPIES_OVERDUE = 3;
const OVERDUE_MS = 2_000;
const WASTE_WINDOW_MS = 30_000;
const WASTE_SHARE = 0.05;
const WASTE_FLOOR_BYTES = 256 * 1024;

interface Late {
  readonly piece: number;
  readonly block: number;
  readonly deadlineMs: number;
  /** Of the requester that will have it soonest. */
  etaMs: number;
  holder: PeerState;
  /** Its place in the holder's queue; 0 = it may be on its way already. */
  place: number;
}

export class Race {
  readonly #book: OrderBook;
  readonly #suspects: Suspects;
  readonly #received = new DecayingSum();
  readonly #duplicated = new DecayingSum();
  #ranAtMs = Number.NEGATIVE_INFINITY;

  constructor(book: OrderBook, suspects: Suspects) {
    this.#book = book;
    this.#suspects = suspects;
  }

  received(bytes: number): void {
    this.#received.add(bytes, this.#book.nowMs);
  }

  run(windows: StreamWindows, peers: readonly PeerState[], allowance: Allowance): void {
    const { nowMs } = this.#book;
    if (nowMs - this.#ranAtMs < PERIOD_MS) return;
    this.#ranAtMs = nowMs;
    if (!windows.streams.some((window) => window.now.length > 0)) return;
    for (const late of this.#lateBlocks(windows, peers)) {
      if (allowance.streamBytes <= 0 || allowance.orders <= 0) return;
      this.#raceBlock(late, peers, allowance);
    }
  }

  #isWasteful(): boolean {
    const { nowMs } = this.#book;
    const duplicated = this.#duplicated.value(nowMs);
    const received = this.#received.value(nowMs);
    return duplicated > Math.max(WASTE_FLOOR_BYTES, WASTE_SHARE * received);
  }

  /** P0 blocks whose best requester will be late, most urgent first. */
  #lateBlocks(windows: StreamWindows, peers: readonly PeerState[]): Late[] {
    const deadlines = new Map<number, number>();
    for (const window of windows.streams) {
      for (const { piece, deadlineMs } of window.now) {
        deadlines.set(piece, Math.min(deadlineMs, deadlines.get(piece) ?? deadlineMs));
      }
    }
    const asked = new Map<number, Late>();
    for (const peer of peers) this.#collect(peer, deadlines, asked);
    const { nowMs } = this.#book;
    return [...asked.values()]
      .filter((late) => nowMs + late.etaMs > late.deadlineMs + TOLERANCE_MS)
      .sort((a, b) => a.deadlineMs - b.deadlineMs || a.piece - b.piece || a.block - b.block);
  }

  #collect(peer: PeerState, deadlines: ReadonlyMap<number, number>, asked: Map<number, Late>): void {
    const { pieces, nowMs } = this.#book;
    const { queue } = peer;
    for (let i = 0; i < queue.count; i++) {
      const piece = queue.pieceAt(i);
      if (pieces.urgency[piece] !== URGENCY.now) continue;
      const deadlineMs = deadlines.get(piece);
      if (deadlineMs === undefined || this.#suspects.has(piece)) continue;
      const block = queue.blockAt(i);
      const etaMs = peer.etaQueuedMs((i * queue.bytes) / queue.count, nowMs - queue.sentAtMs(i));
      const id = piece * pieces.geometry.blocksPerPiece + block;
      const known = asked.get(id);
      if (known === undefined) asked.set(id, { piece, block, deadlineMs, etaMs, holder: peer, place: i });
      else if (etaMs < known.etaMs) Object.assign(known, { etaMs, holder: peer, place: i });
    }
  }

  #raceBlock(late: Late, peers: readonly PeerState[], allowance: Allowance): void {
    const partial = this.#book.pieces.partials.get(late.piece);
    if (partial === undefined || partial.copies(late.block) === 0) return;
    const copies = partial.copies(late.block);
    const isMove = copies === 1 && late.place > 0;
    if (!isMove && (this.#isWasteful() || copies >= this.#copiesAllowed(late))) return;
    const best = this.#faster(late, peers);
    if (best === null) return;
    this.#book.request(best, partial, late.block, { allowance, from: "stream" });
    if (!isMove) {
      this.#duplicated.add(this.#book.pieces.geometry.blockLength(late.piece, late.block), this.#book.nowMs);
      return;
    }
    const index = late.holder.queue.indexOf(late.piece, late.block);
    if (index >= 0) this.#book.cancelAt(late.holder, index);
  }

  #copiesAllowed(late: Late): number {
    return this.#book.nowMs - late.deadlineMs > OVERDUE_MS ? COPIES_OVERDUE : COPIES;
  }

  #faster(late: Late, peers: readonly PeerState[]): PeerState | null {
    let best: PeerState | null = null;
    let bestMs = late.etaMs * GAIN;
    for (const peer of peers) {
      if (peer.snub !== "none" || !peer.canAsk(late.piece)) continue;
      const etaMs = peer.etaNewMs();
      // Its queue may be full of what is less late; how full counts in the estimate.
      if (etaMs >= bestMs || peer.queue.count >= peer.model.depthCap) continue;
      if (peer.queue.indexOf(late.piece, late.block) >= 0) continue;
      best = peer;
      bestMs = etaMs;
    }
    return best;
  }
}

/** A sum that forgets with the waste window as its time constant. */
class DecayingSum {
  #sum = 0;
  #atMs = 0;

  add(amount: number, nowMs: number): void {
    this.#sum = this.value(nowMs) + amount;
    this.#atMs = nowMs;
  }

  value(nowMs: number): number {
    return this.#sum * Math.exp((this.#atMs - nowMs) / WASTE_WINDOW_MS);
  }
}
