// From what is recorded and what lies on disk to the pieces that are had. Nothing on disk is changed before it was
// checked; the one exception, a boundary piece found in the parts file, is moved into its file after that file's
// own bytes there proved wrong, and once the files are known to be the torrent's own (claim.ts).

import { Bitfield } from "../base/bitfield.ts";
import type { TorrentFile } from "../metainfo/types.ts";
import type { Checker } from "./checker.ts";
import type { Claim } from "./claim.ts";
import type { Committer } from "./committer.ts";
import type { FileTable } from "./file-table.ts";
import type { Folders } from "./folders.ts";
import type { FileKey, Layout, Run } from "./layout.ts";
import type { PieceIo } from "./piece-io.ts";
import type { Disk, FilePresence, ResumeState } from "./ports.ts";
import { type CheckPlan, planCheck, planFullCheck } from "./resume-plan.ts";
import { surveyDisk } from "./survey.ts";

/** What one torrent's storage is made of. */
export interface StoreParts {
  readonly layout: Layout;
  readonly disk: Disk;
  readonly folders: Folders;
  readonly files: FileTable;
  readonly io: PieceIo;
  readonly checker: Checker;
  readonly committer: Committer;
  readonly claim: Claim;
}

export interface LoadOptions {
  readonly resume: ResumeState | null;
  /** Hash everything, whatever `resume` says. */
  readonly isFull: boolean;
  readonly presence: FilePresence;
  readonly signal: AbortSignal;
  readonly onProgress: (share: number) => void;
}

/** The pieces that are had. Rejects on abort, on faults of the disk and where only other data lies there. */
export async function loadStore(parts: StoreParts, options: LoadOptions): Promise<Bitfield> {
  const { layout, folders, disk, committer, claim } = parts;
  if (options.resume !== null) claim.take();
  const survey = await surveyDisk(layout, folders, disk);
  layout.setPresent(
    layout.info.files.map(({ index }) => options.presence[index] === true || survey.stamps[index] != null),
  );
  layout.hasParts = survey.partsBytes > 0;
  const first = options.isFull ? planFullCheck(layout, survey) : planCheck(layout, survey, options.resume);
  const progress = progressOf(first.sample.length + first.suspect.length, options.onProgress);
  const isSound = await isSampleSound(parts, first, { signal: options.signal, onProgress: progress });
  const plan = isSound ? first : planFullCheck(layout, survey);
  const isRecordedClean = options.resume?.isClean === true;
  committer.load({ verified: plan.trusted.clone(), stamps: survey.stamps, isRecordedClean });
  const have = plan.trusted.clone();
  const putOff = await checkPieces(parts, have, plan.suspect, {
    signal: options.signal,
    onProgress: isSound
      ? (done) => progress(first.sample.length + done)
      : progressOf(plan.suspect.length, options.onProgress),
  });
  await claim.settle(survey, options.signal);
  await checkPieces(parts, have, putOff, { signal: options.signal, onProgress: () => undefined });
  await createEmptyFiles(parts, layout.info.files);
  // Also that there is nothing: from the record on, what lies there is the torrent's own.
  committer.release(options.isFull || !isRecorded(options.resume, have));
  return have;
}

interface Watch {
  readonly signal: AbortSignal;
  readonly onProgress: (done: number) => void;
}

async function isSampleSound(parts: StoreParts, plan: CheckPlan, watch: Watch): Promise<boolean> {
  const onPassed = () => Promise.resolve();
  return (await parts.checker.run({ pieces: plan.sample, ...watch, onPassed })) === plan.sample.length;
}

/**
 * Adds those that pass to `have` and notes them to be synced. Returns those that are to be moved into files which are
 * not known to be the torrent's own yet; they were left as they are.
 */
async function checkPieces(
  parts: StoreParts,
  have: Bitfield,
  pieces: readonly number[],
  watch: Watch,
): Promise<number[]> {
  const { checker, claim } = parts;
  const putOff: number[] = [];
  await checker.run({
    pieces,
    ...watch,
    onPassed: async (piece, aside) => {
      await claim.found(piece, aside, watch.signal);
      if (aside.size > 0 && !claim.isOurs) {
        putOff.push(piece);
        return;
      }
      if (await settleFound(parts, piece, aside)) have.add(piece);
    },
  });
  return putOff;
}

/**
 * Notes a piece that was found on disk, to be synced; first its bytes go where they belong, and are written again where
 * a failed sync left them doubtful. False where they changed meanwhile.
 */
export async function settleFound(
  { layout, io, committer }: StoreParts,
  piece: number,
  aside: ReadonlySet<FileKey>,
): Promise<boolean> {
  const all = layout.runsOf(layout.pieceRange(piece));
  const runs = committer.mustRewrite(piece) ? all : runsInFiles(layout, piece, aside);
  if (runs.length > 0 && !(await io.rewrite(piece, runs, aside))) return false;
  committer.noteWritten(
    piece,
    all.map((run) => run.key),
    0,
  );
  return true;
}

/** The bytes of a piece that belong into these files, whether they are present yet or not. */
export function runsInFiles(layout: Layout, piece: number, keys: ReadonlySet<FileKey>): Run[] {
  return layout.geometry
    .spansOf(layout.pieceRange(piece))
    .filter(({ file }) => keys.has(file.index))
    .map(({ file, fileOffsetBytes, lengthBytes, torrentOffsetBytes }) => ({
      key: file.index,
      offsetBytes: fileOffsetBytes,
      lengthBytes,
      torrentOffsetBytes,
    }));
}

/** Files of no bytes have no piece that would bring them about. */
export async function createEmptyFiles(parts: StoreParts, files: readonly TorrentFile[]): Promise<void> {
  for (const file of files) {
    if (file.lengthBytes > 0 || file.isPad || !parts.layout.isPresent(file)) continue;
    if ((await parts.disk.stampOf(parts.layout.pathOf(file.index))) !== null) continue;
    await parts.files.create(file.index);
    parts.committer.noteTouched(file.index);
  }
}

function isRecorded(resume: ResumeState | null, have: Bitfield): boolean {
  if (resume === null) return false;
  const recorded = Bitfield.tryFrom(resume.verified, have.length);
  if (recorded === null || resume.unsure.length > 0 || recorded.count !== have.count) return false;
  return Buffer.compare(recorded.toBytes(), have.toBytes()) === 0;
}

/** Tells the share whenever it grew by a hundredth. */
function progressOf(total: number, tell: (share: number) => void): (done: number) => void {
  let told = 0;
  return (done) => {
    const share = total === 0 ? 1 : done / total;
    if (share < told + 0.01 && share < 1) return;
    told = share;
    tell(share);
  };
}
