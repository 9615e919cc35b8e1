// Resume lists as blobs: a torrent of 100,000 files commits often, and JSON of its stamps would be megabytes each time.
// unsure: little-endian uint32 piece numbers. stamps: three little-endian float64 a file (size, mtime ms, inode);
// a NaN size says that the file does not exist.

export interface StampValues {
  readonly sizeBytes: number;
  readonly mtimeMs: number;
  readonly inode: number;
}

const STAMP_BYTES = 24;

export function encodeUnsure(pieces: readonly number[]): Uint8Array {
  const out = new Uint8Array(pieces.length * 4);
  const view = new DataView(out.buffer);
  pieces.forEach((piece, i) => {
    view.setUint32(i * 4, piece, true);
  });
  return out;
}

export function decodeUnsure(bytes: Uint8Array): number[] {
  const view = viewOf(bytes);
  return Array.from({ length: Math.floor(bytes.length / 4) }, (_, i) => view.getUint32(i * 4, true));
}

export function encodeStamps(stamps: readonly (StampValues | null)[]): Uint8Array {
  const out = new Uint8Array(stamps.length * STAMP_BYTES);
  const view = new DataView(out.buffer);
  stamps.forEach((stamp, i) => {
    const at = i * STAMP_BYTES;
    view.setFloat64(at, stamp?.sizeBytes ?? Number.NaN, true);
    view.setFloat64(at + 8, stamp?.mtimeMs ?? 0, true);
    view.setFloat64(at + 16, stamp?.inode ?? 0, true);
  });
  return out;
}

export function decodeStamps(bytes: Uint8Array): (StampValues | null)[] {
  const view = viewOf(bytes);
  return Array.from({ length: Math.floor(bytes.length / STAMP_BYTES) }, (_, i) => {
    const at = i * STAMP_BYTES;
    const sizeBytes = view.getFloat64(at, true);
    if (Number.isNaN(sizeBytes)) return null;
    return { sizeBytes, mtimeMs: view.getFloat64(at + 8, true), inode: view.getFloat64(at + 16, true) };
  });
}

/** CRC-32 over the blobs of a row, one after the other. */
export function resumeChecksum(blobs: readonly Uint8Array[]): number {
  return blobs.reduce((sum, blob) => Bun.hash.crc32(blob, sum), 0);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
