// Matroska and WebM: layout → Info, Tracks → Cues. Two or three requests: the head, and where the Cues lie.

import { LIMITS } from "../../base/limits.ts";
import type { KeyframeIndex } from "../ports.ts";
import type { IndexDraft } from "./index-draft.ts";
import { broken, IndexFault } from "./index-fault.ts";
import { KeyframeList } from "./keyframe-list.ts";
import { readCues } from "./matroska-cues.ts";
import { ID, MatroskaLayout } from "./matroska-layout.ts";
import { filmTrackOf, readInfo, readTracks } from "./matroska-tracks.ts";
import type { RangeCache } from "./range-cache.ts";

/** Besides Cues, what ffmpeg looks up behind the clusters when it opens a file. */
const READ_AT_OPEN = [ID.tags, ID.chapters, ID.attachments] as const;
/** Everything in Info has a default. */
const NO_INFO = new Uint8Array();

export async function readMatroska(cache: RangeCache, draft: IndexDraft): Promise<KeyframeIndex> {
  const layout = await MatroskaLayout.read(cache);
  draft.addHead(0, layout.firstClusterStart ?? layout.segmentDataStart);
  const info = readInfo((await metadata(layout, draft, ID.info)) ?? NO_INFO);
  draft.durationSec = info.durationSec;
  const tracksContent = await metadata(layout, draft, ID.tracks);
  if (tracksContent === null) throw broken();
  const tracks = readTracks(tracksContent);
  draft.tracks = tracks.map(({ number: _, ...track }) => track);
  const film = filmTrackOf(tracks);
  if (film === null) throw new IndexFault("no_video");
  const cues = await cuesContent(layout, draft);
  await addReadAtOpen(layout, draft);
  const keyframes = new KeyframeList(cache.lengthBytes);
  await readCues(
    cues,
    {
      trackNumber: film.number,
      scaleNs: info.scaleNs,
      segmentDataStart: layout.segmentDataStart,
      firstClusterStart: layout.firstClusterStart ?? 0,
    },
    keyframes,
  );
  return keyframes.toIndex();
}

async function metadata(layout: MatroskaLayout, draft: IndexDraft, id: number): Promise<Uint8Array | null> {
  const element = await layout.find(id);
  if (element === "misplaced") throw broken();
  if (element === null) return null;
  draft.addHead(element.start, element.end);
  return await layout.contentOf(element, LIMITS.mediaIndex.metadataBytes);
}

async function cuesContent(layout: MatroskaLayout, draft: IndexDraft): Promise<Uint8Array> {
  const cues = await layout.find(ID.cues);
  if (cues === null) throw new IndexFault("no_cues");
  if (cues === "misplaced") throw broken();
  draft.addHead(cues.start, cues.end);
  return await layout.contentOf(cues, LIMITS.mediaIndex.cuesBytes);
}

async function addReadAtOpen(layout: MatroskaLayout, draft: IndexDraft): Promise<void> {
  for (const id of READ_AT_OPEN) {
    const element = await layout.find(id);
    if (element !== null && element !== "misplaced") draft.addHead(element.start, element.end);
  }
}
