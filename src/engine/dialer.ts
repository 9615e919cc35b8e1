// Makes a torrent's outgoing connections: takes the best candidate, a place at the gate all torrents share, dials, and
// tells the candidate list how it went. Owns the tickets of its connections until they end.

import { addressKey, type PeerAddress } from "../base/address.ts";
import { describeError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import {
  type BanCause,
  CandidateList,
  type DialFailure,
  type DialTicket,
  isDialable,
  type PeerSource,
} from "../swarm/index.ts";
import { dialPeer, type LocalIdentity, type PeerLink } from "../wire/index.ts";
import type { Peer } from "./peer.ts";
import { PUBLIC_SOURCES } from "./peer-sources.ts";
import type { Shared } from "./shared.ts";

export interface DialerOptions {
  readonly shared: Shared;
  readonly log: Log;
  readonly identity: () => LocalIdentity;
  /** Our side of a new connection. */
  readonly admit: (link: PeerLink, address: PeerAddress, source: PeerSource) => Peer;
}

export class Dialer {
  readonly #options: DialerOptions;
  readonly #candidates: CandidateList;
  readonly #tickets = new Map<Peer, Pick<DialTicket, "closed">>();
  readonly #abort = new AbortController();
  #isPrivate = false;
  #dialing = 0;

  constructor(options: DialerOptions) {
    const { deps, bans, listenPort } = options.shared;
    const ownAddresses = new Set(deps.ownAddresses(listenPort).map(addressKey));
    this.#options = options;
    this.#candidates = new CandidateList({
      clock: deps.clock,
      random: deps.random,
      bans,
      mayDial: (address, source) =>
        this.#isAllowed(source) &&
        isDialable(address, source, {
          allowLoopback: deps.options.allowLoopbackPeers,
          ownAddresses,
        }),
    });
  }

  get knownPeers(): number {
    return this.#candidates.size;
  }

  /** Addresses that could be dialled now. */
  waitingCount(nowMs: number): number {
    return this.#candidates.waitingCount(nowMs);
  }

  offer(addresses: readonly PeerAddress[], source: PeerSource): void {
    this.#candidates.add(addresses, source);
  }

  /** Dials until `room` connections are on their way or the gate is shut; false where nobody is left to dial. */
  dial(room: number): boolean {
    const { gate, deps } = this.#options.shared;
    const nowMs = deps.clock.nowMs();
    while (this.#dialing < room && gate.hasRoom()) {
      const address = this.#candidates.next(
        nowMs,
        (candidate) => gate.mayDial(candidate) && this.#isAllowed(this.#candidates.sourceOf(candidate)),
      );
      if (address === null) return this.#dialing > 0;
      const ticket = gate.tryDial(address, this.#candidates.waitingCount(nowMs));
      if (ticket === null) {
        this.#candidates.released(address);
        return true;
      }
      this.#dialOne(address, ticket);
    }
    return true;
  }

  /** An incoming connection takes its place at the gate; null where there is none, or its host has one already. */
  accept(link: PeerLink): Peer | null {
    const { host } = link.remote;
    const { gate, bans } = this.#options.shared;
    if (bans.has(host) || this.#candidates.isHostTaken(host)) return null;
    const ticket = gate.tryAccept();
    if (ticket === null) return null;
    const peer = this.#options.admit(link, link.remote, "incoming");
    this.#tickets.set(peer, ticket);
    return peer;
  }

  /** The handshake with this peer is complete. */
  connected(peer: Peer): void {
    this.#candidates.connected(peer.address);
  }

  /** A connection ended, also one whose handshake never came. */
  disconnected(peer: Peer, reason: string): void {
    this.#tickets.get(peer)?.closed();
    this.#tickets.delete(peer);
    if (!peer.isReady && !peer.link.isIncoming) {
      this.#candidates.failed(peer.address, reason === "self_connection" ? "self" : "handshake");
      return;
    }
    const wasUseful = peer.downMeter.totalBytes + peer.upMeter.totalBytes > 0;
    this.#candidates.disconnected(peer.address, { wasUseful, reason: disconnectionReason(reason) });
  }

  ban(host: string, cause: BanCause): void {
    this.#candidates.ban(host, cause);
  }

  /** BEP 27: a torrent that turns out private forgets whom it knows from elsewhere, and learns no more of them. */
  forgetPublicSources(): void {
    this.#isPrivate = true;
    this.#candidates.forget(PUBLIC_SOURCES);
  }

  #isAllowed(source: PeerSource | null): boolean {
    return !this.#isPrivate || source === null || !PUBLIC_SOURCES.has(source);
  }

  /** Gives up the dials under way; connections are the session's to end. */
  stop(): void {
    this.#abort.abort();
  }

  #dialOne(address: PeerAddress, ticket: DialTicket): void {
    const { shared, log, identity } = this.#options;
    const { clock, net } = shared.deps;
    const source = this.#candidates.sourceOf(address) ?? "manual";
    this.#dialing++;
    let admitted: Peer | null = null;
    dialPeer(
      { net, clock, log },
      {
        address,
        timeoutMs: ticket.timeoutMs,
        signal: this.#abort.signal,
        identity: identity(),
        createHandler: (link) => {
          // The socket can open in the very turn in which the session stops: nobody would own the peer.
          this.#abort.signal.throwIfAborted();
          if (!this.#isAllowed(source)) throw new Error("the torrent has turned out private");
          admitted = this.#options.admit(link, address, source);
          this.#tickets.set(admitted, ticket);
          return admitted;
        },
      },
    ).then(
      () => {
        this.#dialing--;
        ticket.connected();
      },
      (error: unknown) => {
        this.#dialing--;
        if (admitted === null) this.#dialFailed(address, ticket, error);
      },
    );
  }

  #dialFailed(address: PeerAddress, ticket: DialTicket, error: unknown): void {
    if (this.#abort.signal.aborted) {
      ticket.closed();
      this.#candidates.released(address);
      return;
    }
    ticket.failed();
    this.#candidates.failed(address, dialFailureOf(error));
  }
}

function dialFailureOf(error: unknown): DialFailure {
  const text = describeError(error).toLowerCase();
  if (text.includes("time")) return "timed_out";
  return text.includes("refused") ? "refused" : "unreachable";
}

const OUR_REASONS: ReadonlySet<string> = new Set(["stopped", "redundant", "local"]);
/** Held against the address: it is dialled behind those that were not tried yet. */
const REMOTE_REASONS: ReadonlySet<string> = new Set(["remote", "error", "useless"]);

function disconnectionReason(reason: string): Parameters<CandidateList["disconnected"]>[1]["reason"] {
  if (OUR_REASONS.has(reason)) return "local";
  if (REMOTE_REASONS.has(reason)) return "closed";
  return reason as Parameters<CandidateList["disconnected"]>[1]["reason"];
}
