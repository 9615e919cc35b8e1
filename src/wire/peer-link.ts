// One peer connection: socket → guard → (Wire for control frames) → handler, and the out-queue the other way.
// Threading: the handler is called inside the socket's data event, or, for what Wire decodes and what comes behind
// it, in the microtask right after; always in the order of the wire. A PeerFault thrown by the handler ends this connection with its reason, any other throw with "error"; nothing
// escapes into the event loop. `close` ends it synchronously, `onClose` included.

import type { PeerAddress } from "../base/address.ts";
import { Bitfield } from "../base/bitfield.ts";
import { type InfoHash, tryInfoHash } from "../base/brand.ts";
import type { Clock } from "../base/clock.ts";
import { describeError, systemCodeOf } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { PeerFault } from "../base/peer-fault.ts";
import { type ControlEvents, ControlWire } from "./control-wire.ts";
import { parseRemoteFields } from "./extended-handshake.ts";
import { FRAME, type PieceTable } from "./frame-rules.ts";
import { Inbound, type InboundEvents } from "./inbound.ts";
import { Liveness } from "./liveness.ts";
import { OutQueue } from "./out-queue.ts";
import type {
  LocalIdentity,
  PeerHandler,
  PeerLink,
  PeerSocket,
  RemoteHandshake,
  SocketEvents,
} from "./ports.ts";

export interface LinkDeps {
  readonly clock: Clock;
  readonly log: Log;
}

/** Our side of a connection. */
export interface LocalSide {
  readonly identity: LocalIdentity;
  readonly handler: PeerHandler;
}

export interface LinkOptions {
  readonly isIncoming: boolean;
  readonly connectMs: number | null;
  /** Incoming only: who we are for that torrent, or null to refuse. */
  readonly accept?: (infoHash: InfoHash, link: PeerLink) => LocalSide | null;
  /** Incoming only: the remote handshake came, or the connection ended without one. */
  readonly onSettled?: () => void;
}

export class Link implements PeerLink {
  readonly remote: PeerAddress;
  readonly isIncoming: boolean;
  readonly connectMs: number | null;
  readonly traffic = { payloadIn: 0, payloadOut: 0, totalIn: 0, totalOut: 0 };
  readonly #socket: PeerSocket;
  readonly #deps: LinkDeps;
  readonly #options: LinkOptions;
  readonly #inbound: Inbound;
  readonly #control: ControlWire;
  readonly #liveness: Liveness;
  readonly #queue = new OutQueue();
  readonly #remoteIds = new Map<string, number>();
  #local: LocalSide | null = null;
  #pieces: PieceTable | null = null;
  #hasFast = false;
  #isClosed = false;
  #isBlocked = false;
  #isPausedByOwner = false;

  constructor(deps: LinkDeps, socket: PeerSocket, options: LinkOptions) {
    this.#deps = deps;
    this.#socket = socket;
    this.#options = options;
    this.remote = socket.remote;
    this.isIncoming = options.isIncoming;
    this.connectMs = options.connectMs;
    this.#inbound = new Inbound(deps.clock, this.#inboundEvents());
    this.#control = new ControlWire(options.isIncoming, this.#controlEvents(), (bytes) =>
      this.#queue.push(bytes),
    );
    this.#liveness = new Liveness(deps.clock, {
      onFault: (fault) => this.#fail(fault),
      onKeepAliveDue: () => this.#keepAlive(),
      isOverfull: () => this.#queue.isOverfull,
    });
  }

  /** Outgoing: takes our side and writes our handshake. */
  async open(local: LocalSide): Promise<void> {
    this.#local = local;
    await this.#control.opened;
    if (this.#isClosed) return;
    this.#control.handshake(local.identity, this.remote.host);
    this.flush();
  }

  /** What the socket reports goes here. */
  socketEvents(): SocketEvents {
    return {
      onData: (chunk) => this.#onData(chunk),
      onDrain: () => this.#onDrain(),
      onClose: (error) => this.#onSocketClose(error),
    };
  }

  get hasFast(): boolean {
    return this.#hasFast;
  }

  get queuedBytes(): number {
    return this.#queue.queuedBytes;
  }

  setPieces(pieces: PieceTable): void {
    this.#pieces = pieces;
    this.#inbound.setPieces(pieces);
  }

  sendHaves(state: Uint8Array | "all" | "none"): void {
    if (state instanceof Uint8Array) this.#say((wire) => wire.bitfield(state));
    else if (this.#hasFast) this.#say((wire) => (state === "all" ? wire.haveAll() : wire.haveNone()));
    else if (state === "all") this.#sayFullBitfield();
  }

  choke(): void {
    this.#say((wire) => wire.choke());
  }

  unchoke(): void {
    this.#say((wire) => wire.unchoke());
  }

  interested(): void {
    this.#say((wire) => wire.interested());
  }

  notInterested(): void {
    this.#say((wire) => wire.uninterested());
  }

  have(piece: number): void {
    if (!this.#isClosed) this.#queue.pushNumbers(FRAME.have, piece);
  }

  allowedFast(piece: number): void {
    if (this.#hasFast) this.#say((wire) => wire.allowedFast(piece));
  }

  request(piece: number, beginBytes: number, lengthBytes: number): void {
    if (!this.#isClosed) this.#queue.pushNumbers(FRAME.request, piece, beginBytes, lengthBytes);
  }

  cancel(piece: number, beginBytes: number, lengthBytes: number): void {
    if (!this.#isClosed) this.#queue.pushNumbers(FRAME.cancel, piece, beginBytes, lengthBytes);
  }

  reject(piece: number, beginBytes: number, lengthBytes: number): void {
    if (this.#hasFast && !this.#isClosed)
      this.#queue.pushNumbers(FRAME.reject, piece, beginBytes, lengthBytes);
  }

  piece(piece: number, beginBytes: number, block: Uint8Array): void {
    if (this.#isClosed) return;
    this.#queue.pushBlockHead(FRAME.piece, piece, beginBytes, block.length);
    this.#queue.pushBlock(block);
  }

  dhtPort(port: number): void {
    this.#say((wire) => wire.port(port));
  }

  extended(name: string, payload: Uint8Array): void {
    const id = this.#remoteIds.get(name);
    if (id !== undefined) this.#say((wire) => wire.extended(id, payload));
  }

  flush(): void {
    if (this.#isClosed || this.#isBlocked || this.#queue.queuedBytes === 0) return;
    this.#isBlocked = !this.#queue.flush((bytes) => this.#write(bytes));
    this.traffic.payloadOut = this.#queue.payloadSentBytes;
  }

  giveUpTarget(): void {
    this.#inbound.giveUpTarget();
  }

  pauseReading(): void {
    this.#isPausedByOwner = true;
    this.#applyReading();
  }

  resumeReading(): void {
    this.#isPausedByOwner = false;
    this.#applyReading();
  }

  close(reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#liveness.close();
    this.#queue.clear();
    this.#control.close();
    this.#socket.destroy();
    this.#options.onSettled?.();
    this.#tellClosed(reason);
  }

  #tellClosed(reason: string): void {
    const handler = this.#local?.handler;
    try {
      this.#inbound.stop((piece, begin, length) => handler?.onBlockAborted(piece, begin, length));
      handler?.onClose(reason);
    } catch (error) {
      this.#deps.log.error("peer handler failed at close", { reason, error: describeError(error) });
    }
  }

  /** Ends the connection over anything thrown on its behalf. */
  #fail(error: unknown): void {
    if (this.#isClosed) return;
    if (error instanceof PeerFault) {
      this.#deps.log.debug("peer fault", { reason: error.reason, detail: error.message });
      this.close(error.reason);
      return;
    }
    this.#deps.log.error("peer link failed", { error: describeError(error) });
    this.close("error");
  }

  #onData(chunk: Uint8Array): void {
    if (this.#isClosed) return;
    this.traffic.totalIn += chunk.length;
    this.#liveness.heard();
    this.#inbound.receive(chunk);
  }

  #applyReading(): void {
    if (this.#isClosed) return;
    const isReading = !this.#isPausedByOwner && !this.#inbound.isResting;
    this.#liveness.setListening(isReading);
    if (isReading) this.#socket.resume();
    else this.#socket.pause();
  }

  #write(bytes: Uint8Array): number {
    const taken = Math.max(0, this.#socket.write(bytes));
    if (taken > 0) this.#liveness.said();
    this.traffic.totalOut += taken;
    return taken;
  }

  #onDrain(): void {
    if (this.#isClosed || !this.#isBlocked) return;
    this.#isBlocked = false;
    this.flush();
    if (this.#isBlocked) return;
    try {
      this.#local?.handler.onDrain();
    } catch (error) {
      this.#fail(error);
    }
  }

  #onSocketClose(error: Error | null): void {
    if (error === null || systemCodeOf(error) === "ECONNRESET") this.close("remote");
    else this.close("error");
  }

  #keepAlive(): void {
    if (this.#isBlocked) return;
    this.#say((wire) => wire.keepAlive());
    this.flush();
  }

  #say(send: Parameters<ControlWire["say"]>[0]): void {
    if (!this.#isClosed) this.#control.say(send);
  }

  #sayFullBitfield(): void {
    const pieces = this.#pieces;
    if (pieces !== null) this.#say((wire) => wire.bitfield(Bitfield.full(pieces.pieceCount).toBytes()));
  }

  #onRemoteHandshake(infoHash: InfoHash | null, remote: RemoteHandshake): void {
    if (this.isIncoming) this.#acceptFor(infoHash);
    const local = this.#local;
    if (local === null || local.identity.infoHash !== infoHash) {
      throw new PeerFault("bad_handshake", "another info hash");
    }
    if (Buffer.compare(local.identity.peerId, remote.peerId) === 0) {
      throw new PeerFault("self_connection", "our own peer id");
    }
    this.#liveness.established();
    this.#hasFast = remote.hasFast;
    if (remote.hasFast) this.#inbound.allowFast();
    if (this.isIncoming) this.#control.handshake(local.identity, this.remote.host);
    local.handler.onHandshake(remote);
    this.flush();
  }

  #acceptFor(infoHash: InfoHash | null): void {
    this.#options.onSettled?.();
    this.#local = infoHash === null ? null : (this.#options.accept?.(infoHash, this) ?? null);
    if (this.#local === null) throw new PeerFault("unknown_torrent", "no such torrent");
  }

  #onExtended(id: number, payload: Uint8Array): void {
    const local = this.#local;
    if (local === null) return;
    if (id === 0) {
      local.handler.onExtendedHandshake(parseRemoteFields(payload, this.#remoteIds));
      return;
    }
    // Our ids count from 1 in the order of our list; any other id is none of ours.
    const name = local.identity.extensions[id - 1];
    if (name !== undefined) local.handler.onExtended(name, payload);
  }

  #inboundEvents(): InboundEvents {
    return {
      digest: (frame) => this.#control.receive(frame),
      onRest: () => this.#applyReading(),
      onError: (error) => this.#fail(error),
      onExtendedFrame: (id, payload) => this.#onExtended(id, payload),
      onRequest: (piece, begin, length) => this.#local?.handler.onRequest(piece, begin, length),
      onCancel: (piece, begin, length) => this.#local?.handler.onCancel(piece, begin, length),
      onReject: (piece, begin, length) => this.#local?.handler.onReject(piece, begin, length),
      blockTarget: (piece, begin, length) => this.#local?.handler.blockTarget(piece, begin, length) ?? null,
      onBlock: (piece, begin, length) => {
        this.traffic.payloadIn += length;
        this.#local?.handler.onBlock(piece, begin, length);
      },
    };
  }

  #controlEvents(): ControlEvents {
    const tell = (event: (handler: PeerHandler) => void) => {
      if (!this.#isClosed && this.#local !== null) event(this.#local.handler);
    };
    return {
      onHandshake: (infoHash, remote) => {
        if (!this.#isClosed) this.#onRemoteHandshake(tryInfoHash(infoHash), remote);
      },
      onChoke: () => tell((handler) => handler.onChoke()),
      onUnchoke: () => tell((handler) => handler.onUnchoke()),
      onInterested: () => tell((handler) => handler.onInterested()),
      onNotInterested: () => tell((handler) => handler.onNotInterested()),
      onHave: (piece) => tell((handler) => handler.onHave(piece)),
      onBitfield: (bits) => tell((handler) => handler.onBitfield(bits)),
      onHaveAll: () => tell((handler) => handler.onHaveAll()),
      onHaveNone: () => tell((handler) => handler.onHaveNone()),
      onAllowedFast: (piece) => tell((handler) => handler.onAllowedFast(piece)),
      onDhtPort: (port) => tell((handler) => handler.onDhtPort(port)),
      onDigested: () => {
        if (this.#isClosed) return;
        if (this.#control.drain()) this.flush();
        this.#inbound.digested();
      },
      onError: (error) => this.#fail(error),
    };
  }
}
