// One torrent's scheduler: told of peers, haves, demands and arrivals, it orders blocks at each turn (ENGINE §2.2).
// Synchronous, on the engine's loop; every order is made inside turn() or as a cancel on an arrival.

import { Bitfield } from "../base/bitfield.ts";
import type { Clock } from "../base/clock.ts";
import { BLOCK_BYTES } from "../base/limits.ts";
import type { Random } from "../base/random.ts";
import type { Geometry } from "../metainfo/geometry.ts";
import { Arrivals } from "./arrivals.ts";
import { Background } from "./background.ts";
import { OrderBook } from "./order-book.ts";
import type { PeerState } from "./peer-state.ts";
import { PieceRoom } from "./piece-room.ts";
import { NO_PEER, PieceTable } from "./piece-table.ts";
import type {
  BlockVerdict,
  PeerFigures,
  PeerKey,
  PeerOrders,
  PeerTraits,
  SchedulerFigures,
  StreamDemand,
  TurnBudget,
} from "./ports.ts";
import { Race } from "./race.ts";
import { RarityOrder } from "./rarity-order.ts";
import { ReadAhead } from "./read-ahead.ts";
import { Roster } from "./roster.ts";
import { Suspects } from "./suspects.ts";
import { UrgentOrders } from "./urgent.ts";
import { StreamWindows } from "./windows.ts";
import { Withdrawal } from "./withdrawal.ts";

const TICK_MS = 100;

export class TorrentScheduler {
  readonly #clock: Clock;
  readonly #pieces: PieceTable;
  readonly #roster: Roster;
  readonly #book: OrderBook;
  readonly #windows: StreamWindows;
  readonly #suspects = new Suspects();
  readonly #room: PieceRoom;
  readonly #urgent: UrgentOrders;
  readonly #readAhead: ReadAhead;
  readonly #race: Race;
  readonly #background: Background;
  readonly #order: RarityOrder;
  readonly #withdrawal: Withdrawal;
  readonly #arrivals: Arrivals;
  #tickedAtMs = Number.NEGATIVE_INFINITY;
  #isWayBlocked = false;
  #needsTurn = true;
  #peerOffset = 0;
  readonly #inTurn: PeerState[] = [];

  constructor(options: { geometry: Geometry; clock: Clock; random: Random; orders: PeerOrders }) {
    this.#clock = options.clock;
    this.#pieces = new PieceTable(options.geometry);
    this.#roster = new Roster(this.#pieces);
    this.#book = new OrderBook(this.#pieces, options.orders);
    this.#windows = new StreamWindows(this.#pieces);
    const [book, suspects, roster] = [this.#book, this.#suspects, this.#roster];
    const room = new PieceRoom(book, () => roster.list);
    this.#room = room;
    this.#urgent = new UrgentOrders(book, suspects, room);
    this.#readAhead = new ReadAhead(book, suspects, room);
    this.#race = new Race(this.#book, this.#suspects);
    this.#order = new RarityOrder(this.#pieces, this.#roster.availability, options.random);
    this.#background = new Background({ book, suspects, order: this.#order, room });
    this.#withdrawal = new Withdrawal(this.#book, this.#suspects);
    this.#arrivals = new Arrivals({ book, roster, room, onBytes: (bytes) => this.#race.received(bytes) });
  }

  /** True when a turn before the next tick is worth its cost: a queue runs low, or the situation changed. */
  get needsTurn(): boolean {
    return this.#needsTurn;
  }

  // ── Peers ──

  /** A new peer chokes us and has nothing, until told otherwise. */
  addPeer(key: PeerKey, traits: PeerTraits): void {
    this.removePeer(key);
    const peer = this.#roster.add(key, this.#now());
    peer.setTraits(traits);
  }

  setTraits(key: PeerKey, traits: PeerTraits): void {
    this.#roster.find(key)?.setTraits(traits);
  }

  /** What it owed is needed again. */
  removePeer(key: PeerKey): void {
    const peer = this.#roster.find(key);
    if (peer === undefined) return;
    this.#now();
    this.#book.dropAll(peer, false);
    this.#abandon(peer);
    this.#roster.remove(peer);
    this.#needsTurn = true;
  }

  /** Without BEP 6 a choke drops all requests; with it the peer rejects each one that it will not serve. */
  peerChoking(key: PeerKey, isChoking: boolean): void {
    const peer = this.#roster.find(key);
    if (peer === undefined || peer.isChoking === isChoking) return;
    this.#now();
    peer.isChoking = isChoking;
    peer.orderCursor = 0;
    if (isChoking) {
      if (!peer.hasFast) this.#book.dropAll(peer, true);
      this.#abandon(peer);
    }
    this.#needsTurn = true;
  }

  peerAllowedFast(key: PeerKey, piece: number): void {
    const peer = this.#roster.find(key);
    if (peer === undefined || piece < 0 || piece >= this.#pieces.count) return;
    peer.allowFast(piece);
    this.#background.gained(peer, piece);
    this.#needsTurn = true;
  }

  peerHas(key: PeerKey, piece: number): void {
    const peer = this.#roster.find(key);
    if (peer === undefined || !this.#roster.gain(peer, piece)) return;
    this.#background.gained(peer, piece);
    if (peer.mayAsk && peer.queue.count === 0) this.#needsTurn = true;
  }

  peerHasAll(key: PeerKey): void {
    this.#replaceHave(key, this.#roster.full());
  }

  peerHasNone(key: PeerKey): void {
    this.#replaceHave(key, new Bitfield(this.#pieces.count));
  }

  /** False when the size is wrong or a spare bit is set: the caller ends the peer. */
  peerHaves(key: PeerKey, bits: Uint8Array): boolean {
    const have = Bitfield.tryFrom(bits, this.#pieces.count);
    if (have === null) return false;
    this.#replaceHave(key, have);
    return true;
  }

  // ── Pieces ──

  /** A new truth about what is on disk. Blocks that had arrived for pieces in the making are needed again. */
  setHave(have: Bitfield): void {
    this.#now();
    this.#pieces.setHave(have);
    this.#suspects.clear();
    for (const partial of [...this.#pieces.partials.values()]) {
      if (this.#pieces.has(partial.piece)) {
        this.#cancelPiece(partial.piece);
        this.#pieces.partials.delete(partial.piece);
        continue;
      }
      for (let block = 0; block < partial.blockCount; block++) partial.forget(block);
      this.#pieces.dropIfUntouched(partial);
    }
    this.#needsMoved();
  }

  pieceVerified(piece: number): void {
    this.#now();
    if (this.#pieces.partials.has(piece)) this.#cancelPiece(piece);
    this.#pieces.markHad(piece);
    this.#suspects.passed(piece);
    const isStreams = this.#pieces.urgency[piece] !== 0;
    if (isStreams) this.#windows.touch();
    // Its memory may be what another piece waits for.
    if (isStreams || this.#room.isShort) this.#needsTurn = true;
  }

  /** It failed its hash: the next try goes to one peer alone. */
  pieceCorrupt(piece: number): void {
    this.#suspects.failed(piece);
    this.pieceLost(piece);
  }

  /** Had or in the making, it is needed again, and no peer is to blame. */
  pieceLost(piece: number): void {
    this.#now();
    this.#cancelPiece(piece);
    this.#pieces.markLost(piece);
    this.#roster.needsChanged();
    this.#book.reopened.push(piece);
    this.#windows.touch();
    this.#needsTurn = true;
  }

  /** PIECE_PRIORITY of each piece. What is not wanted any more is withdrawn at the next turn. */
  setPriorities(perPiece: Uint8Array): void {
    this.#pieces.setPriorities(perPiece);
    this.#needsMoved();
  }

  /** The whole set; the same set again changes nothing. */
  setDemands(demands: readonly StreamDemand[]): void {
    this.#windows.setDemands(demands);
    this.#order.setFavoured(demands.map((demand) => demand.file));
    this.#isWayBlocked = true;
    this.#roster.needsChanged();
    this.#needsTurn = true;
  }

  // ── Blocks ──

  /** Whether this peer's block is worth its memory: asked of it, perhaps cancelled since, and still missing. */
  expects(key: PeerKey, piece: number, beginBytes: number, lengthBytes: number): boolean {
    this.#now();
    return this.#arrivals.expects(this.#roster.find(key), piece, beginBytes, lengthBytes);
  }

  /** A block has come. Requests for it at other peers are cancelled at once. */
  blockArrived(key: PeerKey, piece: number, beginBytes: number, lengthBytes: number): BlockVerdict {
    this.#now();
    const peer = this.#roster.find(key);
    const verdict = this.#arrivals.arrived(peer, piece, beginBytes, lengthBytes);
    if (peer !== undefined && peer.queue.count * 2 <= peer.model.depth(this.#book.queueMs)) {
      this.#needsTurn = true;
    }
    return verdict;
  }

  /** The payload broke off, or there was no memory for it: the block is needed again. */
  blockLost(key: PeerKey, piece: number, beginBytes: number): void {
    this.#now();
    this.#arrivals.lost(this.#roster.find(key), piece, Math.floor(beginBytes / BLOCK_BYTES));
    this.#needsTurn = true;
  }

  /** BEP 6 reject: the answer to a request, or to a cancel. */
  rejected(key: PeerKey, piece: number, beginBytes: number, lengthBytes: number): void {
    this.#now();
    this.#arrivals.rejected(this.#roster.find(key), piece, beginBytes, lengthBytes);
    this.#needsTurn = true;
  }

  // ── The turn ──

  /** Makes orders for at most `budget` (over by at most one block) and returns what was ordered. */
  turn(budget: TurnBudget): { streamBytes: number; backgroundBytes: number } {
    const nowMs = this.#now();
    this.#needsTurn = false;
    if (nowMs - this.#tickedAtMs >= TICK_MS) this.#tick(nowMs);
    this.#room.isShort = (budget.pressure ?? "none") !== "none";
    this.#room.limitBytes = budget.memoryBytes ?? Number.POSITIVE_INFINITY;
    this.#windows.refresh(nowMs);
    this.#book.queueMs = this.#windows.queueMs;
    this.#book.allowance.renew(budget);
    const peers = this.#peersInTurn();
    if (this.#isWayBlocked) {
      this.#isWayBlocked = false;
      this.#withdrawal.clearWay(peers, this.#windows.sought(), this.#windows.urgentBlocks());
    }
    for (const piece of this.#book.reopened) this.#background.reopened(piece, peers);
    this.#book.reopened.length = 0;
    if (this.#windows.hasStream) {
      this.#urgent.assign(this.#windows, peers);
      this.#race.run(this.#windows, peers);
      this.#readAhead.fill(this.#windows.streams, peers);
    }
    this.#background.fill(peers, this.#windows.hasStream);
    const { allowance } = this.#book;
    return { streamBytes: allowance.streamOrdered, backgroundBytes: allowance.backgroundOrdered };
  }

  // ── Figures ──

  isInteresting(key: PeerKey): boolean {
    this.#windows.refresh(this.#now());
    const peer = this.#roster.find(key);
    return peer !== undefined && this.#roster.isInteresting(peer);
  }

  availabilityOf(piece: number): number {
    return this.#roster.availability.availabilityOf(piece);
  }

  hasEverything(key: PeerKey): boolean {
    return this.#roster.find(key)?.have.isFull ?? false;
  }

  seeds(): number {
    return this.#roster.availability.seedCount;
  }

  /** In P0, P1 or PX of any stream. */
  isStreamUrgent(piece: number): boolean {
    this.#windows.refresh(this.#now());
    return this.#pieces.isUrgent(piece);
  }

  /** Whatever is begun while somebody watches may use the memory kept for streams: it was begun within its bound. */
  get hasStream(): boolean {
    return this.#windows.hasStream;
  }

  peerFigures(key: PeerKey): PeerFigures {
    const peer = this.#roster.find(key);
    if (peer === undefined)
      return { downloadBytesPerSec: 0, outstandingBlocks: 0, isSnubbed: false, progress: 0 };
    return {
      downloadBytesPerSec: peer.model.shownRate(this.#now()),
      outstandingBlocks: peer.queue.count,
      isSnubbed: peer.snub !== "none",
      progress: this.#pieces.count === 0 ? 1 : peer.have.count / this.#pieces.count,
    };
  }

  figures(): SchedulerFigures {
    return {
      outstandingBlocks: this.#book.outstandingCount,
      unchokedPeers: this.#roster.list.reduce((count, peer) => count + (peer.isChoking ? 0 : 1), 0),
      wastedBytes: this.#book.wastedBytes,
    };
  }

  #now(): number {
    this.#book.nowMs = this.#clock.nowMs();
    return this.#book.nowMs;
  }

  #tick(nowMs: number): void {
    this.#tickedAtMs = nowMs;
    const prior = this.#roster.priorRate(nowMs);
    for (const peer of this.#roster.list) {
      if (peer.tick(nowMs, prior)) this.#snubbed(peer);
    }
    for (const peer of this.#roster.list) {
      if (peer.snub !== "none") this.#withdrawal.releaseUrgent(peer, this.#roster.list);
    }
  }

  #snubbed(peer: PeerState): void {
    this.#abandon(peer);
    if (peer.snub === "bulk") this.#book.cancelAll(peer);
  }

  /** Its background piece and its tries are free for others. */
  #abandon(peer: PeerState): void {
    this.#suspects.released(peer.key);
    peer.currentPiece = -1;
    for (const partial of this.#pieces.partials.values()) {
      if (partial.owner === peer.key) partial.owner = NO_PEER;
    }
  }

  /** All peers, a different one first each time, so that none is always last for the budget. */
  #peersInTurn(): readonly PeerState[] {
    const { list } = this.#roster;
    if (list.length < 2) return list;
    this.#peerOffset = (this.#peerOffset + 1) % list.length;
    for (let step = 0; step < list.length; step++) {
      const peer = list[(this.#peerOffset + step) % list.length];
      if (peer !== undefined) this.#inTurn[step] = peer;
    }
    this.#inTurn.length = list.length;
    return this.#inTurn;
  }

  #replaceHave(key: PeerKey, have: Bitfield): void {
    const peer = this.#roster.find(key);
    if (peer === undefined) return;
    this.#roster.replaceHave(peer, have);
    this.#needsTurn = true;
  }

  #needsMoved(): void {
    this.#order.invalidate();
    this.#windows.touch();
    this.#roster.needsChanged();
    this.#isWayBlocked = true;
    this.#needsTurn = true;
  }

  #cancelPiece(piece: number): void {
    if (this.#pieces.partials.has(piece)) this.#book.cancelPiece(this.#roster.list, piece);
  }
}
