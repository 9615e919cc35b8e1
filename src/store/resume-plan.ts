// Which pieces are believed at start and which are hashed first. Pure. A clean state whose stamps all match is
// believed as it is; after a crash what was not synced is hashed, and a sample of the rest: one wrong piece in it and
// nothing is believed.

import { Bitfield } from "../base/bitfield.ts";
import type { TorrentFile } from "../metainfo/types.ts";
import { type Layout, PARTS } from "./layout.ts";
import type { FileStamp, ResumeState } from "./ports.ts";
import type { Survey } from "./survey.ts";

export interface CheckPlan {
  readonly trusted: Bitfield;
  /** To be hashed; had if they pass. Ascending. */
  readonly suspect: readonly number[];
  /** Trusted pieces to be hashed as a test of the whole state. */
  readonly sample: readonly number[];
}

const SAMPLE_PIECES = 64;
const SAMPLE_BYTES = 128 * 1024 * 1024;

/** Everything that has bytes on disk is hashed. */
export function planFullCheck(layout: Layout, survey: Survey): CheckPlan {
  const { pieceCount } = layout.geometry;
  const isEmpty =
    survey.partsBytes === 0 && survey.stamps.every((stamp) => stamp === null || stamp.sizeBytes === 0);
  if (isEmpty) return { trusted: new Bitfield(pieceCount), suspect: [], sample: [] };
  const suspect = Array.from({ length: pieceCount }, (_, piece) => piece);
  return { trusted: new Bitfield(pieceCount), suspect: readable(suspect, layout, survey), sample: [] };
}

export function planCheck(layout: Layout, survey: Survey, resume: ResumeState | null): CheckPlan {
  const verified = resume === null ? null : Bitfield.tryFrom(resume.verified, layout.geometry.pieceCount);
  if (resume === null || verified === null || resume.stamps.length !== layout.info.files.length) {
    return planFullCheck(layout, survey);
  }
  const suspect = new Set(resume.unsure.filter((piece) => piece >= 0 && piece < layout.geometry.pieceCount));
  for (const file of layout.info.files) {
    for (const piece of doubtfulPieces(file, { layout, survey, resume, verified })) suspect.add(piece);
  }
  for (const piece of suspect) verified.delete(piece);
  return {
    trusted: verified,
    suspect: readable(
      [...suspect].sort((a, b) => a - b),
      layout,
      survey,
    ),
    sample: resume.isClean ? [] : sampleOf(verified, layout),
  };
}

interface Recorded {
  readonly layout: Layout;
  readonly survey: Survey;
  readonly resume: ResumeState;
  readonly verified: Bitfield;
}

/** Pieces with bytes in this file that cannot be believed as they are recorded. */
function doubtfulPieces(file: TorrentFile, { layout, survey, resume, verified }: Recorded): number[] {
  if (file.isPad || file.lengthBytes === 0) return [];
  const was = resume.stamps[file.index] ?? null;
  const is = survey.stamps[file.index] ?? null;
  if (layout.isPresent(file) && isSame(was, is, resume.isClean)) return [];
  const { first, end } = layout.piecesOf(file);
  const doubtful: number[] = [];
  // Where nothing lies in the file's place only what is recorded can be wrong: its bytes are kept aside, or gone.
  const isAside = is === null;
  for (let piece = first; piece < end; piece++) {
    if (isAside && !verified.has(piece)) continue;
    if (layout.isPresent(file) || was !== null || !areRunsReadable(piece, layout, survey))
      doubtful.push(piece);
  }
  return doubtful;
}

function isSame(was: FileStamp | null, is: FileStamp | null, isClean: boolean): boolean {
  // A file that is to exist from now on has its bytes elsewhere, whether or not something lies in its place.
  if (was === null || is === null) return false;
  return was.inode === is.inode && was.sizeBytes === is.sizeBytes && (!isClean || was.mtimeMs === is.mtimeMs);
}

/** Pieces that can pass at all; a missing or short file fails its pieces without a look. */
function readable(pieces: readonly number[], layout: Layout, survey: Survey): number[] {
  return pieces.filter((piece) => {
    if (areRunsReadable(piece, layout, survey)) return true;
    return survey.partsBytes > 0 && layout.geometry.spansOf(layout.pieceRange(piece)).length > 1;
  });
}

function areRunsReadable(piece: number, layout: Layout, survey: Survey): boolean {
  return layout.runsOf(layout.pieceRange(piece)).every((run) => {
    const sizeBytes = run.key === PARTS ? survey.partsBytes : (survey.stamps[run.key]?.sizeBytes ?? 0);
    return sizeBytes >= run.offsetBytes + run.lengthBytes;
  });
}

/** One piece of each file first, then evenly over the rest, within both bounds. */
function sampleOf(trusted: Bitfield, layout: Layout): number[] {
  const bound = Math.max(
    8,
    Math.min(SAMPLE_PIECES, Math.floor(SAMPLE_BYTES / layout.geometry.pieceLengthBytes)),
  );
  const sample = new Set<number>();
  for (const file of layout.info.files) {
    if (sample.size >= bound) break;
    const { first, end } = layout.piecesOf(file);
    for (let piece = end - 1; piece >= first && layout.isPresent(file); piece--) {
      if (!trusted.has(piece)) continue;
      sample.add(piece);
      break;
    }
  }
  const step = Math.max(1, Math.ceil(layout.geometry.pieceCount / bound));
  for (let piece = 0; piece < layout.geometry.pieceCount && sample.size < bound; piece += step) {
    if (trusted.has(piece)) sample.add(piece);
  }
  return [...sample].sort((a, b) => a - b);
}
