// The peers of one torrent: who is connected, where new ones come from, who is choked. Messages of a peer go on to the
// transfer (blocks, haves, requests) or to the metadata session. Runs only while the torrent does; stop() ends all.

import type { PeerAddress } from "../base/address.ts";
import { LIMITS } from "../base/limits.ts";
import type { Log } from "../base/log.ts";
import { PeerFault } from "../base/peer-fault.ts";
import { RateMeter } from "../base/rate-meter.ts";
import type { PeerSource } from "../swarm/index.ts";
import type { BlockTarget, LocalIdentity, PeerLink } from "../wire/index.ts";
import { Choking } from "./choking.ts";
import { Dialer } from "./dialer.ts";
import type { MetadataSession } from "./metadata-session.ts";
import { type HaveMessage, Peer, type PeerHost } from "./peer.ts";
import { PeerSources, PUBLIC_SOURCES } from "./peer-sources.ts";
import type { Shared } from "./shared.ts";
import type { Transfer } from "./transfer.ts";
import { chooseLeavers } from "./turnover.ts";

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

const UPKEEP_MS = 5_000;
/** With fewer than this and nobody to dial, trackers are asked for more. */
const FEW_PEERS = 10;
const METER_TAU_MS = 4_000;
const COUNTS_MS = 60_000;

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
  #nextCountsMs: number;
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
    this.#nextCountsMs = shared.deps.clock.nowMs() + COUNTS_MS;
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
      onPeers: (addresses, source) => this.offer(addresses, source),
    });
    if (!facts.isPrivate()) this.dialer.offer(options.magnetPeers, "magnet");
    this.sources.start(options.announceWithinMs);
    this.#dial();
  }

  /** Dialled at once: a torrent without peers is visited only once a second. */
  offer(addresses: readonly PeerAddress[], source: PeerSource): void {
    this.dialer.offer(addresses, source);
    this.#dial();
  }

  /** From here on blocks can flow; peers that came before get their haves replayed. */
  attach(transfer: Transfer, pieceLengthBytes: number): void {
    this.#transfer = transfer;
    this.#choking = new Choking(transfer.uploader, pieceLengthBytes);
    for (const peer of [...this.peers.values()]) if (peer.isReady) this.#join(peer, transfer);
  }

  /** Not called by the peer's link, so a fault has to be caught here: it ends the peer, not the process. */
  #join(peer: Peer, transfer: Transfer): void {
    try {
      transfer.addPeer(peer);
    } catch (error) {
      if (!(error instanceof PeerFault)) throw error;
      this.#log.debug("peer fault", { peer: peer.key, reason: error.reason, detail: error.message });
      peer.link.close(error.reason);
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
    this.#makeRoom(nowMs);
    if (nowMs < this.#nextCountsMs) return;
    this.#nextCountsMs = nowMs + COUNTS_MS;
    this.#transfer?.intake.resetCounts();
  }

  /** BEP 27: the metadata says that only trackers may name peers. Peers from elsewhere go, and stay away. */
  becamePrivate(): void {
    this.sources.stopDht();
    this.dialer.forgetPublicSources();
    for (const peer of [...this.peers.values()]) {
      if (PUBLIC_SOURCES.has(peer.source)) peer.link.close("local");
    }
  }

  stop(): Promise<void> {
    this.#isStopped = true;
    this.dialer.stop();
    for (const peer of [...this.peers.values()]) peer.link.close("stopped");
    return this.sources.stop();
  }

  peerReady(peer: Peer): void {
    // Told first, so that the end of a duplicate is the end of a connection and no dial is left open.
    this.dialer.connected(peer);
    const remoteId = Buffer.from(peer.remote?.peerId ?? []).toString("latin1");
    for (const other of this.peers.values()) {
      if (other === peer || other.remote === null) continue;
      if (Buffer.from(other.remote.peerId).toString("latin1") === remoteId) {
        throw new PeerFault("duplicate_connection", "already connected to this peer");
      }
    }
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
    if (this.#transfer !== null) {
      this.#transfer.haves(peer, haves);
      return;
    }
    peer.keepEarly(haves);
    // Without metadata anything is of interest; said now, the peer may unchoke us while the metadata still comes.
    if (haves.kind !== "none") peer.setInterested(true);
    peer.link.flush();
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

  blockTarget(peer: Peer, piece: number, beginBytes: number, lengthBytes: number): BlockTarget | null {
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

  #admit(link: PeerLink, address: PeerAddress, source: PeerSource): Peer {
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

  /** A full torrent parts with peers that are of no use while others wait. */
  #makeRoom(nowMs: number): void {
    const spare = this.#peerLimit() - this.peers.size;
    if (spare > 0) return;
    const uses = [...this.peers.values()].map((peer) => ({
      peer,
      isReady: peer.isReady,
      connectedAtMs: peer.connectedAtMs,
      isWanted: this.#wants(peer),
      isInterested: peer.isInterested,
      movedBytes: peer.downMeter.totalBytes + peer.upMeter.totalBytes,
    }));
    const waiting = this.dialer.waitingCount(nowMs);
    for (const { peer } of chooseLeavers(uses, { nowMs, waiting })) peer.link.close("useless");
  }

  /** Before the metadata is known, those are wanted that can give it. */
  #wants(peer: Peer): boolean {
    return this.#transfer === null ? peer.extended?.metadataBytes != null : peer.amInterested;
  }

  /** Two complete sides have nothing to give each other, unless a stream wants a file that is not selected. */
  #dropRedundant(): void {
    if (!this.#facts.isComplete() || this.#transfer === null) return;
    for (const peer of [...this.peers.values()]) {
      const isSeed = peer.isReady && this.#transfer.scheduler.peerFigures(peer.key).progress >= 1;
      if (isSeed && !peer.amInterested) peer.link.close("redundant");
    }
  }
}
