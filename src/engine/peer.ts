// One peer of one torrent: what each side said (choke, interest, haves) and where its messages go. A Peer decides
// nothing: blocks go to the intake, requests to the uploader, haves to the scheduler, all through PeerHost.

import type { PeerAddress } from "../base/address.ts";
import { LIMITS } from "../base/limits.ts";
import { PeerFault } from "../base/peer-fault.ts";
import type { RateMeter } from "../base/rate-meter.ts";
import type { PeerSource } from "../swarm/index.ts";
import type {
  BlockTarget,
  PeerHandler,
  PeerLink,
  RemoteExtendedHandshake,
  RemoteHandshake,
} from "../wire/index.ts";
import { IncomingBlock } from "./block-intake.ts";
import { clientNameOf } from "./peer-id.ts";

/** The torrent's side, as its peers need it. */
export interface PeerHost {
  peerReady(peer: Peer): void;
  peerExtended(peer: Peer): void;
  peerHaves(peer: Peer, haves: HaveMessage): void;
  peerChoking(peer: Peer): void;
  peerInterested(peer: Peer): void;
  peerAllowedFast(peer: Peer, piece: number): void;
  peerRejected(peer: Peer, piece: number, beginBytes: number, lengthBytes: number): void;
  peerRequests(peer: Peer, piece: number, beginBytes: number, lengthBytes: number): void;
  peerCancels(peer: Peer, piece: number, beginBytes: number): void;
  peerMetadata(peer: Peer, payload: Uint8Array): void;
  peerDrained(peer: Peer): void;
  peerDhtPort(peer: Peer, port: number): void;
  peerGone(peer: Peer, reason: string): void;
  blockTarget(peer: Peer, piece: number, beginBytes: number, lengthBytes: number): BlockTarget | null;
  blockArrived(peer: Peer, piece: number, beginBytes: number, lengthBytes: number): void;
  blockAborted(peer: Peer, piece: number, beginBytes: number): void;
}

export type HaveMessage =
  | { readonly kind: "all" }
  | { readonly kind: "none" }
  | { readonly kind: "bits"; readonly bits: Uint8Array }
  | { readonly kind: "piece"; readonly piece: number };

/** Haves that came before the metadata did; more single ones than this are dropped with the peer. */
const EARLY_HAVES_MAX = 2_000;

export class Peer implements PeerHandler {
  readonly key: number;
  readonly link: PeerLink;
  readonly source: PeerSource;
  /** What we dialled, or the remote endpoint of an incoming connection. */
  readonly address: PeerAddress;
  readonly connectedAtMs: number;
  readonly downMeter: RateMeter;
  readonly upMeter: RateMeter;
  readonly incoming = new IncomingBlock();
  remote: RemoteHandshake | null = null;
  extended: RemoteExtendedHandshake | null = null;
  isChokingUs = true;
  isInterested = false;
  amChoking = true;
  amInterested = false;
  /** Kept until the metadata says how many pieces there are. */
  earlyHaves: HaveMessage[] = [];
  readonly #host: PeerHost;

  constructor(options: {
    key: number;
    link: PeerLink;
    address: PeerAddress;
    source: PeerSource;
    host: PeerHost;
    nowMs: number;
    downMeter: RateMeter;
    upMeter: RateMeter;
  }) {
    this.key = options.key;
    this.link = options.link;
    this.address = options.address;
    this.source = options.source;
    this.connectedAtMs = options.nowMs;
    this.downMeter = options.downMeter;
    this.upMeter = options.upMeter;
    this.#host = options.host;
  }

  get isReady(): boolean {
    return this.remote !== null;
  }

  get clientName(): string | null {
    return this.extended?.clientName ?? (this.remote === null ? null : clientNameOf(this.remote.peerId));
  }

  onHandshake(remote: RemoteHandshake): void {
    this.remote = remote;
    this.#host.peerReady(this);
  }

  onExtendedHandshake(remote: RemoteExtendedHandshake): void {
    this.extended = remote;
    this.#host.peerExtended(this);
  }

  onExtended(name: string, payload: Uint8Array): void {
    if (name === "ut_metadata") this.#host.peerMetadata(this, payload);
  }

  onChoke(): void {
    this.isChokingUs = true;
    this.#host.peerChoking(this);
  }

  onUnchoke(): void {
    this.isChokingUs = false;
    this.#host.peerChoking(this);
  }

  onInterested(): void {
    this.isInterested = true;
    this.#host.peerInterested(this);
  }

  onNotInterested(): void {
    this.isInterested = false;
    this.#host.peerInterested(this);
  }

  onHave(piece: number): void {
    this.#host.peerHaves(this, { kind: "piece", piece });
  }

  onBitfield(bits: Uint8Array): void {
    this.#host.peerHaves(this, { kind: "bits", bits: bits.slice() });
  }

  onHaveAll(): void {
    this.#host.peerHaves(this, { kind: "all" });
  }

  onHaveNone(): void {
    this.#host.peerHaves(this, { kind: "none" });
  }

  onAllowedFast(piece: number): void {
    this.#host.peerAllowedFast(this, piece);
  }

  onReject(piece: number, beginBytes: number, lengthBytes: number): void {
    this.#host.peerRejected(this, piece, beginBytes, lengthBytes);
  }

  onRequest(piece: number, beginBytes: number, lengthBytes: number): void {
    if (lengthBytes > LIMITS.peer.requestBytes)
      throw new PeerFault("request_flood", "request of more than 128 KiB");
    this.#host.peerRequests(this, piece, beginBytes, lengthBytes);
  }

  onCancel(piece: number, beginBytes: number): void {
    this.#host.peerCancels(this, piece, beginBytes);
  }

  onDhtPort(port: number): void {
    this.#host.peerDhtPort(this, port);
  }

  blockTarget(piece: number, beginBytes: number, lengthBytes: number): BlockTarget | null {
    return this.#host.blockTarget(this, piece, beginBytes, lengthBytes);
  }

  onBlock(piece: number, beginBytes: number, lengthBytes: number): void {
    this.#host.blockArrived(this, piece, beginBytes, lengthBytes);
  }

  onBlockAborted(piece: number, beginBytes: number): void {
    this.#host.blockAborted(this, piece, beginBytes);
  }

  onDrain(): void {
    this.#host.peerDrained(this);
  }

  onClose(reason: string): void {
    this.#host.peerGone(this, reason);
  }

  /** Keeps a have for later. Bits and all/none replace what came before; BEP 3 allows them only first. */
  keepEarly(haves: HaveMessage): void {
    if (haves.kind !== "piece") this.earlyHaves = [haves];
    else if (this.earlyHaves.length < EARLY_HAVES_MAX) this.earlyHaves.push(haves);
    else throw new PeerFault("bad_frame", "too many haves before metadata");
  }

  setInterested(isInterested: boolean): void {
    if (isInterested === this.amInterested) return;
    this.amInterested = isInterested;
    if (isInterested) this.link.interested();
    else this.link.notInterested();
  }

  setChoking(isChoking: boolean): void {
    if (isChoking === this.amChoking) return;
    this.amChoking = isChoking;
    if (isChoking) this.link.choke();
    else this.link.unchoke();
  }
}
