// A geometry of one file, for tests that need no metainfo.

import type { FileIndex, SafePath } from "../../../src/base/brand.ts";
import { Geometry } from "../../../src/metainfo/geometry.ts";

export const KIB = 1024;
export const MIB = 1024 * KIB;

export function geometryOf(totalBytes: number, pieceLengthBytes: number): Geometry {
  const file = {
    index: 0 as FileIndex,
    path: "film.mkv" as SafePath,
    offsetBytes: 0,
    lengthBytes: totalBytes,
    isPad: false,
  };
  const pieceCount = Math.ceil(totalBytes / pieceLengthBytes);
  return new Geometry({ pieceLengthBytes, pieceCount, totalBytes, files: [file] });
}
