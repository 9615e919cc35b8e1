// What wire needs from outside (sockets), and what it gives and asks of its one consumer, the engine.

import type { PeerAddress } from "../base/address.ts";
import type { InfoHash } from "../base/brand.ts";

/** A connected TCP socket. */
export interface PeerSocket {
  readonly remote: PeerAddress;
  /** Takes what fits and returns how many bytes that was; the rest is the caller's to keep until onDrain. */
  write(bytes: Uint8Array): number;
  pause(): void;
  resume(): void;
  /** Closes at once; onClose follows. */
  destroy(): void;
}

export interface SocketEvents {
  /** `chunk` is valid only during the call: copy what is kept. */
  onData(chunk: Uint8Array): void;
  onDrain(): void;
  /** Exactly once, last. */
  onClose(error: Error | null): void;
}

/** The network that the engine dials and listens on: real (bun-net.ts) or simulated. */
export interface PeerNet {
  /** Resolves when connected; rejects on refusal, time-out or abort. `signal` counts only until then. */
  dial(address: PeerAddress, options: { timeoutMs: number; signal: AbortSignal }): Promise<OpenSocket>;
  listen(
    options: { host: string; port: number },
    onSocket: (socket: OpenSocket) => void,
  ): Promise<PeerListener>;
}

/** A socket whose events nobody receives yet: it may be written to, but stays paused until `start`. */
export interface OpenSocket extends PeerSocket {
  start(events: SocketEvents): void;
}

export interface PeerListener {
  readonly port: number;
  close(): void;
}

/** What we tell a peer of ourselves in the BEP 3 and BEP 10 handshakes. */
export interface LocalIdentity {
  readonly infoHash: InfoHash;
  readonly peerId: Uint8Array;
  readonly hasDht: boolean;
  /** Our listening port, 0 = none (BEP 10 `p`). */
  readonly listenPort: number;
  /** Size of the info dictionary if we can serve it (BEP 9), else null. */
  readonly metadataBytes: number | null;
  /** Names of extension messages that we understand, e.g. "ut_metadata". */
  readonly extensions: readonly string[];
  readonly clientName: string;
}

export interface RemoteHandshake {
  readonly peerId: Uint8Array;
  readonly hasFast: boolean;
  readonly hasExtended: boolean;
  readonly hasDht: boolean;
}

export interface RemoteExtendedHandshake {
  /** Extension messages that the peer understands. */
  readonly extensions: ReadonlySet<string>;
  readonly clientName: string | null;
  readonly listenPort: number | null;
  readonly requestQueue: number | null;
  readonly metadataBytes: number | null;
  readonly isUploadOnly: boolean;
}

/** A piece (or a place of the block's own) that payload is copied into as it arrives. */
export interface BlockTarget {
  /** Copies chunk[from, to) to `atBytes` of the piece. */
  write(atBytes: number, chunk: Uint8Array, from: number, to: number): void;
}

/**
 * The engine's side of one connection. Indices and lengths are checked against the geometry before they get here
 * (once `setPieces` was called; what came earlier is for the engine to check); a throw of PeerFault from any of
 * these ends the connection. Called in the order of the wire, inside the socket's data event or in the microtask
 * right after it.
 */
export interface PeerHandler {
  onHandshake(remote: RemoteHandshake): void;
  onExtendedHandshake(remote: RemoteExtendedHandshake): void;
  onExtended(name: string, payload: Uint8Array): void;
  onChoke(): void;
  onUnchoke(): void;
  onInterested(): void;
  onNotInterested(): void;
  /** A piece that the peer has told of before may be left out. */
  onHave(piece: number): void;
  /** Raw bits in wire order; before metadata is known the size is not checked yet. */
  onBitfield(bits: Uint8Array): void;
  onHaveAll(): void;
  onHaveNone(): void;
  onAllowedFast(piece: number): void;
  onReject(piece: number, beginBytes: number, lengthBytes: number): void;
  onRequest(piece: number, beginBytes: number, lengthBytes: number): void;
  onCancel(piece: number, beginBytes: number, lengthBytes: number): void;
  onDhtPort(port: number): void;
  /** Where the payload of this block goes, or null to skip it. */
  blockTarget(piece: number, beginBytes: number, lengthBytes: number): BlockTarget | null;
  /** The payload has arrived whole, in the target or skipped. */
  onBlock(piece: number, beginBytes: number, lengthBytes: number): void;
  /** The connection ended inside a payload that had a target. */
  onBlockAborted(piece: number, beginBytes: number, lengthBytes: number): void;
  /** The out-queue, of which the socket did not take all at a flush, is empty again. */
  onDrain(): void;
  /** Exactly once, last. `reason` is a PeerFaultReason, "remote" (closed by the peer), "error", or what we gave to close(). */
  onClose(reason: string): void;
}

/** One peer connection after its socket is open, as the engine drives it. Sends are queued until `flush`. */
export interface PeerLink {
  readonly remote: PeerAddress;
  readonly isIncoming: boolean;
  /** Milliseconds that the TCP connect took; null for incoming. */
  readonly connectMs: number | null;
  /** Both sides announced BEP 6. */
  readonly hasFast: boolean;
  /** Bytes queued and not yet taken by the socket. */
  readonly queuedBytes: number;
  /** Payload and total bytes since the start. */
  readonly traffic: {
    readonly payloadIn: number;
    readonly payloadOut: number;
    readonly totalIn: number;
    readonly totalOut: number;
  };
  /** From here on frames are checked against this many pieces of this geometry. */
  setPieces(pieces: { readonly pieceCount: number; pieceLength(piece: number): number }): void;
  sendHaves(state: Uint8Array | "all" | "none"): void;
  choke(): void;
  unchoke(): void;
  interested(): void;
  notInterested(): void;
  have(piece: number): void;
  allowedFast(piece: number): void;
  request(piece: number, beginBytes: number, lengthBytes: number): void;
  cancel(piece: number, beginBytes: number, lengthBytes: number): void;
  reject(piece: number, beginBytes: number, lengthBytes: number): void;
  /** Takes ownership of `block` until it is sent. */
  piece(piece: number, beginBytes: number, block: Uint8Array): void;
  dhtPort(port: number): void;
  extended(name: string, payload: Uint8Array): void;
  /** One write for all that was queued since the last flush. */
  flush(): void;
  /** The block under way, if any, is not written any further: its target is given up. onBlock still follows. */
  giveUpTarget(): void;
  /** Stops and resumes reading from the socket (back-pressure, rate limits). */
  pauseReading(): void;
  resumeReading(): void;
  /** Ends it at once, dropping what is queued; `onClose(reason)` is called before this returns. */
  close(reason: string): void;
}

/** Decides about an incoming connection by the info hash that it names. */
export interface IncomingAcceptor {
  /** Our side for that torrent, or null to refuse. Called synchronously when the remote handshake is complete. */
  accept(
    infoHash: InfoHash,
    link: PeerLink,
  ): { readonly identity: LocalIdentity; readonly handler: PeerHandler } | null;
}
