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
  /** Refused since the last request that was in order: what is on its way when we choke is no flood. */
  readonly #refusedInARow = new Map<Peer, number>();

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
    if (peer.amChoking || !isInPiece || !this.#store.have.has(piece)) {
      return this.#refuseCounted(peer, piece, beginBytes, lengthBytes);
    }
    const queue = this.#queues.get(peer) ?? [];
    this.#queues.set(peer, queue);
    if (queue.length >= LIMITS.peer.requestQueue * 2) {
      return this.#refuseCounted(peer, piece, beginBytes, lengthBytes);
    }
    this.#refusedInARow.delete(peer);
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

  forget(peer: Peer): void {
    this.#queues.delete(peer);
    this.#reading.delete(peer);
    this.#refusedInARow.delete(peer);
  }

  /** Tries every waiting peer again; called on each tick, for the rate limits. */
  pumpAll(): void {
    for (const peer of this.#queues.keys()) this.pump(peer);
  }

  pump(peer: Peer): void {
    const queue = this.#queues.get(peer);
    if (queue === undefined || queue.length === 0 || this.#reading.has(peer)) return;
    if (peer.link.queuedBytes > LINK_HIGH_WATER_BYTES || this.#allowance.available() <= 0) return;
    const run = takeRun(queue);
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
    if (!this.#reading.has(peer)) return;
    for (const wanted of run) {
      const at = wanted.beginBytes - first.beginBytes;
      peer.link.piece(wanted.piece, wanted.beginBytes, bytes.subarray(at, at + wanted.lengthBytes));
    }
    peer.link.flush();
    this.#onSent(peer, lengthBytes);
  }

  #served(peer: Peer): void {
    if (this.#reading.delete(peer)) this.pump(peer);
  }

  #failed(peer: Peer, run: readonly Wanted[], error: unknown): void {
    this.#log.warn("a block could not be read for a peer", { error: describeError(error) });
    if (!this.#reading.delete(peer)) return;
    for (const wanted of run) this.#refuse(peer, wanted.piece, wanted.beginBytes, wanted.lengthBytes);
    this.pump(peer);
  }

  #refuseCounted(peer: Peer, piece: number, beginBytes: number, lengthBytes: number): boolean {
    this.#refuse(peer, piece, beginBytes, lengthBytes);
    const count = (this.#refusedInARow.get(peer) ?? 0) + 1;
    this.#refusedInARow.set(peer, count);
    return count <= LIMITS.peer.refusedRequests;
  }

  #refuse(peer: Peer, piece: number, beginBytes: number, lengthBytes: number): void {
    if (!peer.link.hasFast) return;
    peer.link.reject(piece, beginBytes, lengthBytes);
    peer.link.flush();
  }
}

/** The head of the queue and what follows it without a hole in the same piece, up to RUN_BYTES. */
function takeRun(queue: Wanted[]): Wanted[] {
  const run: Wanted[] = [];
  let bytes = 0;
  for (const wanted of queue) {
    const last = run[run.length - 1];
    const isNext =
      last === undefined ||
      (wanted.piece === last.piece && wanted.beginBytes === last.beginBytes + last.lengthBytes);
    if (!isNext || bytes >= RUN_BYTES) break;
    run.push(wanted);
    bytes += wanted.lengthBytes;
  }
  queue.splice(0, run.length);
  return run;
}
