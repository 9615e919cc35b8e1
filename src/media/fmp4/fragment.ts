// A movie fragment (moof + mdat) as a table of samples with their bytes, and what can be said of it as a whole.
// Times are ticks of the track's timescale.

import { type Box, BoxCursor, boxesIn, brokenMp4, needBox } from "./box-cursor.ts";
import type { InitTrack, SampleDefaults } from "./init-facts.ts";

export interface Sample {
  /** Decoding time. */
  readonly dts: number;
  /** Presentation time. */
  readonly pts: number;
  readonly duration: number;
  /** Decoding can start here. */
  readonly isSync: boolean;
  readonly bytes: Uint8Array;
}

export interface TrackFragment {
  readonly trackId: number;
  /** tfdt: decoding time of the first sample; negative where the muxer wrote a time before 0. */
  readonly baseTime: number;
  readonly samples: readonly Sample[];
}

export interface FragmentFacts {
  readonly firstPts: number;
  /** Presentation time of the first sync sample; null without one. */
  readonly keyframePts: number | null;
  /** Below firstPts in an open GOP. */
  readonly minPts: number;
  /** The first sample is a sync sample. */
  readonly startsWithSync: boolean;
  /** Σ of the samples' durations. */
  readonly duration: number;
}

interface TrackHeader extends SampleDefaults {
  readonly trackId: number;
}

interface Place {
  /** Bytes of the fragment: moof, then mdat. */
  readonly mdat: Uint8Array;
  /** What a data offset counts from, in bytes before the mdat's first byte. */
  readonly moofBytes: number;
}

const BASE_DATA_OFFSET = 0x1;
const SAMPLE_DESCRIPTION = 0x2;
const DEFAULT_DURATION = 0x8;
const DEFAULT_SIZE = 0x10;
const DEFAULT_FLAGS = 0x20;
const RUN_DATA_OFFSET = 0x1;
const RUN_FIRST_FLAGS = 0x4;
const RUN_DURATION = 0x100;
const RUN_SIZE = 0x200;
const RUN_FLAGS = 0x400;
const RUN_COMPOSITION = 0x800;
const IS_NON_SYNC = 0x10000;
/** A run may say of samples without bytes that there are any number. */
const RUN_SAMPLES_MAX = 100_000;

/** `moof` and `mdat` are whole boxes that followed each other, of a file where a moof's start is the base of offsets. */
export function readFragment(
  moof: Uint8Array,
  mdat: Uint8Array,
  tracks: readonly InitTrack[],
): readonly TrackFragment[] {
  const root = needBox(moof, ["moof"], { from: 0, to: moof.length });
  const fragments: TrackFragment[] = [];
  for (const box of boxesIn(moof, root.bodyStart, root.end)) {
    if (box.type === "traf") fragments.push(readTraf(moof, box, { mdat, moofBytes: moof.length }, tracks));
  }
  return fragments;
}

/** What is known of a fragment as a whole. It has at least one sample. */
export function factsOf(samples: readonly Sample[]): FragmentFacts {
  const [first] = samples;
  if (first === undefined) throw brokenMp4("a fragment without samples");
  return {
    firstPts: first.pts,
    keyframePts: samples.find((sample) => sample.isSync)?.pts ?? null,
    minPts: samples.reduce((least, { pts }) => Math.min(least, pts), first.pts),
    startsWithSync: first.isSync,
    duration: samples.reduce((sum, { duration }) => sum + duration, 0),
  };
}

function readTraf(moof: Uint8Array, traf: Box, place: Place, tracks: readonly InitTrack[]): TrackFragment {
  const within = { from: traf.bodyStart, to: traf.end };
  const header = readTrackHeader(moof, needBox(moof, ["tfhd"], within), tracks);
  const baseTime = readBaseTime(moof, needBox(moof, ["tfdt"], within));
  const samples: Sample[] = [];
  let dts = baseTime;
  for (const box of boxesIn(moof, traf.bodyStart, traf.end)) {
    if (box.type !== "trun") continue;
    for (const sample of readRun(moof, box, { header, place, dts })) {
      samples.push(sample);
      dts = sample.dts + sample.duration;
    }
  }
  return { trackId: header.trackId, baseTime, samples };
}

function readTrackHeader(moof: Uint8Array, tfhd: Box, tracks: readonly InitTrack[]): TrackHeader {
  const cursor = new BoxCursor(moof, tfhd.bodyStart, tfhd.end);
  const flags = cursor.u32() & 0xffffff;
  const trackId = cursor.u32();
  const defaults = tracks.find((track) => track.trackId === trackId)?.defaults;
  if (defaults === undefined) throw brokenMp4(`a fragment of an unknown track ${trackId}`);
  if ((flags & BASE_DATA_OFFSET) !== 0) throw brokenMp4("offsets from the start of the file");
  if ((flags & SAMPLE_DESCRIPTION) !== 0) cursor.skip(4);
  return {
    trackId,
    duration: (flags & DEFAULT_DURATION) !== 0 ? cursor.u32() : defaults.duration,
    size: (flags & DEFAULT_SIZE) !== 0 ? cursor.u32() : defaults.size,
    flags: (flags & DEFAULT_FLAGS) !== 0 ? cursor.u32() : defaults.flags,
  };
}

/** Unsigned by the book; a time before 0 comes as its two's complement. */
function readBaseTime(moof: Uint8Array, tfdt: Box): number {
  const cursor = new BoxCursor(moof, tfdt.bodyStart, tfdt.end);
  const version = cursor.u32() >>> 24;
  return version === 1 ? cursor.i64() : cursor.u32();
}

function* readRun(
  moof: Uint8Array,
  trun: Box,
  at: { readonly header: TrackHeader; readonly place: Place; readonly dts: number },
): Generator<Sample> {
  const cursor = new BoxCursor(moof, trun.bodyStart, trun.end);
  const flags = cursor.u32() & 0xffffff;
  const count = cursor.u32();
  if (count > RUN_SAMPLES_MAX) throw brokenMp4(`a run of ${count} samples`);
  if ((flags & RUN_DATA_OFFSET) === 0) throw brokenMp4("a run of samples without an offset");
  let byteAt = cursor.i32() - at.place.moofBytes;
  const firstFlags = (flags & RUN_FIRST_FLAGS) !== 0 ? cursor.u32() : null;
  let dts = at.dts;
  for (let i = 0; i < count; i++) {
    const duration = (flags & RUN_DURATION) !== 0 ? cursor.u32() : at.header.duration;
    const size = (flags & RUN_SIZE) !== 0 ? cursor.u32() : at.header.size;
    const ownFlags = (flags & RUN_FLAGS) !== 0 ? cursor.u32() : at.header.flags;
    const sampleFlags = i === 0 && firstFlags !== null ? firstFlags : ownFlags;
    // Signed in version 1; a muxer that writes negative offsets in version 0 means the same.
    const composition = (flags & RUN_COMPOSITION) !== 0 ? cursor.i32() : 0;
    if (byteAt < 0 || byteAt + size > at.place.mdat.length) throw brokenMp4("a sample outside its mdat");
    yield {
      dts,
      pts: dts + composition,
      duration,
      isSync: (sampleFlags & IS_NON_SYNC) === 0,
      bytes: at.place.mdat.subarray(byteAt, byteAt + size),
    };
    dts += duration;
    byteAt += size;
  }
}
