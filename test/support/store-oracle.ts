// Tells which pieces a start from `state` would believe without a look although their bytes are wrong.

import { Folders } from "../../src/store/folders.ts";
import { Layout, PARTS } from "../../src/store/layout.ts";
import type { Disk, FilePresence, ResumeState } from "../../src/store/ports.ts";
import { planCheck } from "../../src/store/resume-plan.ts";
import { surveyDisk } from "../../src/store/survey.ts";
import type { MemoryDisk } from "./memory-disk.ts";
import { allPieces, type MadeTorrent } from "./store-torrent.ts";

export interface Belief {
  readonly torrent: MadeTorrent;
  readonly disk: Disk & Pick<MemoryDisk, "contentOf">;
  readonly state: ResumeState | null;
  readonly presence: FilePresence;
  readonly saveDirectory: string;
  readonly partsPath: string;
}

export async function wronglyBelieved(belief: Belief): Promise<number[]> {
  const { torrent, disk, state, presence, saveDirectory, partsPath } = belief;
  const layout = new Layout(torrent.info, { saveDirectory, diskName: null }, partsPath);
  const survey = await surveyDisk(layout, new Folders(disk, saveDirectory), disk);
  layout.setPresent(presence.map((isWanted, index) => isWanted || survey.stamps[index] != null));
  layout.hasParts = survey.partsBytes > 0;
  const { trusted } = planCheck(layout, survey, state);
  return allPieces(torrent).filter((piece) => {
    if (!trusted.has(piece)) return false;
    return layout.runsOf(layout.pieceRange(piece)).some((run) => {
      const path = run.key === PARTS ? partsPath : layout.pathOf(run.key);
      const there = disk.contentOf(path)?.subarray(run.offsetBytes, run.offsetBytes + run.lengthBytes);
      const truth = torrent.bytes.subarray(run.torrentOffsetBytes, run.torrentOffsetBytes + run.lengthBytes);
      return there === undefined || Buffer.compare(there, truth) !== 0;
    });
  });
}
