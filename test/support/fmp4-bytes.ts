// Fragmented MP4 as a muxer would write it, put together by hand.

import { box, bytesOf, fullBox, type Part, u16, u32, u64 } from "./media-bytes.ts";

export interface InitOptions {
  readonly trackId?: number;
  readonly timescale?: number;
  readonly handler?: "vide" | "soun";
  /** Type of the sample entry, and what is in it behind the fixed fields. */
  readonly entry?: string;
  readonly inner?: Part;
  /** Version of tkhd and mdhd: 0 or 1. */
  readonly version?: 0 | 1;
  /** Of trex: duration, size, flags. */
  readonly defaults?: readonly [number, number, number];
}

/** ftyp and moov of one track. */
export function initBytes(options: InitOptions = {}): Uint8Array {
  return bytesOf(box("ftyp", "iso5", u32(512), "iso5iso6mp41"), moovBytes(options));
}

export function moovBytes(options: InitOptions = {}): Uint8Array {
  const trackId = options.trackId ?? 1;
  return box("moov", box("mvhd", new Uint8Array(100)), trak(options, trackId), mvex(options, trackId));
}

function trak(options: InitOptions, trackId: number): Uint8Array {
  const version = options.version ?? 0;
  const times = version === 1 ? u64(0, 0) : u32(0, 0);
  const entry = box(options.entry ?? "avc1", new Uint8Array(78), options.inner ?? []);
  return box(
    "trak",
    fullBox("tkhd", version, times, u32(trackId), new Uint8Array(72)),
    box(
      "mdia",
      fullBox("mdhd", version, times, u32(options.timescale ?? 1000), u32(0), u16(0, 0)),
      fullBox("hdlr", 0, u32(0), options.handler ?? "vide", new Uint8Array(13)),
      box("minf", box("stbl", fullBox("stsd", 0, u32(1), entry))),
    ),
  );
}

function mvex(options: InitOptions, trackId: number): Uint8Array {
  const [duration, size, flags] = options.defaults ?? [0, 0, 0];
  return box("mvex", fullBox("trex", 0, u32(trackId, 1, duration, size, flags)));
}

export interface FrameOptions {
  readonly pts: number;
  readonly dts?: number;
  readonly duration?: number;
  readonly isSync?: boolean;
  readonly bytes?: Uint8Array;
}

/** One frame as a fragment of its own, as ffmpeg writes with frag_every_frame. */
export function frameBytes(frame: FrameOptions): Uint8Array {
  const dts = frame.dts ?? frame.pts;
  const data = frame.bytes ?? new Uint8Array([frame.pts & 0xff]);
  const flags = (frame.isSync ?? true) ? 0x02000000 : 0x01010000;
  const moof = (offset: number) =>
    box(
      "moof",
      fullBox("mfhd", 0, u32(1)),
      box(
        "traf",
        box("tfhd", u32(0x020000, 1)),
        fullBox("tfdt", 1, u64(dts)),
        box(
          "trun",
          u32(0x01000f01, 1, offset),
          u32(frame.duration ?? 1000, data.length, flags, frame.pts - dts),
        ),
      ),
    );
  return bytesOf(moof(moof(0).length + 8), box("mdat", data));
}
