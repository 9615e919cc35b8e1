// Files that are to exist from now on, and those that are not after all. Bytes of boundary pieces that were kept in the parts file move into them.
// Invariant: from before the first byte moves until it is synced in its new place the piece is recorded as unsure, so
// a crash in between has it hashed, in its file and in the parts file.

import type { Bitfield } from "../base/bitfield.ts";
import type { TorrentFile } from "../metainfo/types.ts";
import { PARTS } from "./layout.ts";
import { createEmptyFiles, runsInFiles, type StoreParts, settleFound } from "./loader.ts";
import type { FilePresence } from "./ports.ts";

export interface BringInOptions {
  readonly presence: FilePresence;
  readonly have: Bitfield;
  /** Ends the check of files that lay there already; bytes on the move arrive first. */
  readonly signal: AbortSignal;
  /** Pieces whose bytes are on the move; files made for them lose nothing. */
  readonly moving: Set<number>;
  readonly onLost: (piece: number) => void;
  /** A piece was found in a file that lay there already. */
  readonly onFound: (piece: number) => void;
}

/** Nothing may be written to the torrent meanwhile. Rejects on faults of the disk, after which it can be done again. */
export async function bringInFiles(parts: StoreParts, options: BringInOptions): Promise<void> {
  const { layout, committer } = parts;
  withdrawUnmade(parts, options.presence);
  const newFiles = layout.missingFrom(options.presence);
  if (newFiles.length === 0) return;
  const inPlace = await filesInPlace(parts, newFiles);
  const pieces = piecesOf(parts, newFiles);
  for (const piece of pieces) if (options.have.has(piece)) options.moving.add(piece);
  try {
    await moveBytes(parts, newFiles, options);
  } finally {
    options.moving.clear();
  }
  layout.setPresent(
    layout.info.files.map((file) => layout.isPresent(file) || options.presence[file.index] === true),
  );
  await createEmptyFiles(parts, newFiles);
  await findPieces(parts, inPlace, options);
  if ((await committer.commit()) && layout.isWhole && layout.hasParts) await dropParts(parts);
}

/** Files that were to exist, are not wanted any more and were never made: a boundary piece shall not make them. */
function withdrawUnmade({ layout, committer }: StoreParts, presence: FilePresence): void {
  const { stamps } = committer.snapshot();
  layout.setPresent(
    layout.info.files.map(
      (file) => layout.isPresent(file) && (presence[file.index] === true || stamps[file.index] != null),
    ),
  );
}

function piecesOf(parts: StoreParts, files: readonly TorrentFile[]): Set<number> {
  const pieces = new Set<number>();
  for (const file of files) {
    const { first, end } = parts.layout.piecesOf(file);
    for (let piece = first; piece < end; piece++) pieces.add(piece);
  }
  return pieces;
}

async function filesInPlace(parts: StoreParts, files: readonly TorrentFile[]): Promise<TorrentFile[]> {
  const found: TorrentFile[] = [];
  for (const file of files) {
    if ((await parts.disk.stampOf(parts.layout.pathOf(file.index))) !== null) found.push(file);
  }
  return found;
}

async function moveBytes(
  parts: StoreParts,
  files: readonly TorrentFile[],
  options: BringInOptions,
): Promise<void> {
  const { layout, checker, committer, io } = parts;
  const keys = new Set(files.map((file) => file.index as number));
  for (const piece of options.moving) committer.unsettle(piece);
  for (const piece of options.moving) {
    const runs = runsInFiles(layout, piece, keys);
    if ((await checker.matches(piece)) && (await io.rewrite(piece, runs))) {
      committer.noteWritten(
        piece,
        runs.map((run) => run.key),
        layout.geometry.pieceLength(piece),
      );
    } else options.onLost(piece);
  }
}

/** What lies in the new files' places already is checked before anything is written there. */
async function findPieces(
  parts: StoreParts,
  files: readonly TorrentFile[],
  options: BringInOptions,
): Promise<void> {
  const pieces = [...piecesOf(parts, files)]
    .filter((piece) => !options.have.has(piece))
    .sort((a, b) => a - b);
  await parts.checker.run({
    pieces,
    signal: options.signal,
    onProgress: () => undefined,
    onPassed: async (piece, aside) => {
      if (await settleFound(parts, piece, aside)) options.onFound(piece);
    },
  });
}

async function dropParts(parts: StoreParts): Promise<void> {
  await parts.files.close(PARTS);
  await parts.disk.removeFile(parts.layout.partsPath);
  parts.layout.hasParts = false;
}
