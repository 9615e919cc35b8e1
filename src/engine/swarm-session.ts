// The peers of one torrent: who is connected, where new ones come from, who is choked. Messages of a peer go on to the
// transfer (blocks, haves, requests) or to the metadata session. Runs only while the torrent does; stop() ends all.

import type { PeerAddress } from "../base/address.ts";
import { LIMITS } from "../base/limits.ts";
import type { Log } from "../base/log.ts";
import { PeerFault } from "../base/peer-fault.ts";
import { RateMeter } from "../base/rate-meter.ts";
import type { LocalIdentity, PeerLink } from "../wire/index.ts";
import { Choking } from "./choking.ts";
import { Dialer } from "./dialer.ts";
import type { MetadataSession } from "./metadata-session.ts";
import { type HaveMessage, Peer, type PeerHost } from "./peer.ts";
import { PeerSources } from "./peer-sources.ts";
import type { Shared } from "./shared.ts";
import type { Transfer } from "./transfer.ts";

/** What the session asks of its torrent. */
export interface SessionFacts {
  identity(): LocalIdentity;
  isPrivate(): boolean;
  /** All selected files are had: seeds are of no more use. */
  isComplete(): boolean;
  isStreamed(): boolean;
  leftBytes(): number;
  traffic(): { readonly downloadedBytes: number; readonly uploadedBytes: number };
}

const UPKEEP_MS = 10_000;
/** With fewer than this and nobody to dial, trackers are asked for more. */
const FEW_PEERS = 10;
const METER_TAU_MS = 4_000;

export class SwarmSession implements PeerHost {
  readonly peers = new Map<number, Peer>();
  readonly sources: PeerSources;
  readonly dialer: Dialer;
  readonly #facts: SessionFacts;
  readonly #shared: Shared;
  readonly #log: Log;
  readonly #metadata: MetadataSession;
  #transfer: Transfer | null = null;
  #choking: Choking | null = null;
  #nextUpkeepMs = 0;
  #isStopped = false;

  constructor(options: {
    shared: Shared;
    log: Log;
    facts: SessionFacts;
    metadata: MetadataSession;
    trackers: readonly (readonly string[])[];
    magnetPeers: readonly PeerAddress[];
    announceWithinMs: number;
  }) {
    const { shared, facts } = options;
    this.#shared = shared;
    this.#facts = facts;
    this.#log = options.log;
    this.#metadata = options.metadata;
    this.dialer = new Dialer({
      shared,
      log: options.log,
      identity: () => facts.identity(),
      admit: (link, address, source) => this.#admit(link, address, source),
    });
    this.sources = new PeerSources({
      shared,
      log: options.log,
      facts,
      trackers: options.trackers,
      onPeers: (addresses, source) => {
        this.dialer.offer(addresses, source);
        this.#dial();
      },
    });
    this.dialer.offer(options.magnetPeers, "magnet");
    this.sources.start(options.announceWithinMs);
    this.#dial();
  }

  /** From here on blocks can flow; peers that came before get their haves replayed. */
  attach(transfer: Transfer, pieceLengthBytes: number): void {
    this.#transfer = transfer;
    this.#choking = new Choking(transfer.uploader, pieceLengthBytes);
    for (const peer of this.peers.values()) {
      if (peer.isReady) transfer.addPeer(peer);
    }
  }

  get transfer(): Transfer | null {
    return this.#transfer;
  }

  /** Our side of an incoming connection, or null where the torrent is full or the host is banned. */
  acceptIncoming(link: PeerLink): Peer | null {
    return this.peers.size >= this.#peerLimit() ? null : this.dialer.accept(link);
  }

  tick(nowMs: number): void {
    this.#dial();
    this.#metadata.tick();
    this.#transfer?.uploader.pumpAll();
    this.#transfer?.turn();
    this.#choking?.tick(this.peers.values(), nowMs, this.#facts.isComplete());
    if (nowMs < this.#nextUpkeepMs) return;
    this.#nextUpkeepMs = nowMs + UPKEEP_MS;
    this.#dropRedundant();
  }

  stop(): Promise<void> {
    this.#isStopped = true;
    this.dialer.stop();
    for (const peer of [...this.peers.values()]) peer.link.close("stopped");
    return this.sources.stop();
  }

  peerReady(peer: Peer): void {
    const remoteId = Buffer.from(peer.remote?.peerId ?? []).toString("latin1");
    for (const other of this.peers.values()) {
      if (other === peer || other.remote === null) continue;
      if (Buffer.from(other.remote.peerId).toString("latin1") === remoteId) {
        throw new PeerFault("duplicate_connection", "already connected to this peer");
      }
    }
    this.dialer.connected(peer);
    this.#transfer?.addPeer(peer);
    if (peer.remote?.hasDht === true && this.#shared.dht !== null && !this.#facts.isPrivate()) {
      peer.link.dhtPort(this.#shared.listenPort);
      peer.link.flush();
    }
  }

  peerExtended(peer: Peer): void {
    this.#metadata.addPeer(peer);
    if (this.#transfer !== null && peer.isReady) this.#transfer.extended(peer);
  }

  peerHaves(peer: Peer, haves: HaveMessage): void {
    if (this.#transfer === null) peer.keepEarly(haves);
    else this.#transfer.haves(peer, haves);
  }

  peerChoking(peer: Peer): void {
    this.#transfer?.choking(peer);
  }

  peerInterested(peer: Peer): void {
    this.#choking?.interested(peer, this.#shared.deps.clock.nowMs());
  }

  peerAllowedFast(peer: Peer, piece: number): void {
    this.#transfer?.scheduler.peerAllowedFast(peer.key, piece);
  }

  peerRejected(peer: Peer, piece: number, beginBytes: number, lengthBytes: number): void {
    this.#transfer?.scheduler.rejected(peer.key, piece, beginBytes, lengthBytes);
    this.#transfer?.requestTurn();
  }

  peerRequests(peer: Peer, piece: number, beginBytes: number, lengthBytes: number): void {
    if (this.#transfer === null) return;
    if (!this.#transfer.uploader.request(peer, piece, beginBytes, lengthBytes)) {
      throw new PeerFault("request_flood", "requests while choked, or for what is not there");
    }
  }

  peerCancels(peer: Peer, piece: number, beginBytes: number): void {
    this.#transfer?.uploader.cancel(peer, piece, beginBytes);
  }

  peerMetadata(peer: Peer, payload: Uint8Array): void {
    this.#metadata.onMessage(peer, payload);
  }

  peerDrained(peer: Peer): void {
    this.#transfer?.uploader.pump(peer);
  }

  peerDhtPort(peer: Peer, port: number): void {
    if (!this.#facts.isPrivate()) this.#shared.dht?.addNode({ host: peer.address.host, port });
  }

  peerGone(peer: Peer, reason: string): void {
    if (!this.peers.delete(peer.key)) return;
    this.#log.debug("peer gone", { peer: peer.key, reason });
    this.#metadata.removePeer(peer);
    this.#transfer?.removePeer(peer);
    this.#choking?.gone(peer);
    this.dialer.disconnected(peer, reason);
    if (!this.#isStopped) this.#dial();
  }

  blockTarget(peer: Peer, piece: number, beginBytes: number, lengthBytes: number): Uint8Array | null {
    return this.#transfer?.intake.targetFor(peer, piece, beginBytes, lengthBytes) ?? null;
  }

  blockArrived(peer: Peer, piece: number, beginBytes: number, lengthBytes: number): void {
    this.#transfer?.blockArrived(peer, piece, beginBytes, lengthBytes);
  }

  blockAborted(peer: Peer, piece: number, beginBytes: number): void {
    this.#transfer?.intake.aborted(peer, piece, beginBytes);
  }

  /** Ends every connection to a host that is proven to lie, and keeps it away. */
  banHost(host: string): void {
    this.dialer.ban(host, "corrupt_data");
    for (const peer of [...this.peers.values()]) {
      if (peer.address.host === host) peer.link.close("corrupt_data");
    }
  }

  #admit(link: PeerLink, address: PeerAddress, source: string): Peer {
    const nowMs = this.#shared.deps.clock.nowMs();
    const meter = () => new RateMeter({ tauMs: METER_TAU_MS, nowMs });
    const peer = new Peer({
      key: this.#shared.nextKey(),
      link,
      address,
      source,
      host: this,
      nowMs,
      downMeter: meter(),
      upMeter: meter(),
    });
    this.peers.set(peer.key, peer);
    return peer;
  }

  #peerLimit(): number {
    return this.#facts.isStreamed() ? LIMITS.peer.perStreamedTorrent : LIMITS.peer.perTorrent;
  }

  #dial(): void {
    if (this.#isStopped) return;
    const hasCandidates = this.dialer.dial(this.#peerLimit() - this.peers.size);
    if (!hasCandidates && this.peers.size < FEW_PEERS && !this.#facts.isComplete()) this.sources.outOfPeers();
  }

  /** Two complete sides have nothing to give each other. */
  #dropRedundant(): void {
    if (!this.#facts.isComplete() || this.#transfer === null) return;
    for (const peer of [...this.peers.values()]) {
      if (peer.isReady && this.#transfer.scheduler.peerFigures(peer.key).progress >= 1)
        peer.link.close("redundant");
    }
  }
}
