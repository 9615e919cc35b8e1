// From the streams' demands to classes of pieces (ENGINE §2.2): P0 needed now, PX the index, P1 needed soon, P2
// ahead. Recomputed as a whole from the set of demands, so a seek leaves nothing behind. A had piece is in no class.

import type { ByteRange } from "../base/byte-range.ts";
import type { PieceTable } from "./piece-table.ts";
import { URGENCY } from "./piece-table.ts";
import type { StreamDemand, StreamKey } from "./ports.ts";
import { UrgentPieces } from "./urgent-pieces.ts";

const NOW_MIN_BYTES = 512 * 1024;
const NOW_SEC = 2;
const SOON_SEC = 10;
const SOON_PIECES = 2;
const MARGIN_MS = 200;
const INDEX_MS = 1_500;
const REFRESH_MS = 100;
const QUEUE_MS = { bulk: 1_000, streaming: 300, waiting: 200 } as const;

/** Playing brings a piece from P2 over P1 to P0; whoever comes to P0 from one of these was jumped to. */
const LEAPS_TO_NOW: ReadonlySet<number> = new Set([URGENCY.none, URGENCY.ahead, URGENCY.index]);

/** One stream's window. */
export class StreamWindow {
  readonly stream: StreamKey;
  demand: StreamDemand;
  /** Blocks ordered for it while it needed something now: the stream with fewest goes first. */
  servedBlocks = 0;
  readonly now = new UrgentPieces();
  /** Where the handing out of `now` stands in this turn. */
  cursor = 0;
  aheadFirst = 0;
  aheadEnd = 0;
  /** When the viewer began to wait for the piece at its playhead, or null. */
  #blockedSinceMs: number | null = null;
  #blockedPiece = -1;
  #indexSinceMs: number | null = null;

  constructor(demand: StreamDemand) {
    this.stream = demand.stream;
    this.demand = demand;
  }

  /** The viewer has nothing to eat. */
  get isWaiting(): boolean {
    return this.#blockedSinceMs !== null;
  }

  /** From when deadlines count: now, or since the viewer waits. */
  baseMs(pieces: PieceTable, nowMs: number): number {
    const piece = pieces.geometry.pieceAt(this.demand.readBytes);
    if (this.demand.readBytes >= this.demand.file.end || pieces.has(piece)) this.#blockedSinceMs = null;
    else if (this.#blockedSinceMs === null || this.#blockedPiece !== piece) this.#blockedSinceMs = nowMs;
    this.#blockedPiece = piece;
    return this.#blockedSinceMs ?? nowMs;
  }

  indexDeadlineMs(nowMs: number): number {
    this.#indexSinceMs ??= nowMs;
    return this.#indexSinceMs + INDEX_MS;
  }
}

export class StreamWindows {
  readonly #pieces: PieceTable;
  readonly #streams = new Map<StreamKey, StreamWindow>();
  #list: StreamWindow[] = [];
  #marked: number[] = [];
  #newMarks: number[] = [];
  #before: Uint8Array;
  #isDirty = false;
  #refreshedAtMs = Number.NEGATIVE_INFINITY;
  /** PX and P1 of all streams, earliest deadline first. */
  readonly soon = new UrgentPieces();
  #sought: number[] = [];

  constructor(pieces: PieceTable) {
    this.#pieces = pieces;
    this.#before = new Uint8Array(pieces.count);
  }

  get streams(): readonly StreamWindow[] {
    return this.#list;
  }

  /** Short queues cost throughput on jittery links, long ones stand before every urgent block. */
  get queueMs(): number {
    if (this.#list.length === 0) return QUEUE_MS.bulk;
    return this.#list.some((window) => window.isWaiting) ? QUEUE_MS.waiting : QUEUE_MS.streaming;
  }

  get hasStream(): boolean {
    return this.#list.length > 0;
  }

  setDemands(demands: readonly StreamDemand[]): void {
    const keys = new Set(demands.map((demand) => demand.stream));
    for (const key of this.#streams.keys()) if (!keys.has(key)) this.#streams.delete(key);
    const leastServed = Math.min(...[...this.#streams.values()].map((window) => window.servedBlocks));
    for (const demand of demands) {
      const window = this.#streams.get(demand.stream);
      if (window !== undefined) window.demand = demand;
      else {
        const added = new StreamWindow(demand);
        if (Number.isFinite(leastServed)) added.servedBlocks = leastServed;
        this.#streams.set(demand.stream, added);
      }
    }
    this.#list = [...this.#streams.values()];
    this.#isDirty = true;
  }

  touch(): void {
    if (this.#list.length > 0) this.#isDirty = true;
  }

  /**
   * Pieces that became P0 in a leap (a seek or a new stream) and have blocks that nobody was
   * asked for: what stands in their way may only come to light when the old place is given up, a moment later.
   */
  sought(): readonly number[] {
    if (this.#sought.length === 0) return this.#sought;
    this.#sought = this.#sought.filter(
      (piece) => this.#pieces.urgency[piece] === URGENCY.now && this.#pieces.unaskedCount(piece) > 0,
    );
    return this.#sought;
  }

  /** Blocks of P0, PX and P1 that nobody was asked for. */
  urgentBlocks(): number {
    let blocks = this.#unaskedOf(this.soon);
    for (const { now } of this.#list) blocks += this.#unaskedOf(now);
    return blocks;
  }

  #unaskedOf(urgent: UrgentPieces): number {
    let blocks = 0;
    for (let at = 0; at < urgent.count; at++) blocks += this.#pieces.unaskedCount(urgent.pieceAt(at));
    return blocks;
  }

  /** Brings classes and deadlines up to `nowMs`. True when they were computed anew. */
  refresh(nowMs: number): boolean {
    const isStale = this.#list.length > 0 && nowMs - this.#refreshedAtMs >= REFRESH_MS;
    if (!this.#isDirty && !isStale) return false;
    this.#isDirty = false;
    this.#refreshedAtMs = nowMs;
    this.#swapMarks();
    this.soon.clear();
    for (const window of this.#list) this.#classify(window, nowMs);
    this.soon.sift((piece) => this.#pieces.urgency[piece] !== URGENCY.now);
    this.#findSought();
    return true;
  }

  /** The old classes go into `#before`; the piece table gets an empty map. */
  #swapMarks(): void {
    const old = this.#pieces.urgency;
    this.#pieces.urgency = this.#before;
    this.#before = old;
    for (const window of this.#list) window.now.clear();
  }

  #findSought(): void {
    const next: number[] = [];
    for (const piece of this.#newMarks) {
      next.push(piece);
      const isJump = LEAPS_TO_NOW.has(this.#before[piece] ?? URGENCY.none);
      if (isJump && this.#pieces.urgency[piece] === URGENCY.now) this.#sought.push(piece);
    }
    for (const piece of this.#marked) this.#before[piece] = URGENCY.none;
    this.#marked = next;
    this.#newMarks = [];
  }

  #classify(window: StreamWindow, nowMs: number): void {
    const { demand } = window;
    const { pieceLengthBytes } = this.#pieces.geometry;
    const baseMs = window.baseMs(this.#pieces, nowMs);
    const bound = (bytes: number) => Math.min(demand.file.end, demand.readBytes + bytes);
    const nowEnd = bound(Math.max(NOW_MIN_BYTES, NOW_SEC * demand.bytesPerSec));
    const aheadEnd = Math.max(nowEnd, bound(demand.aheadBytes));
    const soonBytes = Math.max(SOON_SEC * demand.bytesPerSec, SOON_PIECES * pieceLengthBytes);
    const soonEnd = Math.min(aheadEnd, bound(soonBytes));
    this.#markRun({ start: demand.readBytes, end: nowEnd }, URGENCY.now, (piece) => {
      window.now.add(piece, this.#deadlineMs(window, piece, baseMs));
    });
    for (const range of demand.index) {
      const deadlineMs = window.indexDeadlineMs(nowMs);
      this.#markRun(range, URGENCY.index, (piece) => this.soon.add(piece, deadlineMs));
    }
    this.#markRun({ start: nowEnd, end: soonEnd }, URGENCY.soon, (piece) => {
      this.soon.add(piece, this.#deadlineMs(window, piece, baseMs));
    });
    const ahead = this.#pieces.geometry.piecesOf({ start: soonEnd, end: aheadEnd });
    window.aheadFirst = ahead.first;
    window.aheadEnd = ahead.end;
    this.#markRun({ start: soonEnd, end: aheadEnd }, URGENCY.ahead, () => undefined);
  }

  /** Raises the missing pieces of `range` to `urgency`; `each` gets those that were below it. */
  #markRun(range: ByteRange, urgency: number, each: (piece: number) => void): void {
    const { first, end } = this.#pieces.geometry.piecesOf(range);
    for (let piece = first; piece < Math.min(end, this.#pieces.count); piece++) {
      if (this.#pieces.has(piece)) continue;
      const current = this.#pieces.urgency[piece] ?? 0;
      if (urgency === URGENCY.now || current < urgency) each(piece);
      if (current >= urgency) continue;
      if (current === URGENCY.none) this.#newMarks.push(piece);
      this.#pieces.urgency[piece] = urgency;
    }
  }

  #deadlineMs(window: StreamWindow, piece: number, baseMs: number): number {
    const { readBytes, bytesPerSec } = window.demand;
    const aheadBytes = Math.max(0, this.#pieces.geometry.pieceStart(piece) - readBytes);
    return baseMs + Math.max(0, (aheadBytes * 1000) / bytesPerSec - MARGIN_MS);
  }
}

/** When the byte at the start of `piece` is wanted by the stream. */
export function aheadDeadlineMs(window: StreamWindow, startBytes: number, nowMs: number): number {
  const { readBytes, bytesPerSec } = window.demand;
  return nowMs + Math.max(0, ((startBytes - readBytes) * 1000) / bytesPerSec - MARGIN_MS);
}
