import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Bitfield } from "../../../src/base/bitfield.ts";
import type { FileChoice } from "../../../src/engine/port.ts";
import { addPieceBytes, countFileBytes, piecePriorities, progressOf } from "../../../src/engine/selection.ts";
import { PIECE_PRIORITY } from "../../../src/scheduler/index.ts";
import { makeTorrent } from "../../support/store-torrent.ts";

const PIECE = 16 * 1024;
const { low, normal, high, skip } = PIECE_PRIORITY;
const choose = (priority: FileChoice["priority"], isSelected = true): FileChoice => ({
  isSelected,
  priority,
});
const NOBODY: ReadonlySet<number> = new Set();

function geometryOf(...lengths: number[]) {
  const files = lengths.map((lengthBytes, index) => ({ path: `${index}`, lengthBytes }));
  return makeTorrent({ files, pieceLengthBytes: PIECE }).geometry;
}

describe("priorities of pieces", () => {
  test("a piece on the border of two files takes the higher priority", () => {
    const geometry = geometryOf(PIECE + 10, PIECE, PIECE - 10);
    const files = [choose("low"), choose("high"), choose("normal", false)];
    const input = { geometry, files, fetchesSelected: true, streamedFiles: NOBODY };
    expect([...piecePriorities(input)]).toEqual([low, high, high]);
  });

  test("without a choice everything is wanted normally", () => {
    const geometry = geometryOf(PIECE, PIECE);
    expect([
      ...piecePriorities({ geometry, files: [], fetchesSelected: true, streamedFiles: NOBODY }),
    ]).toEqual([normal, normal]);
  });

  test("where only streams are fetched, only streamed files are wanted, selected or not", () => {
    const geometry = geometryOf(PIECE, PIECE, PIECE);
    const files = [choose("high"), choose("low", false), choose("high")];
    const of = (streamedFiles: ReadonlySet<number>) => [
      ...piecePriorities({ geometry, files, fetchesSelected: false, streamedFiles }),
    ];
    expect(of(NOBODY)).toEqual([skip, skip, skip]);
    expect(of(new Set([1, 2]))).toEqual([skip, normal, high]);
  });

  test("empty files and pads want nothing", () => {
    const files = [
      { path: "a", lengthBytes: 0 },
      { path: "pad", lengthBytes: PIECE, isPad: true },
      { path: "b", lengthBytes: 5 },
    ];
    const { geometry } = makeTorrent({ files, pieceLengthBytes: PIECE });
    expect([
      ...piecePriorities({ geometry, files: [], fetchesSelected: true, streamedFiles: NOBODY }),
    ]).toEqual([skip, normal]);
  });
});

describe("progress", () => {
  test("counts selected files alone and is complete with the last of their bytes", () => {
    const geometry = geometryOf(PIECE, 10, PIECE - 10);
    const files = [choose("normal"), choose("normal", false), choose("normal")];
    expect(progressOf(geometry, files, [PIECE, 0, 5])).toEqual({
      selectedBytes: 2 * PIECE - 10,
      haveBytes: PIECE + 5,
      isComplete: false,
    });
    expect(progressOf(geometry, files, [PIECE, 0, PIECE - 10]).isComplete).toBe(true);
  });

  test("adding pieces one by one, in any order, counts the same as counting the bits", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 3 * PIECE }), { minLength: 1, maxLength: 6 }),
        fc.array(fc.nat(), { maxLength: 30 }),
        (lengths, picks) => {
          const geometry = geometryOf(...lengths, 1);
          const have = new Bitfield(geometry.pieceCount);
          const bytes = geometry.files.map(() => 0);
          for (const pick of picks) {
            const piece = pick % geometry.pieceCount;
            if (have.add(piece)) addPieceBytes(geometry, piece, bytes, 1);
            else if (have.delete(piece)) addPieceBytes(geometry, piece, bytes, -1);
          }
          expect(bytes).toEqual(countFileBytes(geometry, have));
        },
      ),
      { numRuns: 100 },
    );
  });
});
