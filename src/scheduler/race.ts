// A block that the viewer waits for goes to another peer when that one will have it much sooner: moved, if the first
// has not come to it yet, else asked of both. Duplicates are bounded; whoever delivers first wins, the others are
// cancelled on arrival.

import { NumberList } from "./number-list.ts";
import type { OrderBook } from "./order-book.ts";
import type { PeerState } from "./peer-state.ts";
import { type PartialPiece, URGENCY } from "./piece-table.ts";
import type { Suspects } from "./suspects.ts";
import type { StreamWindows } from "./windows.ts";

const PERIOD_MS = 50;
const TOLERANCE_MS = 50;
const GAIN = 0.7;
const COPIES = 2;
const COPIES_OVERDUE = 3;
const OVERDUE_MS = 2_000;
/** More than any queue is long. */
const PLACES = 65_536;
const WASTE_WINDOW_MS = 30_000;
const WASTE_SHARE = 0.05;
const WASTE_FLOOR_BYTES = 256 * 1024;

export class Race {
  readonly #book: OrderBook;
  readonly #suspects: Suspects;
  readonly #received = new DecayingSum();
  readonly #duplicated = new DecayingSum();
  #ranAtMs = Number.NEGATIVE_INFINITY;
  #peers: readonly PeerState[] = [];
  /** P0 piece → its earliest deadline. */
  readonly #deadlinesMs = new Map<number, number>();
  readonly #asked = new AskedBlocks();

  constructor(book: OrderBook, suspects: Suspects) {
    this.#book = book;
    this.#suspects = suspects;
  }

  received(bytes: number): void {
    this.#received.add(bytes, this.#book.nowMs);
  }

  run(windows: StreamWindows, peers: readonly PeerState[]): void {
    const { nowMs } = this.#book;
    if (nowMs - this.#ranAtMs < PERIOD_MS) return;
    this.#ranAtMs = nowMs;
    this.#gatherDeadlines(windows);
    if (this.#deadlinesMs.size === 0) return;
    this.#peers = peers;
    this.#asked.clear();
    for (let at = 0; at < peers.length; at++) this.#collect(at);
    for (const late of this.#asked.lateBy(nowMs - TOLERANCE_MS)) {
      if (this.#book.allowance.isSpentForStreams) return;
      this.#raceBlock(late);
    }
  }

  #isWasteful(): boolean {
    const { nowMs } = this.#book;
    const duplicated = this.#duplicated.value(nowMs);
    const received = this.#received.value(nowMs);
    return duplicated > Math.max(WASTE_FLOOR_BYTES, WASTE_SHARE * received);
  }

  #gatherDeadlines(windows: StreamWindows): void {
    this.#deadlinesMs.clear();
    for (const { now } of windows.streams) {
      for (let at = 0; at < now.count; at++) {
        const deadlineMs = now.deadlineMsAt(at);
        const known = this.#deadlinesMs.get(now.pieceAt(at)) ?? deadlineMs;
        this.#deadlinesMs.set(now.pieceAt(at), Math.min(deadlineMs, known));
      }
    }
  }

  /** What the peer at this place of the list was asked for of P0, and how soon it will have it. */
  #collect(place: number): void {
    const peer = this.#peers[place];
    if (peer === undefined) return;
    const { pieces, nowMs } = this.#book;
    const { queue } = peer;
    for (let i = 0; i < queue.count; i++) {
      const piece = queue.pieceAt(i);
      if (pieces.urgency[piece] !== URGENCY.now) continue;
      const deadlineMs = this.#deadlinesMs.get(piece);
      if (deadlineMs === undefined || this.#suspects.has(piece)) continue;
      const etaMs = peer.etaQueuedMs((i * peer.queuedBytes) / queue.count, nowMs - queue.sentAtMs(i));
      const id = piece * pieces.geometry.blocksPerPiece + queue.blockAt(i);
      this.#asked.note(id, deadlineMs, etaMs, place * PLACES + i);
    }
  }

  #raceBlock(late: number): void {
    const { pieces } = this.#book;
    const id = this.#asked.idAt(late);
    const piece = Math.floor(id / pieces.geometry.blocksPerPiece);
    const block = id % pieces.geometry.blocksPerPiece;
    const partial = pieces.partials.get(piece);
    if (partial === undefined || partial.copies(block) === 0) return;
    const copies = partial.copies(block);
    // At the head of the queue it may be on its way already.
    const isMove = copies === 1 && this.#asked.standingAt(late) % PLACES > 0;
    if (!isMove && (this.#isWasteful() || copies >= this.#copiesAllowed(late))) return;
    const best = this.#faster(partial, block, this.#asked.etaMsAt(late));
    if (best === null) return;
    this.#book.request(best, partial, block, "stream");
    if (isMove) this.#takeBack(late, piece, block);
    else this.#duplicated.add(pieces.geometry.blockLength(piece, block), this.#book.nowMs);
  }

  #takeBack(late: number, piece: number, block: number): void {
    const holder = this.#peers[Math.floor(this.#asked.standingAt(late) / PLACES)];
    const index = holder?.queue.indexOf(piece, block) ?? -1;
    if (holder !== undefined && index >= 0) this.#book.cancelAt(holder, index);
  }

  #copiesAllowed(late: number): number {
    const overdueMs = this.#book.nowMs - this.#asked.deadlineMsAt(late);
    return overdueMs > OVERDUE_MS ? COPIES_OVERDUE : COPIES;
  }

  #faster({ piece }: PartialPiece, block: number, thanMs: number): PeerState | null {
    let best: PeerState | null = null;
    let bestMs = thanMs * GAIN;
    for (const peer of this.#peers) {
      if (peer.snub !== "none" || !peer.canAsk(piece)) continue;
      const etaMs = peer.etaNewMs();
      // Its queue may be full of what is less late; how full counts in the estimate.
      if (etaMs >= bestMs || peer.queue.count >= peer.model.depthCap) continue;
      if (peer.queue.indexOf(piece, block) >= 0) continue;
      best = peer;
      bestMs = etaMs;
    }
    return best;
  }
}

/** Blocks of P0 that are asked for; parallel lists, each block once, with the requester that will have it soonest. */
class AskedBlocks {
  readonly #ids = new NumberList();
  readonly #deadlinesMs = new NumberList();
  readonly #etasMs = new NumberList();
  readonly #standings = new NumberList();
  readonly #indexOf = new Map<number, number>();

  clear(): void {
    this.#ids.clear();
    this.#deadlinesMs.clear();
    this.#etasMs.clear();
    this.#standings.clear();
    this.#indexOf.clear();
  }

  /** `standing`: the requester's place in the list of peers · PLACES + the block's place in its queue. */
  note(id: number, deadlineMs: number, etaMs: number, standing: number): void {
    const known = this.#indexOf.get(id);
    if (known === undefined) {
      this.#indexOf.set(id, this.#ids.count);
      this.#ids.push(id);
      this.#deadlinesMs.push(deadlineMs);
      this.#etasMs.push(etaMs);
      this.#standings.push(standing);
    } else if (etaMs < this.#etasMs.at(known)) {
      this.#etasMs.set(known, etaMs);
      this.#standings.set(known, standing);
    }
  }

  idAt(index: number): number {
    return this.#ids.at(index);
  }

  deadlineMsAt(index: number): number {
    return this.#deadlinesMs.at(index);
  }

  etaMsAt(index: number): number {
    return this.#etasMs.at(index);
  }

  standingAt(index: number): number {
    return this.#standings.at(index);
  }

  /** Indices of the blocks that even the best requester will bring late, most urgent first. */
  lateBy(nowMs: number): readonly number[] {
    const late: number[] = [];
    for (let at = 0; at < this.#ids.count; at++) {
      if (nowMs + this.#etasMs.at(at) > this.#deadlinesMs.at(at)) late.push(at);
    }
    return late.sort((a, b) => this.deadlineMsAt(a) - this.deadlineMsAt(b) || this.idAt(a) - this.idAt(b));
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
