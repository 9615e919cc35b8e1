// Where a block's payload goes and who sent what. One peer at a time writes a block's place in the piece; a second
// peer that races it writes into a scratch of its own, and if it finishes first the place is taken from the other:
// what has arrived can no longer be changed, so that nobody is blamed for what another wrote. Who sent each block is
// remembered until the piece is settled: a liar is found by comparing what it sent with what passed (ENGINE §3, smart
// ban). Invariant: a block allocates nothing, races aside; what is kept is kept per piece and per peer.

import { BLOCK_BYTES, LIMITS } from "../base/limits.ts";
import { PeerFault } from "../base/peer-fault.ts";
import type { TorrentScheduler } from "../scheduler/index.ts";
import type { TorrentStore } from "../store/index.ts";
import type { BlockTarget } from "../wire/index.ts";
import type { Peer } from "./peer.ts";

type BlockStore = Pick<TorrentStore, "blockTarget" | "blockArrived">;

/** The block that one peer sends now; a field of the peer, the intake's to change. */
export class IncomingBlock {
  /** −1: none. */
  piece = -1;
  block = 0;
  /** Null: the payload is skipped. */
  target: BlockTarget | null = null;
  /** Blocks that nobody asked it for, in the minute with this number. */
  unsolicitedCount = 0;
  unsolicitedMinute = 0;
}

/** Payload of a block whose place another peer is writing. */
class Scratch implements BlockTarget {
  readonly bytes: Uint8Array;
  readonly #beginBytes: number;

  constructor(beginBytes: number, lengthBytes: number) {
    this.bytes = new Uint8Array(lengthBytes);
    this.#beginBytes = beginBytes;
  }

  write(atBytes: number, chunk: Uint8Array, from: number, to: number): void {
    this.bytes.set(chunk.subarray(from, to), atBytes - this.#beginBytes);
  }
}

/** By block of one piece: who writes its place now, and the host that sent it. */
interface PieceTraffic {
  readonly writers: (Peer | null)[];
  readonly senders: (string | undefined)[];
}

export class BlockIntake {
  readonly #scheduler: TorrentScheduler;
  readonly #store: BlockStore;
  readonly #blocksPerPiece: number;
  readonly #traffic = new Map<number, PieceTraffic>();
  /** Peers that have sent anything. */
  readonly #peers = new Set<Peer>();
  #minute = 0;

  constructor(scheduler: TorrentScheduler, store: BlockStore, blocksPerPiece: number) {
    this.#scheduler = scheduler;
    this.#store = store;
    this.#blocksPerPiece = blocksPerPiece;
  }

  targetFor(peer: Peer, piece: number, beginBytes: number, lengthBytes: number): BlockTarget | null {
    const { incoming } = peer;
    this.#peers.add(peer);
    incoming.piece = piece;
    incoming.block = Math.floor(beginBytes / BLOCK_BYTES);
    incoming.target = null;
    if (!this.#scheduler.expects(peer.key, piece, beginBytes, lengthBytes)) return null;
    const { writers } = this.#trafficOf(piece);
    if (writers[incoming.block] !== null) {
      incoming.target = new Scratch(beginBytes, lengthBytes);
      return incoming.target;
    }
    incoming.target = this.#store.blockTarget(piece, beginBytes, lengthBytes, this.#scheduler.hasStream);
    if (incoming.target !== null) writers[incoming.block] = peer;
    return incoming.target;
  }

  /**
   * The payload is complete; true where it was useful. Throws PeerFault over too much that was never asked; what was
   * asked and is not needed any more (cancelled, raced) is no fault of the peer's.
   */
  arrived(peer: Peer, piece: number, beginBytes: number, lengthBytes: number): boolean {
    const { target } = peer.incoming;
    this.#finish(peer);
    const verdict = this.#scheduler.blockArrived(peer.key, piece, beginBytes, lengthBytes);
    if (verdict === "unrequested") this.#countUnsolicited(peer);
    if (verdict !== "wanted") return false;
    if (target === null || (target instanceof Scratch && !this.#commit(target, piece, beginBytes))) {
      this.#scheduler.blockLost(peer.key, piece, beginBytes);
      return false;
    }
    this.#trafficOf(piece).senders[beginBytes / BLOCK_BYTES] = peer.address.host;
    this.#store.blockArrived(piece, beginBytes, lengthBytes);
    return true;
  }

  #commit(scratch: Scratch, piece: number, beginBytes: number): boolean {
    const { length } = scratch.bytes;
    const place = this.#store.blockTarget(piece, beginBytes, length, true);
    if (place === null) return false;
    this.#takePlaceFrom(this.#trafficOf(piece).writers[beginBytes / BLOCK_BYTES] ?? null);
    place.write(beginBytes, scratch.bytes, 0, length);
    return true;
  }

  /** The piece's blocks are void: who still writes one writes into memory that is no longer the piece's. */
  pieceDropped(piece: number): void {
    for (const peer of this.#peers) if (peer.incoming.piece === piece) this.#takePlaceFrom(peer);
  }

  #takePlaceFrom(peer: Peer | null): void {
    if (peer === null) return;
    peer.incoming.target = null;
    peer.link.giveUpTarget();
    this.#leavePlace(peer);
  }

  aborted(peer: Peer, piece: number, beginBytes: number): void {
    this.#finish(peer);
    this.#scheduler.blockLost(peer.key, piece, beginBytes);
  }

  forget(peer: Peer): void {
    this.#finish(peer);
    this.#peers.delete(peer);
  }

  /** Once a minute. */
  resetCounts(): void {
    this.#minute++;
  }

  /** By block the hosts that sent a piece, undefined where nobody has; forgotten with this call. */
  takeSenders(piece: number): readonly (string | undefined)[] {
    const senders = this.#traffic.get(piece)?.senders ?? [];
    this.#traffic.delete(piece);
    return senders;
  }

  #finish(peer: Peer): void {
    this.#leavePlace(peer);
    peer.incoming.piece = -1;
    peer.incoming.target = null;
  }

  /** The place of the block that it sends is free, if it was this peer that wrote it. */
  #leavePlace(peer: Peer): void {
    const { piece, block } = peer.incoming;
    const writers = this.#traffic.get(piece)?.writers;
    if (writers?.[block] === peer) writers[block] = null;
  }

  #trafficOf(piece: number): PieceTraffic {
    let traffic = this.#traffic.get(piece);
    if (traffic === undefined) {
      const blocks = this.#blocksPerPiece;
      traffic = { writers: new Array(blocks).fill(null), senders: new Array(blocks).fill(undefined) };
      this.#traffic.set(piece, traffic);
    }
    return traffic;
  }

  #countUnsolicited({ incoming }: Peer): void {
    if (incoming.unsolicitedMinute !== this.#minute) incoming.unsolicitedCount = 0;
    incoming.unsolicitedMinute = this.#minute;
    if (++incoming.unsolicitedCount > LIMITS.peer.unsolicitedBlocksPerMinute)
      throw new PeerFault("unsolicited_data", "blocks nobody asked for");
  }
}
