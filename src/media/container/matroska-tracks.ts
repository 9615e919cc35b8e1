// Info and Tracks of a Matroska file (RFC 9559 §5.1.2, §5.1.4).

import { LIMITS } from "../../base/limits.ts";
import type { IndexedTrack, TrackKind } from "../ports.ts";
import { ElementCursor } from "./ebml.ts";
import { keptPrivate } from "./index-draft.ts";
import { broken, IndexFault } from "./index-fault.ts";

const TIMESTAMP_SCALE = 0x2ad7b1;
const DURATION = 0x4489;
const TRACK_ENTRY = 0xae;
const TRACK_NUMBER = 0xd7;
const TRACK_TYPE = 0x83;
const CODEC_ID = 0x86;
const CODEC_PRIVATE = 0x63a2;

const DEFAULT_SCALE_NS = 1_000_000;
const NS_PER_SEC = 1e9;

/** METADATA tracks are streams of ffmpeg too; of every other type it knows nothing and does not count them. */
const KIND_OF_TYPE: ReadonlyMap<number, TrackKind> = new Map([
  [1, "video"],
  [2, "audio"],
  [0x11, "subtitle"],
  [0x21, "other"],
]);

/** Pictures that move once: covers which some writers add as tracks. */
const PICTURE_CODECS: ReadonlySet<string> = new Set(["V_MJPEG", "V_PNG"]);

export interface MatroskaTrack extends IndexedTrack {
  /** What Cues and blocks call it. */
  readonly number: number;
}

export interface MatroskaInfo {
  readonly scaleNs: number;
  readonly durationSec: number | null;
}

export function readInfo(content: Uint8Array): MatroskaInfo {
  const cursor = new ElementCursor(content);
  let scaleNs = DEFAULT_SCALE_NS;
  let duration: number | null = null;
  while (cursor.next()) {
    if (cursor.id === TIMESTAMP_SCALE) scaleNs = cursor.uint();
    if (cursor.id === DURATION) duration = cursor.float();
  }
  if (scaleNs <= 0) throw broken();
  const durationSec = duration === null ? null : (duration * scaleNs) / NS_PER_SEC;
  const isTold = durationSec !== null && Number.isFinite(durationSec) && durationSec > 0;
  return { scaleNs, durationSec: isTold ? durationSec : null };
}

/** Numbered as ffmpeg numbers them: those with a type that it knows and a codec, in their order. */
export function readTracks(content: Uint8Array): readonly MatroskaTrack[] {
  const cursor = new ElementCursor(content);
  const tracks: MatroskaTrack[] = [];
  while (cursor.next()) {
    if (cursor.id !== TRACK_ENTRY) continue;
    const track = readTrack(cursor.children(), tracks.length);
    if (track !== null) tracks.push(track);
    if (tracks.length > LIMITS.mediaIndex.tracks) throw new IndexFault("too_large");
  }
  return tracks;
}

function readTrack(cursor: ElementCursor, stream: number): MatroskaTrack | null {
  let number = 0;
  let type = 0;
  let codecId = "";
  let codecPrivate: Uint8Array | null = null;
  while (cursor.next()) {
    if (cursor.id === TRACK_NUMBER) number = cursor.uint();
    if (cursor.id === TRACK_TYPE) type = cursor.uint();
    if (cursor.id === CODEC_ID) codecId = cursor.text();
    if (cursor.id === CODEC_PRIVATE) codecPrivate = keptPrivate(cursor.data());
  }
  const kind = KIND_OF_TYPE.get(type);
  if (kind === undefined || codecId === "") return null;
  return { stream, kind, codecId, codecPrivate, number };
}

/** The first video track that is no cover picture. */
export function filmTrackOf(tracks: readonly MatroskaTrack[]): MatroskaTrack | null {
  const video = tracks.filter((track) => track.kind === "video");
  return video.find((track) => !PICTURE_CODECS.has(track.codecId)) ?? video[0] ?? null;
}
