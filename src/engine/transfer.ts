// Blocks in and out of one torrent whose metadata is known: scheduler, intake, store and uploader meet here. A turn of
// the scheduler is asked for by events and run once for all of them; a seek runs it at once.

import type { Bitfield } from "../base/bitfield.ts";
import type { Clock, Timer } from "../base/clock.ts";
import { describeError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { PeerFault } from "../base/peer-fault.ts";
import type { Random } from "../base/random.ts";
import type { Geometry } from "../metainfo/index.ts";
import type { PeerKey, PeerOrders, StreamDemand } from "../scheduler/index.ts";
import { TorrentScheduler } from "../scheduler/index.ts";
import type { AssemblyBudget, TorrentStore } from "../store/index.ts";
import type { PeerLink } from "../wire/index.ts";
import { BlockIntake } from "./block-intake.ts";
import { LiarDetector } from "./liars.ts";
import type { HaveMessage, Peer } from "./peer.ts";
import type { TorrentLimits } from "./rate-limits.ts";
import { ReadingGate } from "./reading-gate.ts";
import { Uploader } from "./uploader.ts";

/** Block arrivals within this time share one turn. */
const TURN_DELAY_MS = 1;
/** Pieces that get complete within this time are announced with one write to each peer. */
const HAVES_DELAY_MS = 20;
/** Below the share at which the store refuses blocks that no stream waits for. */
const HIGH_PRESSURE = 3 / 4;
const CRITICAL_PRESSURE = 9 / 10;

export interface TransferOptions {
  readonly geometry: Geometry;
  readonly store: TorrentStore;
  readonly limits: TorrentLimits;
  /** Memory for pieces in the making, of all torrents. */
  readonly budget: AssemblyBudget;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly onUploaded: (bytes: number) => void;
  readonly onDownloaded: (bytes: number) => void;
  /** This host sent data that is proven false. */
  readonly onLiar: (host: string) => void;
}

export class Transfer implements PeerOrders {
  readonly scheduler: TorrentScheduler;
  readonly intake: BlockIntake;
  readonly uploader: Uploader;
  readonly #options: TransferOptions;
  readonly #liars: LiarDetector;
  readonly #gate: ReadingGate;
  readonly #peers = new Map<PeerKey, Peer>();
  readonly #touched = new Set<Peer>();
  #newHaves: number[] = [];
  #turnTimer: Timer | null = null;
  #havesTimer: Timer | null = null;
  #isStopped = false;

  constructor(options: TransferOptions) {
    const { geometry, store, budget, clock, random } = options;
    this.#options = options;
    this.scheduler = new TorrentScheduler({ geometry, clock, random, orders: this });
    this.scheduler.setHave(store.have);
    this.intake = new BlockIntake(this.scheduler, store, geometry.blocksPerPiece);
    this.#liars = new LiarDetector(BigInt(random.below(2 ** 32)));
    this.#gate = new ReadingGate({
      store,
      budget,
      isWatched: () => this.scheduler.hasStream,
      links: () => this.#links(),
    });
    this.#gate.start();
    this.uploader = new Uploader({
      store,
      geometry,
      log: options.log,
      allowance: {
        available: () => options.limits.upAvailable(),
        take: (bytes) => options.limits.takeUp(bytes),
      },
      onSent: (peer, bytes) => {
        peer.upMeter.add(bytes);
        options.onUploaded(bytes);
      },
    });
  }

  get have(): Bitfield {
    return this.#options.store.have;
  }

  /** Throws PeerFault where what the peer said before the metadata came does not fit it. */
  addPeer(peer: Peer): void {
    this.#peers.set(peer.key, peer);
    peer.link.setPieces(this.#options.geometry);
    if (this.#gate.isShut) peer.link.pauseReading();
    this.scheduler.addPeer(peer.key, {
      connectMs: peer.link.connectMs,
      hasFast: peer.link.hasFast,
      requestQueue: peer.extended?.requestQueue ?? null,
    });
    this.#sendHaves(peer);
    for (const haves of peer.earlyHaves) this.haves(peer, haves);
    peer.earlyHaves = [];
    if (!peer.isChokingUs) this.choking(peer);
    peer.link.flush();
  }

  removePeer(peer: Peer): void {
    if (!this.#peers.delete(peer.key)) return;
    this.intake.forget(peer);
    this.uploader.forget(peer);
    this.#touched.delete(peer);
    this.scheduler.removePeer(peer.key);
    this.requestTurn();
  }

  extended(peer: Peer): void {
    this.scheduler.setTraits(peer.key, {
      connectMs: peer.link.connectMs,
      hasFast: peer.link.hasFast,
      requestQueue: peer.extended?.requestQueue ?? null,
    });
  }

  haves(peer: Peer, haves: HaveMessage): void {
    if (haves.kind === "all") this.scheduler.peerHasAll(peer.key);
    else if (haves.kind === "none") this.scheduler.peerHasNone(peer.key);
    else if (haves.kind === "piece") this.#havePiece(peer, haves.piece);
    else if (!this.scheduler.peerHaves(peer.key, haves.bits)) {
      throw new PeerFault("bad_bitfield", "bitfield of the wrong size or with spare bits set");
    }
    this.#updateInterest(peer);
    this.requestTurn();
  }

  #havePiece(peer: Peer, piece: number): void {
    if (piece >= this.#options.geometry.pieceCount)
      throw new PeerFault("bad_index", "have of a piece that is not there");
    this.scheduler.peerHas(peer.key, piece);
  }

  choking(peer: Peer): void {
    this.scheduler.peerChoking(peer.key, peer.isChokingUs);
    this.requestTurn();
  }

  /** Demands and priorities are set whole; the turn that follows runs before this returns (seek: same turn). */
  setWishes(priorities: Uint8Array, demands: readonly StreamDemand[]): void {
    this.scheduler.setPriorities(priorities);
    this.setDemands(demands);
  }

  setDemands(demands: readonly StreamDemand[]): void {
    this.scheduler.setDemands(demands);
    this.updateInterests();
    this.turn();
  }

  updateInterests(): void {
    for (const peer of this.#peers.values()) this.#updateInterest(peer);
    this.#flushTouched();
  }

  #updateInterest(peer: Peer): void {
    const isInteresting = this.scheduler.isInteresting(peer.key);
    if (isInteresting === peer.amInterested) return;
    peer.setInterested(isInteresting);
    this.#touched.add(peer);
  }

  requestTurn(): void {
    if (this.#turnTimer !== null || this.#isStopped || !this.scheduler.needsTurn) return;
    this.#turnTimer = this.#options.clock.after(TURN_DELAY_MS, () => {
      this.#turnTimer = null;
      this.turn();
    });
  }

  turn(): void {
    if (this.#isStopped) return;
    const spent = this.scheduler.turn({
      ...this.#options.limits.downAvailable(),
      pressure: this.#pressure(),
      memoryBytes: this.#memoryBytes(),
    });
    this.#options.limits.takeDown(spent.streamBytes, spent.backgroundBytes);
    this.#flushTouched();
  }

  /** How short memory for pieces in the making is (ENGINE §4, arena). */
  #pressure(): "none" | "high" | "critical" {
    const { usedBytes, capacityBytes } = this.#options.budget;
    const share = usedBytes / capacityBytes;
    if (share < HIGH_PRESSURE) return "none";
    return share < CRITICAL_PRESSURE ? "high" : "critical";
  }

  /** What the other torrents leave to this one. */
  #memoryBytes(): number {
    const { budget, store } = this.#options;
    return budget.capacityBytes - budget.usedBytes + store.assemblyBytes;
  }

  *#links(): Iterable<PeerLink> {
    for (const peer of this.#peers.values()) yield peer.link;
  }

  request(peer: PeerKey, piece: number, beginBytes: number, lengthBytes: number): void {
    const target = this.#peers.get(peer);
    if (target === undefined) return;
    target.link.request(piece, beginBytes, lengthBytes);
    this.#touched.add(target);
  }

  cancel(peer: PeerKey, piece: number, beginBytes: number, lengthBytes: number): void {
    const target = this.#peers.get(peer);
    if (target === undefined) return;
    target.link.cancel(piece, beginBytes, lengthBytes);
    this.#touched.add(target);
  }

  drop(piece: number): void {
    this.intake.takeSenders(piece);
    this.intake.pieceDropped(piece);
    this.#options.store.dropPiece(piece);
  }

  blockArrived(peer: Peer, piece: number, beginBytes: number, lengthBytes: number): void {
    if (this.intake.arrived(peer, piece, beginBytes, lengthBytes)) {
      // Only what was of use earns a place with the choker.
      peer.downMeter.add(lengthBytes);
      this.#options.onDownloaded(lengthBytes);
      this.#gate.look();
    }
    this.requestTurn();
  }

  pieceVerified(piece: number): void {
    this.scheduler.pieceVerified(piece);
    this.intake.takeSenders(piece);
    this.#newHaves.push(piece);
    this.#havesTimer ??= this.#options.clock.after(HAVES_DELAY_MS, () => this.#announceHaves());
    if (this.#liars.isSuspicious(piece))
      this.#judge(piece).catch((error: unknown) => this.#judgeFailed(error));
    this.requestTurn();
  }

  pieceCorrupt(piece: number, bytes: Uint8Array | null): void {
    const senders = this.intake.takeSenders(piece);
    this.intake.pieceDropped(piece);
    if (bytes === null) this.scheduler.pieceLost(piece);
    else {
      this.scheduler.pieceCorrupt(piece);
      for (const host of this.#liars.pieceFailed(piece, bytes, senders)) this.#options.onLiar(host);
    }
    this.updateInterests();
    this.requestTurn();
  }

  async #judge(piece: number): Promise<void> {
    const { geometry, store } = this.#options;
    const bytes = await store.read(geometry.pieceStart(piece), geometry.pieceLength(piece));
    for (const host of this.#liars.piecePassed(piece, bytes)) this.#options.onLiar(host);
  }

  #judgeFailed(error: unknown): void {
    this.#options.log.warn("a piece could not be read back to find who lied", {
      error: describeError(error),
    });
  }

  /** Its peers are gone; what is known of pieces in the making stays, as the store keeps them too. */
  pause(): void {
    this.#isStopped = true;
    this.#gate.stop();
    this.#turnTimer?.cancel();
    this.#turnTimer = null;
    this.#havesTimer?.cancel();
    this.#havesTimer = null;
  }

  resume(): void {
    this.#isStopped = false;
    this.#gate.start();
    this.#newHaves = [];
  }

  #sendHaves(peer: Peer): void {
    const have = this.have;
    if (peer.link.hasFast && have.isFull) peer.link.sendHaves("all");
    else if (peer.link.hasFast && have.count === 0) peer.link.sendHaves("none");
    else if (have.count > 0) peer.link.sendHaves(have.toBytes());
  }

  #announceHaves(): void {
    const pieces = this.#newHaves;
    this.#newHaves = [];
    this.#havesTimer = null;
    for (const peer of this.#peers.values()) {
      if (this.scheduler.hasEverything(peer.key)) continue;
      for (const piece of pieces) peer.link.have(piece);
      this.#touched.add(peer);
    }
    this.updateInterests();
  }

  #flushTouched(): void {
    for (const peer of this.#touched) peer.link.flush();
    this.#touched.clear();
  }
}
