// MP4 and MOV: the top boxes by their headers → moov → sample table, or the indexes of fragments.

import { LIMITS } from "../../base/limits.ts";
import type { KeyframeIndex } from "../ports.ts";
import type { IndexDraft } from "./index-draft.ts";
import { broken, IndexFault } from "./index-fault.ts";
import { KeyframeList } from "./keyframe-list.ts";
import { BOX_HEADER_BYTES, type Box } from "./mp4-boxes.ts";
import { type Edit, fragmentOffsetTicks, presentKeyframes, readEdits } from "./mp4-edits.ts";
import { FragmentIndexes } from "./mp4-fragments.ts";
import { contentOf, type PlacedBox, walkBoxes } from "./mp4-layout.ts";
import { readSampleTable, type SampleTable } from "./mp4-samples.ts";
import {
  filmTrackOf,
  type Mp4Track,
  readFragmentedDuration,
  readFragmentFrameTicks,
  readMovieTimes,
  readMp4Tracks,
} from "./mp4-tracks.ts";
import type { RangeCache } from "./range-cache.ts";

/** Where every frame is a key frame, a list of all would be of no more use than one of these. */
const ALL_SYNC_SPACING_SEC = 0.5;
const PASSED_BOXES: ReadonlySet<string> = new Set(["mdat", "free", "skip", "wide", "moof"]);

export async function readMp4(cache: RangeCache, draft: IndexDraft): Promise<KeyframeIndex> {
  const boxes = await walkBoxes(cache, 0, (box) => box.type === "moov");
  addHeads(draft, boxes);
  const placed = boxes.at(-1);
  if (placed?.type !== "moov") throw broken();
  const moov = await contentOf(cache, placed, LIMITS.mediaIndex.moovBytes);
  const times = readMovieTimes(moov);
  const isFragmented = moov.child("mvex") !== null;
  draft.durationSec = isFragmented ? readFragmentedDuration(moov, times.timescale) : times.durationSec;
  const tracks = readMp4Tracks(moov);
  draft.tracks = tracks.map(({ id: _id, timescale: _timescale, trak: _trak, ...track }) => track);
  const film = filmTrackOf(tracks);
  if (film === null) throw new IndexFault("no_video");
  if (film.timescale === 0) throw broken();
  const edits = readEdits(film.trak, { trackTimescale: film.timescale, movieTimescale: times.timescale });
  const movie: Movie = { cache, draft, film, edits };
  return isFragmented ? await indexOfFragments(movie, moov, placed.end) : indexOfSamples(movie);
}

interface Movie {
  readonly cache: RangeCache;
  readonly draft: IndexDraft;
  readonly film: Mp4Track;
  readonly edits: readonly Edit[];
}

function indexOfSamples(movie: Movie): KeyframeIndex {
  const table = sampleTableOf(movie);
  if (table === null) throw new IndexFault("no_cues");
  const keyframes = new KeyframeList(movie.cache.lengthBytes);
  presentKeyframes(table, movie.edits, (ticks, sample) =>
    keyframes.add(ticks / movie.film.timescale, table.positionsBytes[sample] ?? 0),
  );
  return keyframes.toIndex(table.isAllSync ? ALL_SYNC_SPACING_SEC : 0);
}

function sampleTableOf({ film, cache }: Movie): SampleTable | null {
  const stbl = film.trak.descendant("mdia", "minf", "stbl");
  return stbl === null ? null : readSampleTable(stbl, cache.lengthBytes);
}

async function indexOfFragments(movie: Movie, moov: Box, moovEnd: number): Promise<KeyframeIndex> {
  const { cache, draft, film } = movie;
  const offsetTicks = fragmentOffsetTicks(movie.edits);
  const track = {
    id: film.id,
    timescale: film.timescale,
    offsetTicks,
    frameTicks: readFragmentFrameTicks(moov, film.id),
  };
  const boxes = await walkBoxes(cache, moovEnd, (box) => box.type === "moof");
  addHeads(draft, boxes);
  const keyframes = new KeyframeList(cache.lengthBytes);
  const isIndexed = await new FragmentIndexes(cache, draft, track).addTo(keyframes, boxes);
  if (!isIndexed) throw new IndexFault("no_cues");
  addOwnSamples(movie, offsetTicks, keyframes);
  return keyframes.toIndex();
}

/** A movie may begin with samples of its own, before its fragments. */
function addOwnSamples(movie: Movie, offsetTicks: number, keyframes: KeyframeList): void {
  const table = sampleTableOf(movie);
  for (let sample = 0; table !== null && sample < table.count; sample++) {
    if (table.isSync[sample] !== 1) continue;
    const ticks = (table.showTicks[sample] ?? 0) - offsetTicks;
    keyframes.add(ticks / movie.film.timescale, table.positionsBytes[sample] ?? 0);
  }
}

/** Small boxes are read whole on the way; of those that hold frames or nothing, only the header. */
function addHeads(draft: IndexDraft, boxes: readonly PlacedBox[]): void {
  for (const { type, start, end } of boxes)
    draft.addHead(start, PASSED_BOXES.has(type) ? start + BOX_HEADER_BYTES : end);
}
