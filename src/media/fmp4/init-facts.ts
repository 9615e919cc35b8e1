// What an init segment (ftyp + moov without samples) tells of its tracks.

import { type Box, BoxCursor, boxesIn, brokenMp4, findBox, needBox } from "./box-cursor.ts";

/** Values of trex that hold for a sample where the fragment names none. */
export interface SampleDefaults {
  readonly duration: number;
  readonly size: number;
  readonly flags: number;
}

export interface InitTrack {
  readonly trackId: number;
  /** Ticks per second. */
  readonly timescale: number;
  /** "vide", "soun" … */
  readonly handler: string;
  /** The sample entry's type: "avc1", "hvc1", "mp4a" … */
  readonly entry: string;
  /** Contents of avcC or hvcC; null for anything else. */
  readonly codecPrivate: Uint8Array | null;
  readonly defaults: SampleDefaults;
}

/** Bytes of a visual sample entry before its inner boxes (ISO/IEC 14496-12 §12.1.3). */
const VISUAL_ENTRY_BYTES = 78;

export function readInit(init: Uint8Array): readonly InitTrack[] {
  const moov = needBox(init, ["moov"], { from: 0, to: init.length });
  const tracks: InitTrack[] = [];
  for (const box of boxesIn(init, moov.bodyStart, moov.end)) {
    if (box.type === "trak") tracks.push(readTrack(init, box, moov));
  }
  return tracks;
}

/** The one track of an init segment that a run makes. */
export function onlyTrack(init: Uint8Array): InitTrack {
  const [track, ...others] = readInit(init);
  if (track === undefined || others.length > 0) throw brokenMp4("not exactly one track");
  return track;
}

function readTrack(init: Uint8Array, trak: Box, moov: Box): InitTrack {
  const inside = (box: Box) => ({ from: box.bodyStart, to: box.end });
  const header = needBox(init, ["tkhd"], inside(trak));
  const mediaHeader = needBox(init, ["mdia", "mdhd"], inside(trak));
  const handler = cursorIn(init, needBox(init, ["mdia", "hdlr"], inside(trak)));
  handler.skip(8);
  const trackId = afterTimes(init, header);
  const timescale = afterTimes(init, mediaHeader);
  if (timescale === 0) throw brokenMp4("a timescale of 0");
  return {
    trackId,
    timescale,
    handler: handler.fourCc(),
    ...readEntry(init, needBox(init, ["mdia", "minf", "stbl", "stsd"], inside(trak))),
    defaults: readDefaults(init, moov, trackId),
  };
}

/** The number behind creation and modification time: a track's id in tkhd, the timescale in mdhd. */
function afterTimes(init: Uint8Array, box: Box): number {
  const cursor = cursorIn(init, box);
  const version = cursor.u8();
  cursor.skip(version === 1 ? 3 + 16 : 3 + 8);
  return cursor.u32();
}

function readEntry(init: Uint8Array, stsd: Box): { entry: string; codecPrivate: Uint8Array | null } {
  const [entry] = boxesIn(init, stsd.bodyStart + 8, stsd.end);
  if (entry === undefined) throw brokenMp4("no sample entry");
  const within = { from: entry.bodyStart + VISUAL_ENTRY_BYTES, to: entry.end };
  const name = /^avc\d$/.test(entry.type) ? "avcC" : /^(hvc1|hev1)$/.test(entry.type) ? "hvcC" : null;
  const box = name === null ? null : findBox(init, [name], within);
  return {
    entry: entry.type,
    codecPrivate: box === null ? null : init.slice(box.bodyStart, box.end),
  };
}

function readDefaults(init: Uint8Array, moov: Box, trackId: number): SampleDefaults {
  const mvex = findBox(init, ["mvex"], { from: moov.bodyStart, to: moov.end });
  for (const box of mvex === null ? [] : boxesIn(init, mvex.bodyStart, mvex.end)) {
    if (box.type !== "trex") continue;
    const cursor = cursorIn(init, box);
    cursor.skip(4);
    if (cursor.u32() !== trackId) continue;
    cursor.skip(4);
    return { duration: cursor.u32(), size: cursor.u32(), flags: cursor.u32() };
  }
  return { duration: 0, size: 0, flags: 0 };
}

function cursorIn(bytes: Uint8Array, box: Box): BoxCursor {
  return new BoxCursor(bytes, box.bodyStart, box.end);
}
