// Where a block's payload goes and who sent what. One peer at a time writes a block's place in the piece; a second
// peer that races it writes into a scratch of its own, and if it finishes first the place is taken from the other:
// what has arrived can no longer be changed, so that nobody is blamed for what another wrote. Who sent each block is remembered until the piece is settled: a liar is found
// by comparing what it sent with what passed (ENGINE §3, smart ban).

import { BLOCK_BYTES, LIMITS } from "../base/limits.ts";
import { PeerFault } from "../base/peer-fault.ts";
import type { TorrentScheduler } from "../scheduler/index.ts";
import type { TorrentStore } from "../store/index.ts";
import type { Peer } from "./peer.ts";

type BlockStore = Pick<TorrentStore, "blockTarget" | "blockArrived">;

interface Intake {
  readonly piece: number;
  readonly beginBytes: number;
  /** Null: the payload is skipped. */
  target: Uint8Array | null;
  readonly isScratch: boolean;
}

export class BlockIntake {
  readonly #scheduler: TorrentScheduler;
  readonly #store: BlockStore;
  readonly #blocksPerPiece: number;
  /** Block id → the peer that writes its place now. */
  readonly #writers = new Map<number, Peer>();
  readonly #current = new Map<Peer, Intake>();
  readonly #unsolicited = new Map<Peer, number>();
  /** Piece → per block the host that sent it. */
  readonly #senders = new Map<number, string[]>();

  constructor(scheduler: TorrentScheduler, store: BlockStore, blocksPerPiece: number) {
    this.#scheduler = scheduler;
    this.#store = store;
    this.#blocksPerPiece = blocksPerPiece;
  }

  targetFor(peer: Peer, piece: number, beginBytes: number, lengthBytes: number): Uint8Array | null {
    const isExpected = this.#scheduler.expects(peer.key, piece, beginBytes, lengthBytes);
    const id = this.#blockId(piece, beginBytes);
    const isRace = isExpected && this.#writers.has(id);
    const target = isExpected ? this.#placeFor(piece, beginBytes, lengthBytes, isRace) : null;
    if (target !== null && !isRace) this.#writers.set(id, peer);
    this.#current.set(peer, { piece, beginBytes, target, isScratch: isRace });
    return target;
  }

  #placeFor(piece: number, beginBytes: number, lengthBytes: number, isRace: boolean): Uint8Array | null {
    if (isRace) return new Uint8Array(lengthBytes);
    return this.#store.blockTarget(piece, beginBytes, lengthBytes, this.#scheduler.hasStream);
  }

  /**
   * The payload is complete; true where it was useful. Throws PeerFault over too much that was never asked; what was
   * asked and is not needed any more (cancelled, raced) is no fault of the peer's.
   */
  arrived(peer: Peer, piece: number, beginBytes: number, lengthBytes: number): boolean {
    const intake = this.#finish(peer);
    const verdict = this.#scheduler.blockArrived(peer.key, piece, beginBytes, lengthBytes);
    if (verdict === "unrequested") this.#countUnsolicited(peer);
    if (verdict !== "wanted") return false;
    if (!this.#commit(intake, piece, beginBytes, lengthBytes)) {
      this.#scheduler.blockLost(peer.key, piece, beginBytes);
      return false;
    }
    this.#rememberSender(piece, beginBytes, peer.address.host);
    this.#store.blockArrived(piece, beginBytes, lengthBytes);
    return true;
  }

  #commit(intake: Intake | undefined, piece: number, beginBytes: number, lengthBytes: number): boolean {
    if (intake?.target == null) return false;
    if (!intake.isScratch) return true;
    const place = this.#store.blockTarget(piece, beginBytes, lengthBytes, true);
    if (place === null) return false;
    this.#takePlaceFrom(this.#writers.get(this.#blockId(piece, beginBytes)));
    place.set(intake.target);
    return true;
  }

  /** The piece's blocks are void: who still writes one writes into memory that is no longer the piece's. */
  pieceDropped(piece: number): void {
    for (const [peer, intake] of this.#current) {
      if (intake.piece === piece) this.#takePlaceFrom(peer);
    }
  }

  #takePlaceFrom(peer: Peer | undefined): void {
    const intake = peer === undefined ? undefined : this.#current.get(peer);
    if (peer === undefined || intake === undefined) return;
    intake.target = null;
    peer.link.giveUpTarget();
    this.#writers.delete(this.#blockId(intake.piece, intake.beginBytes));
  }

  aborted(peer: Peer, piece: number, beginBytes: number): void {
    this.#finish(peer);
    this.#scheduler.blockLost(peer.key, piece, beginBytes);
  }

  forget(peer: Peer): void {
    this.#finish(peer);
    this.#unsolicited.delete(peer);
  }

  /** Once a minute. */
  resetCounts(): void {
    this.#unsolicited.clear();
  }

  /** The hosts that sent the blocks of a piece, by block; forgotten with this call. */
  takeSenders(piece: number): readonly string[] {
    const senders = this.#senders.get(piece) ?? [];
    this.#senders.delete(piece);
    return senders;
  }

  #finish(peer: Peer): Intake | undefined {
    const intake = this.#current.get(peer);
    if (intake === undefined) return undefined;
    this.#current.delete(peer);
    const id = this.#blockId(intake.piece, intake.beginBytes);
    if (this.#writers.get(id) === peer) this.#writers.delete(id);
    return intake;
  }

  #rememberSender(piece: number, beginBytes: number, host: string): void {
    let senders = this.#senders.get(piece);
    if (senders === undefined) {
      senders = [];
      this.#senders.set(piece, senders);
    }
    senders[beginBytes / BLOCK_BYTES] = host;
  }

  #countUnsolicited(peer: Peer): void {
    const count = (this.#unsolicited.get(peer) ?? 0) + 1;
    this.#unsolicited.set(peer, count);
    if (count > LIMITS.peer.unsolicitedBlocksPerMinute)
      throw new PeerFault("unsolicited_data", "blocks nobody asked for");
  }

  #blockId(piece: number, beginBytes: number): number {
    return piece * this.#blocksPerPiece + Math.floor(beginBytes / BLOCK_BYTES);
  }
}
