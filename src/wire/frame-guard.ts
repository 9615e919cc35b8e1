// Stands between a socket and everything else (ENGINE decision 1): cuts the byte stream into frames, holds each to
// the rules of its type before a byte of it is kept, and copies block payload once, from the socket's chunk to
// where it belongs. Invariants: how the stream is split into chunks changes nothing; memory grows with what has
// arrived, never with what is announced; a block allocates nothing. A PeerFault leaves the guard unusable.

import { LIMITS } from "../base/limits.ts";
import { PeerFault } from "../base/peer-fault.ts";
import {
  checkLength,
  checkPiece,
  checkPieceLength,
  checkRun,
  checkSpareBits,
  FRAME,
  HANDSHAKE_BYTES,
  isKnownFrame,
  needsFast,
  PIECE_HEADER_BYTES,
  type PieceTable,
  PROTOCOL_NAME,
} from "./frame-rules.ts";
import type { BlockTarget } from "./ports.ts";

/** Where frames go. Whatever these throw comes out of `feed`. */
export interface FrameSink {
  /** The 68 bytes that open a connection; the sink's to keep. */
  onHandshakeFrame(frame: Uint8Array): void;
  /** A whole, checked frame with its length prefix; the sink's to keep. */
  onControlFrame(frame: Uint8Array): void;
  /** What follows the id byte of an extended message (BEP 10); the sink's to keep. */
  onExtendedFrame(id: number, payload: Uint8Array): void;
  onRequest(piece: number, beginBytes: number, lengthBytes: number): void;
  onCancel(piece: number, beginBytes: number, lengthBytes: number): void;
  onReject(piece: number, beginBytes: number, lengthBytes: number): void;
  blockTarget(piece: number, beginBytes: number, lengthBytes: number): BlockTarget | null;
  onBlock(piece: number, beginBytes: number, lengthBytes: number): void;
}

const PREFIX_BYTES = 4;
const ID_END = PREFIX_BYTES + 1;
const EXTENDED_ID_END = ID_END + 1;
const RUN_END = PREFIX_BYTES + 13;
const PIECE_HEAD_END = PREFIX_BYTES + PIECE_HEADER_BYTES;
const FIRST_BODY_BYTES = 16 * 1024;

type State = "handshake" | "head" | "body" | "payload" | "skip";

export class FrameGuard {
  readonly #sink: FrameSink;
  #state: State = "handshake";
  #pieces: PieceTable | null = null;
  #hasFast = false;
  /** What the peer said that it has: nothing yet, "none" (which a bitfield may follow), or something final. */
  #haves: "unsaid" | "none" | "said" = "unsaid";

  readonly #head = new Uint8Array(RUN_END);
  #headBytes = 0;
  #headNeeded = PREFIX_BYTES;

  #body: Uint8Array = new Uint8Array(HANDSHAKE_BYTES);
  #bodyBytes = 0;
  #bodyNeeded = HANDSHAKE_BYTES;
  #mustStop = false;

  #piece = 0;
  #beginBytes = 0;
  #lengthBytes = 0;
  #target: BlockTarget | null = null;
  /** Bytes of payload, or of a frame that is skipped, still to come. */
  #remaining = 0;

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  /** From here on indices are held to these pieces. */
  setPieces(pieces: PieceTable): void {
    this.#pieces = pieces;
  }

  /** Both sides announced BEP 6. */
  allowFast(): void {
    this.#hasFast = true;
  }

  /** The rest of the payload under way is skipped; does nothing outside of one. */
  giveUpTarget(): void {
    this.#target = null;
  }

  /** Ends it, also out of a sink; calls `onOpen` when that is inside a payload that has a target. */
  abort(onOpen: (piece: number, beginBytes: number, lengthBytes: number) => void): void {
    this.#mustStop = true;
    if (this.#state !== "payload" || this.#target === null) return;
    this.#target = null;
    onOpen(this.#piece, this.#beginBytes, this.#lengthBytes);
  }

  /**
   * Takes bytes from `offset` on and returns where it stopped: at the end, or right after a handshake, control or
   * extended frame, so that the caller can let it take effect before the next. Throws PeerFault.
   */
  feed(chunk: Uint8Array, offset: number): number {
    let at = offset;
    this.#mustStop = false;
    while (at < chunk.length && !this.#mustStop) {
      if (this.#state === "payload") at = this.#takePayload(chunk, at);
      else if (this.#state === "head")
        at = this.#isWholePieceHead(chunk, at) ? this.#takePieceHead(chunk, at) : this.#takeHead(chunk, at);
      else if (this.#state === "skip") at = this.#takeSkipped(chunk, at);
      else at = this.#takeBody(chunk, at);
    }
    return at;
  }

  /** Nearly every head in a download: it is read where it lies. */
  #isWholePieceHead(chunk: Uint8Array, at: number): boolean {
    return (
      this.#headBytes === 0 && at + PIECE_HEAD_END <= chunk.length && chunk[at + PREFIX_BYTES] === FRAME.piece
    );
  }

  #takePieceHead(chunk: Uint8Array, at: number): number {
    // What is no piece frame, because it is empty, is for the steps below.
    const length = readU32(chunk, at);
    if (length === 0) return this.#takeHead(chunk, at);
    checkPieceLength(length);
    this.#beginPayload(readU32(chunk, at + 5), readU32(chunk, at + 9), length - PIECE_HEADER_BYTES);
    return at + PIECE_HEAD_END;
  }

  #takeHead(chunk: Uint8Array, from: number): number {
    const end = Math.min(chunk.length, from + this.#headNeeded - this.#headBytes);
    for (let at = from; at < end; at++) this.#head[this.#headBytes++] = chunk[at] ?? 0;
    if (this.#headBytes === this.#headNeeded) this.#onHead();
    return end;
  }

  /** The head is gathered in steps: prefix, id, then the fixed fields that the id calls for. */
  #onHead(): void {
    if (this.#headNeeded === PREFIX_BYTES) this.#onPrefix();
    else if (this.#headNeeded === ID_END) this.#onId();
    else if (this.#headNeeded === EXTENDED_ID_END) this.#onExtendedId();
    else if (this.#headNeeded === PIECE_HEAD_END) this.#onPieceHead();
    else this.#onRun();
  }

  #onPrefix(): void {
    if (this.#field(0) === 0) this.#expectFrame();
    else this.#headNeeded = ID_END;
  }

  #onId(): void {
    const id = this.#id();
    const length = this.#field(0);
    checkLength(id, length, this.#pieces);
    if (!this.#hasFast && needsFast(id)) throw new PeerFault("bad_frame", `frame ${id} without BEP 6`);
    if (id === FRAME.piece) this.#headNeeded = PIECE_HEAD_END;
    else if (id === FRAME.request || id === FRAME.cancel || id === FRAME.reject) this.#headNeeded = RUN_END;
    else if (id === FRAME.extended) this.#headNeeded = EXTENDED_ID_END;
    else if (isKnownFrame(id)) this.#expectBody(PREFIX_BYTES + length, ID_END);
    else this.#expectSkip(length - 1);
  }

  #onExtendedId(): void {
    const payloadBytes = this.#field(0) - 2;
    const isHandshake = this.#head[ID_END] === 0;
    if (isHandshake && payloadBytes > LIMITS.frame.extendedHandshakeBytes) {
      throw new PeerFault("frame_too_large", `extended handshake of ${payloadBytes} bytes`);
    }
    this.#expectBody(payloadBytes, 0);
  }

  #onRun(): void {
    const piece = this.#field(5);
    const beginBytes = this.#field(9);
    const lengthBytes = this.#field(13);
    checkRun(piece, beginBytes, lengthBytes, this.#pieces);
    const id = this.#id();
    this.#expectFrame();
    if (id === FRAME.request) this.#sink.onRequest(piece, beginBytes, lengthBytes);
    else if (id === FRAME.cancel) this.#sink.onCancel(piece, beginBytes, lengthBytes);
    else this.#sink.onReject(piece, beginBytes, lengthBytes);
  }

  #onPieceHead(): void {
    this.#beginPayload(this.#field(5), this.#field(9), this.#field(0) - PIECE_HEADER_BYTES);
  }

  #beginPayload(piece: number, beginBytes: number, lengthBytes: number): void {
    checkRun(piece, beginBytes, lengthBytes, this.#pieces);
    this.#piece = piece;
    this.#beginBytes = beginBytes;
    this.#lengthBytes = lengthBytes;
    this.#target = this.#sink.blockTarget(piece, beginBytes, lengthBytes);
    this.#remaining = lengthBytes;
    this.#state = "payload";
  }

  #takePayload(chunk: Uint8Array, at: number): number {
    const end = Math.min(chunk.length, at + this.#remaining);
    this.#target?.write(this.#beginBytes + this.#lengthBytes - this.#remaining, chunk, at, end);
    this.#remaining -= end - at;
    if (this.#remaining === 0) {
      this.#target = null;
      this.#expectFrame();
      this.#sink.onBlock(this.#piece, this.#beginBytes, this.#lengthBytes);
    }
    return end;
  }

  #takeSkipped(chunk: Uint8Array, at: number): number {
    const taken = Math.min(chunk.length - at, this.#remaining);
    this.#remaining -= taken;
    if (this.#remaining === 0) this.#expectFrame();
    return at + taken;
  }

  #takeBody(chunk: Uint8Array, at: number): number {
    const taken = Math.min(chunk.length - at, this.#bodyNeeded - this.#bodyBytes);
    this.#reserveBody(this.#bodyBytes + taken);
    this.#body.set(chunk.subarray(at, at + taken), this.#bodyBytes);
    this.#bodyBytes += taken;
    if (this.#state === "handshake") this.#checkProtocolName();
    if (this.#bodyBytes === this.#bodyNeeded) this.#onBody();
    return at + taken;
  }

  #reserveBody(bytes: number): void {
    if (bytes <= this.#body.length) return;
    const grown = new Uint8Array(Math.min(this.#bodyNeeded, Math.max(bytes, this.#body.length * 2)));
    grown.set(this.#body.subarray(0, this.#bodyBytes));
    this.#body = grown;
  }

  /** As early as possible: whoever speaks another protocol is gone with its first byte. */
  #checkProtocolName(): void {
    const known = Math.min(this.#bodyBytes, PROTOCOL_NAME.length);
    for (let at = 0; at < known; at++) {
      if (this.#body[at] !== PROTOCOL_NAME[at])
        throw new PeerFault("bad_handshake", "not the BitTorrent protocol");
    }
  }

  #onBody(): void {
    const frame = this.#body;
    const isHandshake = this.#state === "handshake";
    const id = this.#id();
    const extendedId = this.#head[ID_END] ?? 0;
    if (!isHandshake && id !== FRAME.extended) this.#checkControl(id, frame);
    this.#expectFrame();
    this.#mustStop = true;
    if (isHandshake) this.#sink.onHandshakeFrame(frame);
    else if (id === FRAME.extended) this.#sink.onExtendedFrame(extendedId, frame);
    else this.#sink.onControlFrame(frame);
  }

  #checkControl(id: number, frame: Uint8Array): void {
    if (id === FRAME.have || id === FRAME.suggest || id === FRAME.allowedFast) {
      checkPiece(readU32(frame, ID_END), this.#pieces);
    } else if (id === FRAME.bitfield) {
      checkSpareBits(frame.subarray(ID_END), this.#pieces);
      this.#sayHaves("said");
    } else if (id === FRAME.haveAll) {
      this.#sayHaves("said");
    } else if (id === FRAME.haveNone) {
      this.#sayHaves("none");
    }
  }

  #sayHaves(said: "none" | "said"): void {
    const isAllowed = this.#haves === "unsaid" || (this.#haves === "none" && said === "said");
    if (!isAllowed) throw new PeerFault("bad_frame", "told twice what it has");
    this.#haves = said;
  }

  #expectFrame(): void {
    this.#state = "head";
    this.#headBytes = 0;
    this.#headNeeded = PREFIX_BYTES;
  }

  #expectSkip(bytes: number): void {
    if (bytes === 0) {
      this.#expectFrame();
      return;
    }
    this.#remaining = bytes;
    this.#state = "skip";
  }

  /** Gathers `bytes`, the first `known` of which are in the head. */
  #expectBody(bytes: number, known: number): void {
    this.#body = new Uint8Array(Math.min(bytes, FIRST_BODY_BYTES));
    this.#body.set(this.#head.subarray(0, known));
    this.#bodyBytes = known;
    this.#bodyNeeded = bytes;
    this.#state = "body";
    if (bytes === known) this.#onBody();
  }

  #id(): number {
    return this.#head[PREFIX_BYTES] ?? 0;
  }

  /** The unsigned 32-bit number at `offset` of the head. */
  #field(offset: number): number {
    return readU32(this.#head, offset);
  }
}

function readU32(bytes: Uint8Array, offset: number): number {
  const high = ((bytes[offset] ?? 0) << 24) | ((bytes[offset + 1] ?? 0) << 16);
  return (high | ((bytes[offset + 2] ?? 0) << 8) | (bytes[offset + 3] ?? 0)) >>> 0;
}
