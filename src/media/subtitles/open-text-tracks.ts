// The text tracks of a film as readers of cues, opened once per file: what an index says of them is read here.

import { LIMITS } from "../../base/limits.ts";
import { IndexFault } from "../container/index-fault.ts";
import { ID, MatroskaLayout } from "../container/matroska-layout.ts";
import { type MatroskaTrack, readInfo, readTracks } from "../container/matroska-tracks.ts";
import { contentOf, walkBoxes } from "../container/mp4-layout.ts";
import { readMovieTimes, readMp4Tracks } from "../container/mp4-tracks.ts";
import { RangeCache } from "../container/range-cache.ts";
import type { Container, MediaSource } from "../ports.ts";
import type { CueReader } from "./cue-reader.ts";
import { MatroskaCuesReader } from "./matroska-cues-reader.ts";
import { type CueMap, packingOf, readCueMap } from "./matroska-track.ts";
import { Mp4CuesReader } from "./mp4-cues-reader.ts";
import { matroskaDecoder } from "./track-text.ts";

/** By ffmpeg's number of the stream; a track that is missing can be read by ffmpeg alone. */
export type TextTracks = ReadonlyMap<number, CueReader>;

const NO_CUES: CueMap = { pointsOf: new Map(), clusters: [] };

/** A file that is broken has none. Rejects with what the source rejects with, or with the signal's reason. */
export async function openTextTracks(
  source: MediaSource,
  container: Container,
  signal: AbortSignal,
): Promise<TextTracks> {
  try {
    switch (container) {
      case "matroska":
        return await openMatroska(source, signal);
      case "mp4":
        return await openMp4(source, signal);
      case "other":
        return new Map();
    }
  } catch (error) {
    if (error instanceof IndexFault) return new Map();
    throw error;
  }
}

async function openMatroska(source: MediaSource, signal: AbortSignal): Promise<TextTracks> {
  const layout = await MatroskaLayout.read(new RangeCache(source, signal));
  const firstCluster = layout.firstClusterStart;
  const info = await contentOrNull(layout, ID.info, LIMITS.mediaIndex.metadataBytes);
  const content = await contentOrNull(layout, ID.tracks, LIMITS.mediaIndex.metadataBytes);
  if (firstCluster === null || info === null || content === null) return new Map();
  const tracks = readTracks(content).filter((track) => matroskaDecoder(track.codecId, null) !== null);
  if (tracks.length === 0) return new Map();
  const { scaleNs } = readInfo(info);
  const cues = await contentOrNull(layout, ID.cues, LIMITS.mediaIndex.cuesBytes);
  const textTracks = new Set(tracks.map((track) => track.number));
  const scope = {
    scaleNs,
    segmentDataStart: layout.segmentDataStart,
    textTracks,
    pointsMax: LIMITS.subtitles.cuePoints,
  };
  const map = cues === null ? NO_CUES : await readCueMap(cues, scope);
  const readers = new Map<number, CueReader>();
  for (const track of tracks) {
    const reader = matroskaReader(track, content, { source, scaleNs, map, firstCluster });
    if (reader !== null) readers.set(track.stream, reader);
  }
  return readers;
}

interface MatroskaFile {
  readonly source: MediaSource;
  readonly scaleNs: number;
  readonly map: CueMap;
  readonly firstCluster: number;
}

function matroskaReader(track: MatroskaTrack, tracks: Uint8Array, file: MatroskaFile): CueReader | null {
  const packing = packingOf(tracks, track.number);
  const decode = matroskaDecoder(track.codecId, track.codecPrivate);
  if (decode === null || packing.kind === "unknown") return null;
  return new MatroskaCuesReader({ ...file, number: track.number, packing, decode });
}

async function contentOrNull(
  layout: MatroskaLayout,
  id: number,
  limitBytes: number,
): Promise<Uint8Array | null> {
  const element = await layout.find(id);
  return element === null || element === "misplaced" ? null : await layout.contentOf(element, limitBytes);
}

async function openMp4(source: MediaSource, signal: AbortSignal): Promise<TextTracks> {
  const cache = new RangeCache(source, signal);
  const boxes = await walkBoxes(cache, 0, (box) => box.type === "moov");
  const placed = boxes.at(-1);
  if (placed?.type !== "moov") return new Map();
  const moov = await contentOf(cache, placed, LIMITS.mediaIndex.moovBytes);
  const { timescale } = readMovieTimes(moov);
  const readers = new Map<number, CueReader>();
  if (moov.child("mvex") !== null) return readers;
  for (const track of readMp4Tracks(moov)) {
    const reader = track.kind === "subtitle" ? Mp4CuesReader.of(source, track, timescale) : null;
    if (reader !== null) readers.set(track.stream, reader);
  }
  return readers;
}
