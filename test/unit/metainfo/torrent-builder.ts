// Info dictionaries for the tests, right unless told otherwise.

import { type BencodeInput, encodeBencode } from "../../../src/metainfo/index.ts";

export type Fields = Record<string, BencodeInput | undefined>;

/** Raw bytes of a single-file info dictionary: 40,000 bytes in three pieces. */
export function singleFileInfo(changes: Fields = {}): Uint8Array {
  return encodeBencode({
    length: 40_000,
    name: "film.mkv",
    "piece length": 16_384,
    pieces: new Uint8Array(60).fill(7),
    ...changes,
  });
}

export interface FileFields {
  readonly path: readonly (string | Uint8Array)[];
  readonly length: number;
  readonly extra?: Fields;
}

/** Raw bytes of a multi-file info dictionary whose pieces fit its files. */
export function multiFileInfo(files: readonly FileFields[], changes: Fields = {}): Uint8Array {
  const totalBytes = files.reduce((sum, file) => sum + Math.max(0, file.length), 0);
  return encodeBencode({
    files: files.map(({ path, length, extra }) => ({ length, path, ...extra })),
    name: "Show",
    "piece length": 16_384,
    pieces: new Uint8Array(20 * Math.ceil(totalBytes / 16_384)).fill(7),
    ...changes,
  });
}

/** A .torrent around raw info bytes; `before` and `after` are its neighbours in order. */
export function torrentAround(infoBytes: Uint8Array, before: Fields = {}): Uint8Array {
  const head = encodeBencode(before);
  return new Uint8Array(
    Buffer.concat([head.subarray(0, -1), Buffer.from("4:info"), infoBytes, Buffer.from("e")]),
  );
}
