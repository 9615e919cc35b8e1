// A deterministic swarm on a virtual clock: peers answer first in, first out, each with its rate, latency, choke and
// silence. It drives a TorrentScheduler as the engine does and keeps a log of orders and arrivals.

import { Bitfield } from "../../../src/base/bitfield.ts";
import { seededRandom } from "../../../src/base/random.ts";
import type { Geometry } from "../../../src/metainfo/geometry.ts";
import type { StreamDemand, TurnBudget } from "../../../src/scheduler/index.ts";
import { TorrentScheduler } from "../../../src/scheduler/index.ts";
import { VirtualClock } from "./virtual-clock.ts";

export interface ToyPeerOptions {
  readonly rate: number;
  readonly latencyMs?: number;
  readonly has?: readonly number[];
  readonly hasFast?: boolean;
  readonly requestQueue?: number;
  /** [from, to) on the clock during which it sends nothing. */
  readonly silentMs?: readonly [number, number];
  readonly ignoresCancel?: boolean;
}

interface ToyRequest {
  readonly piece: number;
  readonly beginBytes: number;
  readonly lengthBytes: number;
}

interface ToyPeer extends ToyPeerOptions {
  readonly key: number;
  readonly queue: ToyRequest[];
  isSending: boolean;
  isGone: boolean;
  sentBytes: number;
}

export interface Order extends ToyRequest {
  readonly atMs: number;
  readonly peer: number;
  readonly kind: "request" | "cancel";
}

const UNLIMITED: TurnBudget = {
  streamBytes: Number.POSITIVE_INFINITY,
  backgroundBytes: Number.POSITIVE_INFINITY,
};

export class ToySwarm {
  readonly clock = new VirtualClock();
  readonly scheduler: TorrentScheduler;
  readonly geometry: Geometry;
  readonly have: Bitfield;
  readonly orders: Order[] = [];
  readonly verifiedAtMs = new Map<number, number>();
  budget: TurnBudget = UNLIMITED;
  wantedBytes = 0;
  duplicateBytes = 0;
  /** Told of each verified piece. */
  onVerified: (piece: number) => void = () => undefined;
  readonly #peers = new Map<number, ToyPeer>();
  readonly #arrived = new Map<number, Set<number>>();
  #isTurnDue = false;
  #nextKey = 1;

  constructor(geometry: Geometry, seed = 1) {
    this.geometry = geometry;
    this.have = new Bitfield(geometry.pieceCount);
    this.scheduler = new TorrentScheduler({
      geometry,
      clock: this.clock,
      random: seededRandom(seed),
      orders: {
        drop: (piece) => void this.#arrived.delete(piece),
        request: (peer, piece, beginBytes, lengthBytes) =>
          this.#ordered("request", peer, { piece, beginBytes, lengthBytes }),
        cancel: (peer, piece, beginBytes, lengthBytes) =>
          this.#ordered("cancel", peer, { piece, beginBytes, lengthBytes }),
      },
    });
    this.clock.every(100, () => this.turn());
  }

  addPeer(options: ToyPeerOptions): number {
    const key = this.#nextKey++;
    this.#peers.set(key, { ...options, key, queue: [], isSending: false, isGone: false, sentBytes: 0 });
    this.scheduler.addPeer(key, {
      connectMs: options.latencyMs ?? 20,
      hasFast: options.hasFast ?? true,
      requestQueue: options.requestQueue ?? null,
    });
    if (options.has === undefined) this.scheduler.peerHasAll(key);
    else {
      this.scheduler.peerHasNone(key);
      for (const piece of options.has) this.scheduler.peerHas(key, piece);
    }
    this.scheduler.peerChoking(key, false);
    this.#turnSoon();
    return key;
  }

  removePeer(key: number): void {
    const peer = this.#peers.get(key);
    if (peer !== undefined) peer.isGone = true;
    this.#peers.delete(key);
    this.scheduler.removePeer(key);
    this.#turnSoon();
  }

  choke(key: number): void {
    const peer = this.#peers.get(key)!;
    this.scheduler.peerChoking(key, true);
    const dropped = peer.queue.splice(peer.isSending ? 1 : 0);
    if (peer.hasFast ?? true) {
      for (const r of dropped) this.scheduler.rejected(key, r.piece, r.beginBytes, r.lengthBytes);
    }
  }

  unchoke(key: number): void {
    this.scheduler.peerChoking(key, false);
    this.#turnSoon();
  }

  sentBytes(key: number): number {
    return this.#peers.get(key)?.sentBytes ?? 0;
  }

  wantAll(): void {
    this.scheduler.setPriorities(new Uint8Array(this.geometry.pieceCount).fill(4));
  }

  demand(demands: readonly StreamDemand[]): void {
    this.scheduler.setDemands(demands);
    this.turn();
  }

  turn(): { streamBytes: number; backgroundBytes: number } {
    this.#isTurnDue = false;
    return this.scheduler.turn(this.budget);
  }

  run(ms: number): void {
    this.clock.advance(ms);
  }

  /** Verified bytes from `at` on without a hole. */
  aheadOf(at: number): number {
    let piece = this.geometry.pieceAt(at);
    while (piece < this.geometry.pieceCount && this.have.has(piece)) piece++;
    return Math.max(0, Math.min(this.geometry.totalBytes, this.geometry.pieceStart(piece)) - at);
  }

  requestsSince(atMs: number): Order[] {
    return this.orders.filter((order) => order.kind === "request" && order.atMs >= atMs);
  }

  /** A had piece turns out to be bad. */
  spoil(piece: number): void {
    if (this.have.delete(piece)) this.scheduler.pieceCorrupt(piece);
  }

  #turnSoon(): void {
    if (this.#isTurnDue) return;
    this.#isTurnDue = true;
    this.clock.after(5, () => {
      if (this.#isTurnDue) this.turn();
    });
  }

  #ordered(kind: "request" | "cancel", key: number, request: ToyRequest): void {
    this.orders.push({ kind, peer: key, atMs: this.clock.nowMs(), ...request });
    const peer = this.#peers.get(key);
    if (peer === undefined) throw new Error(`order to a peer that is gone: ${key}`);
    this.clock.after((peer.latencyMs ?? 20) / 2, () => {
      if (kind === "request") peer.queue.push(request);
      else this.#cancelled(peer, request);
      this.#send(peer);
    });
  }

  #cancelled(peer: ToyPeer, request: ToyRequest): void {
    if (peer.ignoresCancel === true) return;
    const index = peer.queue.findIndex(
      (each, at) =>
        each.piece === request.piece &&
        each.beginBytes === request.beginBytes &&
        !(at === 0 && peer.isSending),
    );
    if (index < 0) return;
    peer.queue.splice(index, 1);
    if (!(peer.hasFast ?? true)) return;
    this.clock.after((peer.latencyMs ?? 20) / 2, () => {
      if (!peer.isGone)
        this.scheduler.rejected(peer.key, request.piece, request.beginBytes, request.lengthBytes);
    });
  }

  #send(peer: ToyPeer): void {
    const request = peer.queue[0];
    if (peer.isSending || peer.isGone || request === undefined) return;
    const nowMs = this.clock.nowMs();
    const [silentFrom, silentTo] = peer.silentMs ?? [0, 0];
    if (nowMs >= silentFrom && nowMs < silentTo) {
      if (Number.isFinite(silentTo)) this.clock.after(silentTo - nowMs, () => this.#send(peer));
      return;
    }
    peer.isSending = true;
    this.clock.after((request.lengthBytes * 1000) / peer.rate, () => {
      peer.isSending = false;
      peer.queue.shift();
      peer.sentBytes += request.lengthBytes;
      this.clock.after((peer.latencyMs ?? 20) / 2, () => this.#arrive(peer, request));
      this.#send(peer);
    });
  }

  #arrive(peer: ToyPeer, { piece, beginBytes, lengthBytes }: ToyRequest): void {
    if (peer.isGone) return;
    this.scheduler.expects(peer.key, piece, beginBytes, lengthBytes);
    const verdict = this.scheduler.blockArrived(peer.key, piece, beginBytes, lengthBytes);
    this.#turnSoon();
    if (verdict !== "wanted") {
      this.duplicateBytes += lengthBytes;
      return;
    }
    this.wantedBytes += lengthBytes;
    const blocks = this.#arrived.get(piece) ?? new Set<number>();
    this.#arrived.set(piece, blocks.add(beginBytes));
    if (blocks.size < this.geometry.blockCount(piece)) return;
    this.#arrived.delete(piece);
    this.clock.after(2, () => this.#verify(piece));
  }

  #verify(piece: number): void {
    this.have.add(piece);
    this.verifiedAtMs.set(piece, this.clock.nowMs());
    this.scheduler.pieceVerified(piece);
    this.onVerified(piece);
    this.#turnSoon();
  }
}

/** A viewer that eats `bytesPerSec` once the bytes are there, and counts how long it waited. */
export class ToyViewer {
  positionBytes: number;
  stalledMs = 0;
  startedAtMs: number | null = null;
  readonly #swarm: ToySwarm;
  readonly #bytesPerSec: number;

  constructor(swarm: ToySwarm, options: { bytesPerSec: number; atBytes: number }) {
    this.#swarm = swarm;
    this.#bytesPerSec = options.bytesPerSec;
    this.positionBytes = options.atBytes;
  }

  /** What passes in `ms`: eats, or waits. */
  step(ms: number): void {
    const wish = Math.min(
      (this.#bytesPerSec * ms) / 1000,
      this.#swarm.geometry.totalBytes - this.positionBytes,
    );
    const ahead = this.#swarm.aheadOf(this.positionBytes);
    if (ahead > 0 && this.startedAtMs === null) this.startedAtMs = this.#swarm.clock.nowMs();
    if (ahead < wish && this.startedAtMs !== null) this.stalledMs += ms;
    this.positionBytes += Math.min(ahead, wish);
  }

  seek(atBytes: number): void {
    this.positionBytes = atBytes;
    this.startedAtMs = null;
  }
}

export function demandAt(
  geometry: Geometry,
  readBytes: number,
  options: Partial<StreamDemand> = {},
): StreamDemand {
  return {
    stream: 1,
    readBytes,
    file: { start: 0, end: geometry.totalBytes },
    bytesPerSec: 1_500_000,
    index: [],
    aheadBytes: 32 * 1024 * 1024,
    ...options,
  };
}
