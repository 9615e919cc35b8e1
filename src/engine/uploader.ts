// Serves the requests of unchoked peers from the store. Runs of neighbouring requests are read in one go; a peer is
// given no more than its socket takes, and the rate limits are asked before each run. Reads never hold the loop.

import { describeError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { Log } from "../base/log.ts";
import type { Geometry } from "../metainfo/index.ts";
import type { TorrentStore } from "../store/index.ts";
import type { Peer } from "./peer.ts";

interface Wanted {
  readonly piece: number;
  readonly beginBytes: number;
  readonly lengthBytes: number;
}

/** Bytes that may be sent now; asked before and told after each run. */
export interface UploadAllowance {
  available(): number;
  take(bytes: number): void;
}

/** Beyond what we announce, for clients that count differently. */
const REQUESTS_SLACK = 250;
/** A choke crosses as many requests as we said we take. */
const CHOKED_MAX = LIMITS.peer.requestsTaken + LIMITS.peer.chokedRequests;
const RUN_BYTES = 256 * 1024;
/** A peer with more than this unsent in its link waits for its drain. */
const LINK_HIGH_WATER_BYTES = 512 * 1024;

export class Uploader {
  readonly #store: TorrentStore;
  readonly #allowance: UploadAllowance;
  readonly #geometry: Geometry;
  readonly #onSent: (peer: Peer, bytes: number) => void;
  readonly #log: Log;
  readonly #queues = new Map<Peer, Wanted[]>();
  readonly #reading = new Set<Peer>();
  /**
   * Requests that came although we choke or the queue is full, since the last unchoke or the last that was served:
   * those in flight at a choke are no fault.
   */
  readonly #chokedRequests = new Map<Peer, number>();
  /** Requests of what is not there. */
  readonly #invalidRequests = new Map<Peer, number>();

  constructor(options: {
    store: TorrentStore;
    allowance: UploadAllowance;
    geometry: Geometry;
    onSent: (peer: Peer, bytes: number) => void;
    log: Log;
  }) {
    this.#store = options.store;
    this.#allowance = options.allowance;
    this.#geometry = options.geometry;
    this.#onSent = options.onSent;
    this.#log = options.log;
  }

  /** Takes a request; false where the peer asks so much against the rules that it should go. */
  request(peer: Peer, piece: number, beginBytes: number, lengthBytes: number): boolean {
    const isInPiece = lengthBytes > 0 && beginBytes + lengthBytes <= this.#geometry.pieceLength(piece);
    if (!isInPiece || !this.#store.have.has(piece)) {
      this.#refuse(peer, piece, beginBytes, lengthBytes);
      return countUp(this.#invalidRequests, peer) <= LIMITS.peer.invalidRequests;
    }
    if (peer.amChoking) {
      this.#refuse(peer, piece, beginBytes, lengthBytes);
      return countUp(this.#chokedRequests, peer) <= CHOKED_MAX;
    }
    const queue = this.#queues.get(peer) ?? [];
    this.#queues.set(peer, queue);
    if (queue.length >= LIMITS.peer.requestsTaken + REQUESTS_SLACK) {
      this.#refuse(peer, piece, beginBytes, lengthBytes);
      return countUp(this.#chokedRequests, peer) <= CHOKED_MAX;
    }
    queue.push({ piece, beginBytes, lengthBytes });
    this.pump(peer);
    return true;
  }

  cancel(peer: Peer, piece: number, beginBytes: number): void {
    const queue = this.#queues.get(peer);
    const at = queue?.findIndex((wanted) => wanted.piece === piece && wanted.beginBytes === beginBytes) ?? -1;
    const dropped = at >= 0 ? queue?.splice(at, 1)[0] : undefined;
    if (dropped) this.#refuse(peer, dropped.piece, dropped.beginBytes, dropped.lengthBytes);
  }

  /** The peer was choked: what it asked for is void (BEP 6: said so, one by one). */
  choked(peer: Peer): void {
    for (const wanted of this.#queues.get(peer) ?? []) {
      this.#refuse(peer, wanted.piece, wanted.beginBytes, wanted.lengthBytes);
    }
    this.#queues.delete(peer);
  }

  unchoked(peer: Peer): void {
    this.#chokedRequests.delete(peer);
  }

  forget(peer: Peer): void {
    this.#queues.delete(peer);
    this.#reading.delete(peer);
    this.#chokedRequests.delete(peer);
    this.#invalidRequests.delete(peer);
  }

  /** Tries every waiting peer again; called on each tick, for the rate limits. */
  pumpAll(): void {
    for (const peer of [...this.#queues.keys()]) this.pump(peer);
  }

  pump(peer: Peer): void {
    const queue = this.#queues.get(peer);
    if (queue === undefined || queue.length === 0 || this.#reading.has(peer)) return;
    const allowedBytes = this.#allowance.available();
    if (peer.link.queuedBytes > LINK_HIGH_WATER_BYTES || allowedBytes <= 0) return;
    const run = takeRun(queue, Math.min(RUN_BYTES, allowedBytes));
    // Behind the others: under a rate limit each peer gets its turn.
    this.#queues.delete(peer);
    this.#queues.set(peer, queue);
    this.#reading.add(peer);
    this.#serve(peer, run).then(
      () => this.#served(peer),
      (error: unknown) => this.#failed(peer, run, error),
    );
  }

  async #serve(peer: Peer, run: readonly Wanted[]): Promise<void> {
    const first = run[0];
    const last = run[run.length - 1];
    if (first === undefined || last === undefined) return;
    const lengthBytes = last.beginBytes + last.lengthBytes - first.beginBytes;
    this.#allowance.take(lengthBytes);
    const bytes = await this.#store.read(
      this.#geometry.pieceStart(first.piece) + first.beginBytes,
      lengthBytes,
    );
    const isVoid = peer.amChoking && !peer.link.hasFast;
    if (!this.#reading.has(peer) || isVoid) return;
    for (const wanted of run) {
      const at = wanted.beginBytes - first.beginBytes;
      peer.link.piece(wanted.piece, wanted.beginBytes, bytes.subarray(at, at + wanted.lengthBytes));
    }
    peer.link.flush();
    this.#onSent(peer, lengthBytes);
  }

  #served(peer: Peer): void {
    if (!this.#reading.delete(peer)) return;
    this.#chokedRequests.delete(peer);
    this.pump(peer);
  }

  #failed(peer: Peer, run: readonly Wanted[], error: unknown): void {
    this.#log.warn("a block could not be read for a peer", { error: describeError(error) });
    if (!this.#reading.delete(peer)) return;
    for (const wanted of run) this.#refuse(peer, wanted.piece, wanted.beginBytes, wanted.lengthBytes);
    this.pump(peer);
  }

  #refuse(peer: Peer, piece: number, beginBytes: number, lengthBytes: number): void {
    if (!peer.link.hasFast) return;
    peer.link.reject(piece, beginBytes, lengthBytes);
    peer.link.flush();
  }
}

function countUp(counts: Map<Peer, number>, peer: Peer): number {
  const count = (counts.get(peer) ?? 0) + 1;
  counts.set(peer, count);
  return count;
}

/** The head of the queue and what follows it without a hole in the same piece, until `maxBytes` are reached. */
function takeRun(queue: Wanted[], maxBytes: number): Wanted[] {
  const run: Wanted[] = [];
  let bytes = 0;
  for (const wanted of queue) {
    const last = run[run.length - 1];
    const isNext =
      last === undefined ||
      (wanted.piece === last.piece && wanted.beginBytes === last.beginBytes + last.lengthBytes);
    if (!isNext || bytes >= maxBytes) break;
    run.push(wanted);
    bytes += wanted.lengthBytes;
  }
  queue.splice(0, run.length);
  return run;
}
