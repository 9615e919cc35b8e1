// What a frame of each type may look like (BEP 3, 6, 10; caps of ENGINE §5). Pure: the guard asks, these answer or
// throw PeerFault. A length is the wire's length field: it counts the id byte, not itself.

import { BLOCK_BYTES, LIMITS } from "../base/limits.ts";
import { PeerFault } from "../base/peer-fault.ts";

export const FRAME = {
  choke: 0,
  unchoke: 1,
  interested: 2,
  notInterested: 3,
  have: 4,
  bitfield: 5,
  request: 6,
  piece: 7,
  cancel: 8,
  port: 9,
  suggest: 13,
  haveAll: 14,
  haveNone: 15,
  reject: 16,
  allowedFast: 17,
  extended: 20,
} as const;

/** Index and begin of a piece frame, its id included. */
export const PIECE_HEADER_BYTES = 9;
export const PROTOCOL_NAME = new TextEncoder().encode("\x13BitTorrent protocol");
export const HANDSHAKE_BYTES = 68;

/** The pieces that indices are checked against. */
export interface PieceTable {
  readonly pieceCount: number;
  pieceLength(piece: number): number;
}

const FIXED_LENGTHS: ReadonlyMap<number, number> = new Map([
  [FRAME.choke, 1],
  [FRAME.unchoke, 1],
  [FRAME.interested, 1],
  [FRAME.notInterested, 1],
  [FRAME.have, 5],
  [FRAME.request, 13],
  [FRAME.cancel, 13],
  [FRAME.port, 3],
  [FRAME.suggest, 5],
  [FRAME.haveAll, 1],
  [FRAME.haveNone, 1],
  [FRAME.reject, 13],
  [FRAME.allowedFast, 5],
]);

/** A block of no bytes at all is nobody's honest answer. */
const PIECE_LENGTH_MIN = PIECE_HEADER_BYTES + 1;
const PIECE_LENGTH_MAX = PIECE_HEADER_BYTES + BLOCK_BYTES;

/** Whether TorrX knows the message; what it does not know is skipped. */
export function isKnownFrame(id: number): boolean {
  return FIXED_LENGTHS.has(id) || id === FRAME.bitfield || id === FRAME.piece || id === FRAME.extended;
}

/** Throws PeerFault unless a frame of this type may be `length` bytes long. */
export function checkLength(id: number, length: number, pieces: PieceTable | null): void {
  if (id === FRAME.piece) {
    checkPieceLength(length);
    return;
  }
  const fixed = FIXED_LENGTHS.get(id);
  if (fixed !== undefined) checkBetween(id, length, fixed, fixed);
  else if (id === FRAME.bitfield) checkBitfieldLength(length, pieces);
  else if (id === FRAME.extended) checkBetween(id, length, 2, LIMITS.frame.extendedBytes);
  else checkBetween(id, length, 1, LIMITS.frame.unknownBytes);
}

/** As `checkLength`, for a frame that is known to be a piece. */
export function checkPieceLength(length: number): void {
  checkBetween(FRAME.piece, length, PIECE_LENGTH_MIN, PIECE_LENGTH_MAX);
}

function checkBetween(id: number, length: number, min: number, max: number): void {
  if (length > max) throw new PeerFault("frame_too_large", `frame ${id} of ${length} bytes, at most ${max}`);
  if (length < min) throw new PeerFault("bad_frame", `frame ${id} of ${length} bytes, at least ${min}`);
}

function checkBitfieldLength(length: number, pieces: PieceTable | null): void {
  checkBetween(FRAME.bitfield, length, 1, 1 + LIMITS.frame.bitfieldBeforeMetadataBytes);
  if (pieces !== null && length !== 1 + Math.ceil(pieces.pieceCount / 8)) {
    throw new PeerFault("bad_bitfield", `bitfield of ${length - 1} bytes for ${pieces.pieceCount} pieces`);
  }
}

/** BEP 3 lets a client drop a peer that sets spare bits. */
export function checkSpareBits(bits: Uint8Array, pieces: PieceTable | null): void {
  if (pieces === null) return;
  const spareBits = bits.length * 8 - pieces.pieceCount;
  if (((bits[bits.length - 1] ?? 0) & ((1 << spareBits) - 1)) !== 0) {
    throw new PeerFault("bad_bitfield", "spare bits are set");
  }
}

/** Before metadata is known any torrent's index passes, so that what a peer makes us keep stays bounded. */
export function checkPiece(piece: number, pieces: PieceTable | null): void {
  const pieceCount = pieces === null ? LIMITS.metainfo.pieces : pieces.pieceCount;
  if (piece >= pieceCount) throw new PeerFault("bad_index", `piece ${piece} of ${pieceCount}`);
}

/** Throws PeerFault unless the run lies in its piece and is no longer than anyone may ask for. */
export function checkRun(
  piece: number,
  beginBytes: number,
  lengthBytes: number,
  pieces: PieceTable | null,
): void {
  checkPiece(piece, pieces);
  if (lengthBytes === 0 || lengthBytes > LIMITS.peer.requestBytes) {
    throw new PeerFault("bad_index", `run of ${lengthBytes} bytes`);
  }
  const pieceBytes = pieces === null ? LIMITS.metainfo.pieceBytesMax : pieces.pieceLength(piece);
  if (beginBytes + lengthBytes > pieceBytes) {
    throw new PeerFault("bad_index", `bytes ${beginBytes}+${lengthBytes} of a piece of ${pieceBytes}`);
  }
}

/** BEP 6: a peer that uses these without having agreed on them must be dropped. */
export function needsFast(id: number): boolean {
  return (
    id === FRAME.suggest ||
    id === FRAME.haveAll ||
    id === FRAME.haveNone ||
    id === FRAME.reject ||
    id === FRAME.allowedFast
  );
}
