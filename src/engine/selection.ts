// Which pieces a torrent wants and how much of them it has. Recomputed whole from (files, download mode, streams)
// whenever one of these changes; nothing is set and cleared in pairs.

import type { Bitfield } from "../base/bitfield.ts";
import type { Geometry } from "../metainfo/index.ts";
import { PIECE_PRIORITY } from "../scheduler/index.ts";
import type { FileChoice, PriorityName } from "./port.ts";

export interface SelectionInput {
  readonly geometry: Geometry;
  /** By file index; empty = everything, normal. */
  readonly files: readonly FileChoice[];
  /** Without this only streamed files are fetched. */
  readonly fetchesSelected: boolean;
  /** Files with a stream. */
  readonly streamedFiles: ReadonlySet<number>;
}

const EVERYTHING: FileChoice = { isSelected: true, priority: "normal" };

export function choiceOf(files: readonly FileChoice[], index: number): FileChoice {
  return files[index] ?? EVERYTHING;
}

/** Priority of each piece: the highest of the wanted files that it touches. */
export function piecePriorities(input: SelectionInput): Uint8Array {
  const priorities = new Uint8Array(input.geometry.pieceCount);
  for (const file of input.geometry.files) {
    const value = filePriority(input, file.index);
    if (value === 0 || file.isPad) continue;
    const { first, end } = input.geometry.piecesOf(input.geometry.fileRange(file));
    for (let piece = first; piece < end; piece++) {
      if ((priorities[piece] ?? 0) < value) priorities[piece] = value;
    }
  }
  return priorities;
}

function filePriority(input: SelectionInput, index: number): number {
  const choice = choiceOf(input.files, index);
  if (input.streamedFiles.has(index)) return priorityValue(choice.isSelected ? choice.priority : "normal");
  return input.fetchesSelected && choice.isSelected ? priorityValue(choice.priority) : 0;
}

function priorityValue(name: PriorityName): number {
  return PIECE_PRIORITY[name];
}

export interface Progress {
  readonly selectedBytes: number;
  readonly haveBytes: number;
  readonly isComplete: boolean;
}

/** Bytes of the selected files, and those of them that are had. `fileBytes` are the had bytes of each file. */
export function progressOf(
  geometry: Geometry,
  files: readonly FileChoice[],
  fileBytes: readonly number[],
): Progress {
  let selectedBytes = 0;
  let haveBytes = 0;
  for (const file of geometry.files) {
    if (file.isPad || !choiceOf(files, file.index).isSelected) continue;
    selectedBytes += file.lengthBytes;
    haveBytes += fileBytes[file.index] ?? 0;
  }
  return { selectedBytes, haveBytes, isComplete: haveBytes === selectedBytes };
}

/** The had bytes of each file, from nothing but the bits. */
export function countFileBytes(geometry: Geometry, have: Bitfield): number[] {
  const bytes = new Array<number>(geometry.files.length).fill(0);
  for (let piece = 0; piece < geometry.pieceCount; piece++) {
    if (have.has(piece)) addPieceBytes(geometry, piece, bytes, 1);
  }
  return bytes;
}

/** Adds (sign 1) or takes away (sign −1) one piece's bytes from each file's count. */
export function addPieceBytes(geometry: Geometry, piece: number, bytes: number[], sign: 1 | -1): void {
  const start = geometry.pieceStart(piece);
  for (const span of geometry.spansOf({ start, end: start + geometry.pieceLength(piece) })) {
    bytes[span.file.index] = (bytes[span.file.index] ?? 0) + sign * span.lengthBytes;
  }
}
