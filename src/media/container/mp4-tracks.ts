// `moov`: the movie's own times and its tracks, numbered as ffmpeg numbers its streams (ISO 14496-12 §8).

import { LIMITS } from "../../base/limits.ts";
import type { IndexedTrack, TrackKind } from "../ports.ts";
import { IndexFault } from "./index-fault.ts";
import type { Box } from "./mp4-boxes.ts";
import { readSampleEntry } from "./mp4-sample-entry.ts";

const KIND_OF_HANDLER: ReadonlyMap<string, TrackKind> = new Map([
  ["vide", "video"],
  ["soun", "audio"],
  ["text", "subtitle"],
  ["sbtl", "subtitle"],
  ["subt", "subtitle"],
  ["subp", "subtitle"],
  ["clcp", "subtitle"],
]);

/** A track of these with one sample is a cover. mp4v.6c, mp4v.6d: JPEG and PNG in the clothes of MPEG-4. */
const PICTURE_CODECS: ReadonlySet<string> = new Set(["jpeg", "mjpa", "mjpb", "png ", "mp4v.6c", "mp4v.6d"]);

const DURATION_UNKNOWN_32 = 0xffffffff;
const DURATION_UNKNOWN_64 = 2 ** 64;

export interface Mp4Track extends IndexedTrack {
  readonly id: number;
  /** Ticks per second of the track's own times; 0 where it is not told. */
  readonly timescale: number;
  readonly trak: Box;
}

export interface MovieTimes {
  /** Ticks per second of durations of edits. */
  readonly timescale: number;
  readonly durationSec: number | null;
}

/** mvhd, tkhd, mdhd share this form: two times, for tkhd a track number, a timescale, a duration. */
export function readMovieTimes(moov: Box): MovieTimes {
  const mvhd = moov.child("mvhd");
  if (mvhd === null) return { timescale: 0, durationSec: null };
  const isLong = mvhd.version === 1;
  const timescale = mvhd.u32(isLong ? 20 : 12);
  const ticks = isLong ? mvhd.u64(24) : mvhd.u32(16);
  return { timescale, durationSec: secondsOf(ticks, timescale, isLong) };
}

/** mehd: how long the whole of a fragmented movie is; null where nobody knew when it was begun. */
export function readFragmentedDuration(moov: Box, timescale: number): number | null {
  const mehd = moov.descendant("mvex", "mehd");
  if (mehd === null) return null;
  const isLong = mehd.version === 1;
  return secondsOf(isLong ? mehd.u64(4) : mehd.u32(4), timescale, isLong);
}

/** trex: how long a frame of a fragment lasts where nothing else says so, in ticks of the track. */
export function readFragmentFrameTicks(moov: Box, trackId: number): number {
  const boxes = moov.child("mvex")?.children() ?? [];
  return boxes.find((box) => box.type === "trex" && box.u32(4) === trackId)?.u32(12) ?? 0;
}

function secondsOf(ticks: number, timescale: number, isLong: boolean): number | null {
  const isUnknown = ticks === 0 || ticks === (isLong ? DURATION_UNKNOWN_64 : DURATION_UNKNOWN_32);
  return isUnknown || timescale === 0 ? null : ticks / timescale;
}

export function readMp4Tracks(moov: Box): readonly Mp4Track[] {
  const tracks: Mp4Track[] = [];
  let stream = 0;
  for (const box of moov.children()) {
    // A cover in the tags is a stream of ffmpeg too, and comes before the tracks where the tags do.
    if (box.type === "udta") stream += countCovers(box);
    if (box.type !== "trak") continue;
    if (tracks.length >= LIMITS.mediaIndex.tracks) throw new IndexFault("too_large");
    tracks.push(readTrack(box, stream++));
  }
  return withoutChapters(tracks);
}

function readTrack(trak: Box, stream: number): Mp4Track {
  const tkhd = trak.child("tkhd");
  const mdia = trak.child("mdia");
  const mdhd = mdia?.child("mdhd") ?? null;
  const handler = mdia?.child("hdlr")?.code(8) ?? "";
  const kind = KIND_OF_HANDLER.get(handler) ?? "other";
  const stsd = mdia?.descendant("minf", "stbl", "stsd") ?? null;
  return {
    stream,
    kind,
    ...readSampleEntry(stsd, kind),
    id: tkhd === null ? 0 : tkhd.u32(tkhd.version === 1 ? 20 : 12),
    timescale: mdhd === null ? 0 : mdhd.u32(mdhd.version === 1 ? 20 : 12),
    trak,
  };
}

/** QuickTime chapters are tracks of text and pictures that another track refers to; nobody shows them as such. */
function withoutChapters(tracks: readonly Mp4Track[]): readonly Mp4Track[] {
  const chapterIds = new Set<number>();
  for (const { trak } of tracks) {
    const chap = trak.descendant("tref", "chap");
    for (let at = 0; chap !== null && at + 4 <= chap.lengthBytes; at += 4) chapterIds.add(chap.u32(at));
  }
  return tracks.map((track) => (chapterIds.has(track.id) ? { ...track, kind: "other" } : track));
}

/** iTunes' `covr`: each `data` in it is a picture. */
function countCovers(udta: Box): number {
  const meta = udta.child("meta");
  // A full box in MP4, a plain one in QuickTime files.
  const children =
    meta === null ? [] : meta.children(meta.lengthBytes >= 8 && meta.code(4) === "hdlr" ? 0 : 4);
  const covr = children.find((box) => box.type === "ilst")?.child("covr");
  return covr?.children().filter((box) => box.type === "data").length ?? 0;
}

/** The first video track that is no cover. */
export function filmTrackOf(tracks: readonly Mp4Track[]): Mp4Track | null {
  const video = tracks.filter((track) => track.kind === "video");
  return video.find((track) => !PICTURE_CODECS.has(track.codecId)) ?? video.find(isMoving) ?? null;
}

function isMoving(track: Mp4Track): boolean {
  const stsz = track.trak.descendant("mdia", "minf", "stbl", "stsz");
  return stsz === null || stsz.u32(8) > 1;
}
