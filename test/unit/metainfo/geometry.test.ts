import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { FileIndex, SafePath } from "../../../src/base/brand.ts";
import { Geometry, type TorrentFile } from "../../../src/metainfo/index.ts";

function geometryOf(pieceLengthBytes: number, lengths: readonly number[]): Geometry {
  let offsetBytes = 0;
  const files: TorrentFile[] = lengths.map((lengthBytes, index) => {
    const file = {
      index: index as FileIndex,
      path: `f${index}` as SafePath,
      offsetBytes,
      lengthBytes,
      isPad: false,
    };
    offsetBytes += lengthBytes;
    return file;
  });
  return new Geometry({
    pieceLengthBytes,
    totalBytes: offsetBytes,
    pieceCount: Math.ceil(offsetBytes / pieceLengthBytes),
    files,
  });
}

const anyGeometry = fc
  .tuple(
    fc.integer({ min: 16_384, max: 100_000 }),
    fc.array(fc.integer({ min: 0, max: 300_000 }), { minLength: 1, maxLength: 12 }),
  )
  .filter(([, lengths]) => lengths.some((length) => length > 0))
  .map(([pieceLength, lengths]) => geometryOf(pieceLength, lengths));

describe("geometry", () => {
  test("the last piece and the last block are as long as what is left", () => {
    const geometry = geometryOf(32_768, [70_000]);
    expect([0, 1, 2].map((piece) => geometry.pieceLength(piece))).toEqual([32_768, 32_768, 4_464]);
    expect([0, 2].map((piece) => geometry.blockCount(piece))).toEqual([2, 1]);
    expect([geometry.blockLength(0, 1), geometry.blockLength(2, 0)]).toEqual([16_384, 4_464]);
  });

  test("a piece length that is no multiple of a block ends each piece with a short block", () => {
    const geometry = geometryOf(20_000, [60_000]);
    expect(geometry.blocksPerPiece).toBe(2);
    expect([geometry.blockLength(0, 0), geometry.blockLength(0, 1)]).toEqual([16_384, 3_616]);
  });

  test("pieces tile the torrent and blocks tile each piece", () => {
    fc.assert(
      fc.property(anyGeometry, (geometry) => {
        let at = 0;
        for (let piece = 0; piece < geometry.pieceCount; piece++) {
          expect(geometry.pieceStart(piece)).toBe(at);
          let inPiece = 0;
          for (let block = 0; block < geometry.blockCount(piece); block++) {
            expect(geometry.blockLength(piece, block)).toBeGreaterThan(0);
            inPiece += geometry.blockLength(piece, block);
          }
          expect(inPiece).toBe(geometry.pieceLength(piece));
          expect(geometry.pieceAt(at)).toBe(piece);
          expect(geometry.pieceAt(at + inPiece - 1)).toBe(piece);
          at += inPiece;
        }
        expect(at).toBe(geometry.totalBytes);
      }),
    );
  });

  test("the spans of any range tile it, in order and inside their files", () => {
    fc.assert(
      fc.property(anyGeometry, fc.nat(), fc.nat(), (geometry, a, b) => {
        const [start, end] = [a % (geometry.totalBytes + 1), b % (geometry.totalBytes + 1)].sort(
          (x, y) => x - y,
        ) as [number, number];
        let at = start;
        for (const span of geometry.spansOf({ start, end })) {
          expect(span.torrentOffsetBytes).toBe(at);
          expect(span.fileOffsetBytes + span.file.offsetBytes).toBe(at);
          expect(span.lengthBytes).toBeGreaterThan(0);
          expect(span.fileOffsetBytes + span.lengthBytes).toBeLessThanOrEqual(span.file.lengthBytes);
          at += span.lengthBytes;
        }
        expect(at).toBe(end);
      }),
    );
  });

  test("the pieces of a range are exactly those that hold a byte of it", () => {
    fc.assert(
      fc.property(anyGeometry, fc.nat(), fc.nat(), (geometry, a, b) => {
        const [start, end] = [a % (geometry.totalBytes + 1), b % (geometry.totalBytes + 1)].sort(
          (x, y) => x - y,
        ) as [number, number];
        const { first, end: pastLast } = geometry.piecesOf({ start, end });
        const holding = Array.from({ length: geometry.pieceCount }, (_, piece) => piece).filter(
          (piece) =>
            geometry.pieceStart(piece) < end &&
            geometry.pieceStart(piece) + geometry.pieceLength(piece) > start,
        );
        const told = Array.from({ length: pastLast - first }, (_, i) => first + i);
        expect(told).toEqual(start === end ? [] : holding);
      }),
    );
  });

  test("an empty file has an empty range and no span", () => {
    const geometry = geometryOf(16_384, [10, 0, 10]);
    const empty = geometry.files[1]!;
    expect(geometry.fileRange(empty)).toEqual({ start: 10, end: 10 });
    expect(geometry.spansOf(geometry.fileRange(empty))).toEqual([]);
    expect(geometry.spansOf({ start: 0, end: 20 }).map((span) => span.file.index as number)).toEqual([0, 2]);
  });
});
