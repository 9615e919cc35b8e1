// Fetches the info dictionary of a magnet from many peers at once (BEP 9). Nothing a peer says is believed before the
// SHA-1 of the whole is the info hash: peers that claim different sizes fill different buffers (at most three), a set
// that fails costs its contributors trust, and after two failed sets one peer at a time must bring all parts, so that
// a liar stands alone and is known. Synchronous; the owner calls tick() about once a second and stops calling when done.

import { createHash } from "node:crypto";
import type { InfoHash } from "../../base/brand.ts";
import type { Clock } from "../../base/clock.ts";
import { toHex } from "../../base/hex.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Log } from "../../base/log.ts";
import { PeerFault } from "../../base/peer-fault.ts";
import { Assembly } from "./assembly.ts";
import { encodeMetadataReject, encodeMetadataRequest, parseMetadataMessage } from "./message.ts";

const SILENCE_MS = 5_000;
const REJECT_BACKOFF_MS = 60_000;
/** A second peer may be asked for a part that the first owes for this long. */
const DUPLICATE_AFTER_MS = 1_500;
/** Where another size waits, one that brings nothing for this long gives way … */
const STALLED_MS = 15_000;
/** … and one that is this old, so that a trickle cannot hold a place. */
const PLACE_MS = 60_000;
const REQUESTS_PER_PEER = 8;
const ASSEMBLIES_MAX = 3;
const PARALLEL_ROUNDS = 2;
const REJECTS_SENT_MAX = 64;

interface MetadataPeer {
  readonly id: number;
  readonly totalBytes: number;
  readonly send: (payload: Uint8Array) => void;
  /** Part → answers it still owes us, over all rounds: late answers are no fault, more of them than asked for are. */
  readonly owed: Map<number, number>;
  heardAtMs: number;
  trust: number;
  backoffUntilMs: number;
  silences: number;
  rejectsSent: number;
}

export interface MetadataFetchOptions {
  readonly infoHash: InfoHash;
  readonly clock: Clock;
  /** Once, with bytes whose SHA-1 is the info hash. */
  readonly onComplete: (infoBytes: Uint8Array) => void;
  readonly log: Log;
  readonly sha1?: (bytes: Uint8Array) => Uint8Array;
}

export class MetadataFetch {
  readonly #options: MetadataFetchOptions;
  readonly #peers = new Map<number, MetadataPeer>();
  readonly #assemblies = new Map<number, Assembly>();
  /** Per size: the peer that brings all parts, once sets of several peers have failed. */
  readonly #soloPeer = new Map<number, number>();
  #isComplete = false;

  constructor(options: MetadataFetchOptions) {
    this.#options = options;
  }

  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** Of the buffer that is furthest; zeros while no peer has told a size. */
  get progress(): { readonly haveParts: number; readonly totalParts: number } {
    let best: Assembly | null = null;
    for (const assembly of this.#assemblies.values()) {
      if (best === null || assembly.haveCount > best.haveCount) best = assembly;
    }
    return { haveParts: best?.haveCount ?? 0, totalParts: best?.partCount ?? 0 };
  }

  /**
   * A peer that says its metadata is `metadataBytes` long; `send` takes a ut_metadata payload. A peer whose claim is
   * out of bounds is left out (it may still be a good peer for pieces).
   */
  addPeer(peer: number, metadataBytes: number, send: (payload: Uint8Array) => void): void {
    const isInBounds = metadataBytes > 0 && metadataBytes <= LIMITS.metainfo.infoBytes;
    if (this.#isComplete || !Number.isInteger(metadataBytes) || !isInBounds || this.#peers.has(peer)) return;
    this.#peers.set(peer, {
      id: peer,
      totalBytes: metadataBytes,
      send,
      owed: new Map(),
      heardAtMs: this.#options.clock.nowMs(),
      trust: 0,
      backoffUntilMs: 0,
      silences: 0,
      rejectsSent: 0,
    });
    this.#fill();
  }

  removePeer(peer: number): void {
    const gone = this.#peers.get(peer);
    if (gone === undefined) return;
    this.#peers.delete(peer);
    this.#assemblies.get(gone.totalBytes)?.release(peer);
    this.#fill();
  }

  /** One ut_metadata message of a peer. Throws PeerFault (bad_frame, unsolicited_data, corrupt_data). */
  onMessage(peer: number, payload: Uint8Array): void {
    const message = parseMetadataMessage(payload);
    const sender = this.#peers.get(peer);
    if (sender === undefined || this.#isComplete) return;
    switch (message.kind) {
      case "request":
        if (sender.rejectsSent++ < REJECTS_SENT_MAX) sender.send(encodeMetadataReject(message.part));
        return;
      case "reject":
        settle(sender, message.part);
        this.#pausePeer(sender, REJECT_BACKOFF_MS);
        break;
      case "data":
        this.#onData(sender, message);
        break;
      case "unknown":
        return;
    }
    this.#fill();
  }

  /** Gives up on silent peers and stalled sizes, and asks others. */
  tick(): void {
    if (this.#isComplete) return;
    const nowMs = this.#options.clock.nowMs();
    for (const assembly of this.#assemblies.values()) {
      for (const id of assembly.silentPeers(nowMs, SILENCE_MS)) {
        const peer = this.#peers.get(id);
        if (peer === undefined || nowMs - peer.heardAtMs < SILENCE_MS) continue;
        this.#pausePeer(peer, Math.min(REJECT_BACKOFF_MS, SILENCE_MS * 2 ** peer.silences));
        peer.silences = Math.min(peer.silences + 1, 8);
      }
    }
    this.#fill();
  }

  #onData(
    sender: MetadataPeer,
    message: { part: number; totalBytes: number | null; bytes: Uint8Array },
  ): void {
    const { part, totalBytes, bytes } = message;
    if (totalBytes !== null && totalBytes !== sender.totalBytes) {
      throw new PeerFault("bad_frame", "metadata size differs from the one announced");
    }
    if (!settle(sender, part))
      throw new PeerFault("unsolicited_data", "metadata part that was not asked for");
    const assembly = this.#assemblies.get(sender.totalBytes);
    if (assembly === undefined) return;
    if (bytes.length !== assembly.partLength(part))
      throw new PeerFault("bad_frame", "metadata part of wrong length");
    const solo = this.#soloPeer.get(sender.totalBytes);
    if (solo !== undefined && solo !== sender.id) return;
    sender.silences = 0;
    sender.heardAtMs = this.#options.clock.nowMs();
    assembly.put(part, bytes, { peer: sender.id, nowMs: sender.heardAtMs });
    if (assembly.isWhole) this.#check(assembly);
  }

  #check(assembly: Assembly): void {
    const infoBytes = assembly.joined();
    const digest = this.#options.sha1?.(infoBytes) ?? createHash("sha1").update(infoBytes).digest();
    if (toHex(digest) === this.#options.infoHash) {
      this.#isComplete = true;
      this.#assemblies.clear();
      this.#peers.clear();
      this.#options.onComplete(infoBytes);
      return;
    }
    this.#onBadSet(assembly);
  }

  #onBadSet(assembly: Assembly): void {
    const contributors = assembly.contributors();
    assembly.failedRounds++;
    this.#startOver(assembly);
    this.#options.log.debug("metadata failed its hash", {
      contributors: contributors.size,
      rounds: assembly.failedRounds,
    });
    for (const id of contributors) {
      const peer = this.#peers.get(id);
      if (peer !== undefined) peer.trust -= 2;
    }
    const [only] = contributors;
    if (contributors.size !== 1 || only === undefined) return;
    // All parts came from this peer, so the last one did too: the fault reaches the right caller.
    this.removePeer(only);
    throw new PeerFault("corrupt_data", "metadata that fails its hash");
  }

  #startOver(assembly: Assembly): void {
    assembly.clear();
    this.#soloPeer.delete(assembly.totalBytes);
  }

  #pausePeer(peer: MetadataPeer, pauseMs: number): void {
    peer.backoffUntilMs = this.#options.clock.nowMs() + pauseMs;
    const assembly = this.#assemblies.get(peer.totalBytes);
    assembly?.release(peer.id);
    // A set by one peer is worth nothing without the rest of it.
    if (assembly !== undefined && this.#soloPeer.get(peer.totalBytes) === peer.id) this.#startOver(assembly);
  }

  #fill(): void {
    const nowMs = this.#options.clock.nowMs();
    const ready = [...this.#peers.values()].filter((peer) => peer.backoffUntilMs <= nowMs);
    ready.sort((a, b) => b.trust - a.trust);
    for (const peer of ready) {
      if (this.#isComplete) return;
      const assembly = this.#assemblyFor(peer.totalBytes, nowMs);
      if (assembly !== null && this.#mayAsk(peer, assembly)) this.#ask(peer, assembly, nowMs);
    }
  }

  /** After too many failed sets only one peer per size is asked; the first that is free takes the place. */
  #mayAsk(peer: MetadataPeer, assembly: Assembly): boolean {
    if (assembly.failedRounds < PARALLEL_ROUNDS) return true;
    const solo = this.#soloPeer.get(assembly.totalBytes);
    if (solo !== undefined && this.#peers.has(solo)) return solo === peer.id;
    this.#startOver(assembly);
    this.#soloPeer.set(assembly.totalBytes, peer.id);
    return true;
  }

  #ask(peer: MetadataPeer, assembly: Assembly, nowMs: number): void {
    for (let owed = assembly.outstandingOf(peer.id); owed < REQUESTS_PER_PEER; owed++) {
      const part = assembly.nextPartFor(peer.id, nowMs, DUPLICATE_AFTER_MS);
      if (part === null) return;
      assembly.asked(part, peer.id, nowMs);
      if (peer.owed.size === 0) peer.heardAtMs = nowMs;
      peer.owed.set(part, (peer.owed.get(part) ?? 0) + 1);
      peer.send(encodeMetadataRequest(part));
    }
  }

  /** The buffer for a size; where there is no room for another, one that earned it least gives way. */
  #assemblyFor(totalBytes: number, nowMs: number): Assembly | null {
    const known = this.#assemblies.get(totalBytes);
    if (known !== undefined) return known;
    if (this.#assemblies.size >= ASSEMBLIES_MAX && !this.#makeRoom(nowMs)) return null;
    const assembly = new Assembly(totalBytes, nowMs);
    this.#assemblies.set(totalBytes, assembly);
    return assembly;
  }

  #makeRoom(nowMs: number): boolean {
    const candidates = [...this.#assemblies.values()]
      .map((assembly) => ({
        assembly,
        peers: [...this.#peers.values()].filter((peer) => peer.totalBytes === assembly.totalBytes),
      }))
      .filter(
        ({ assembly, peers }) =>
          peers.length === 0 ||
          nowMs - assembly.progressAtMs >= STALLED_MS ||
          nowMs - assembly.createdAtMs >= PLACE_MS,
      )
      .sort((a, b) => a.peers.length - b.peers.length || shareOf(a.assembly) - shareOf(b.assembly));
    const least = candidates[0];
    if (least === undefined) return false;
    for (const peer of least.peers) peer.backoffUntilMs = nowMs + REJECT_BACKOFF_MS;
    this.#soloPeer.delete(least.assembly.totalBytes);
    this.#assemblies.delete(least.assembly.totalBytes);
    return true;
  }
}

function shareOf(assembly: Assembly): number {
  return assembly.haveCount / assembly.partCount;
}

/** Notes that one answer for `part` came; false where none was owed. */
function settle(peer: MetadataPeer, part: number): boolean {
  const owed = peer.owed.get(part);
  if (owed === undefined) return false;
  if (owed > 1) peer.owed.set(part, owed - 1);
  else peer.owed.delete(part);
  return true;
}
