// Pieces, blocks and files as byte arithmetic. Pure; shared by wire, scheduler, store and stream.

import type { ByteRange } from "../base/byte-range.ts";
import { BLOCK_BYTES } from "../base/limits.ts";
import type { TorrentFile, TorrentInfo } from "./types.ts";

/** A run of bytes that lies in one file. */
export interface FileSpan {
  readonly file: TorrentFile;
  readonly fileOffsetBytes: number;
  readonly lengthBytes: number;
  /** Where the run starts in the torrent. */
  readonly torrentOffsetBytes: number;
}

export class Geometry {
  readonly pieceLengthBytes: number;
  readonly pieceCount: number;
  readonly totalBytes: number;
  readonly blocksPerPiece: number;
  readonly files: readonly TorrentFile[];

  constructor(info: Pick<TorrentInfo, "pieceLengthBytes" | "pieceCount" | "totalBytes" | "files">) {
    this.pieceLengthBytes = info.pieceLengthBytes;
    this.pieceCount = info.pieceCount;
    this.totalBytes = info.totalBytes;
    this.blocksPerPiece = Math.ceil(info.pieceLengthBytes / BLOCK_BYTES);
    this.files = info.files;
  }

  pieceStart(piece: number): number {
    return piece * this.pieceLengthBytes;
  }

  pieceLength(piece: number): number {
    return Math.min(this.pieceLengthBytes, this.totalBytes - this.pieceStart(piece));
  }

  blockCount(piece: number): number {
    return Math.ceil(this.pieceLength(piece) / BLOCK_BYTES);
  }

  blockLength(piece: number, block: number): number {
    return Math.min(BLOCK_BYTES, this.pieceLength(piece) - block * BLOCK_BYTES);
  }

  /** The piece that holds a byte of the torrent. */
  pieceAt(torrentOffsetBytes: number): number {
    return Math.floor(torrentOffsetBytes / this.pieceLengthBytes);
  }

  /** First piece and one past the last piece that hold any byte of `range`; equal where it is empty. */
  piecesOf(range: ByteRange): { readonly first: number; readonly end: number } {
    const first = this.pieceAt(range.start);
    if (range.end <= range.start) return { first, end: first };
    return { first, end: this.pieceAt(range.end - 1) + 1 };
  }

  fileRange(file: TorrentFile): ByteRange {
    return { start: file.offsetBytes, end: file.offsetBytes + file.lengthBytes };
  }

  /** The runs of files that make up `range`, in order; empty files appear in none. */
  spansOf(range: ByteRange): FileSpan[] {
    const spans: FileSpan[] = [];
    for (let i = this.#firstFileEndingAfter(range.start); i < this.files.length; i++) {
      const file = this.files[i];
      if (file === undefined || file.offsetBytes >= range.end) break;
      const start = Math.max(range.start, file.offsetBytes);
      const end = Math.min(range.end, file.offsetBytes + file.lengthBytes);
      if (end <= start) continue;
      spans.push({
        file,
        fileOffsetBytes: start - file.offsetBytes,
        lengthBytes: end - start,
        torrentOffsetBytes: start,
      });
    }
    return spans;
  }

  #firstFileEndingAfter(torrentOffsetBytes: number): number {
    let low = 0;
    let high = this.files.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const file = this.files[middle];
      if (file !== undefined && file.offsetBytes + file.lengthBytes > torrentOffsetBytes) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
