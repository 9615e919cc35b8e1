// What makes H.264 of the filtered pictures: x264, or hardware. Decoding and filters always run in software: one way
// for every source, and only the encoder differs.

import type { VideoEncoder } from "../ports.ts";
import { number, renderDevice } from "./argument.ts";
import type { EncodeVideo } from "./run-job.ts";

/** What must stand before the input. */
export function encoderDevice(encoder: VideoEncoder): string[] {
  switch (encoder.kind) {
    case "x264":
    case "nvenc":
      return [];
    case "vaapi":
      return ["-init_hw_device", `vaapi=va:${renderDevice(encoder.device)}`, "-filter_hw_device", "va"];
    case "qsv": {
      const device = `vaapi=va:${renderDevice(encoder.device)}`;
      return ["-init_hw_device", device, "-init_hw_device", "qsv=qs@va", "-filter_hw_device", "qs"];
    }
  }
}

/** The last of the filters: 8-bit 4:2:0, in the encoder's memory where it has one of its own. */
export function uploadFilters(encoder: VideoEncoder): string[] {
  switch (encoder.kind) {
    case "x264":
    case "nvenc":
      return ["format=yuv420p"];
    case "vaapi":
      return ["format=nv12", "hwupload"];
    case "qsv":
      return ["format=nv12", "hwupload=extra_hw_frames=64"];
  }
}

/** -g is far away where forced key frames are kept to, and near where an encoder may miss one. */
export function encoderArguments(work: EncodeVideo): string[] {
  const bits = bitsPerSec(work);
  const rate = ["-maxrate", number(bits), "-bufsize", number(2 * bits)];
  const average = ["-b:v", number(Math.round(bits * 0.7))];
  const near = ["-g", number(Math.round(2 * Math.max(1, Math.min(120, work.track.framesPerSec ?? 30))))];
  switch (work.encoder.kind) {
    case "x264":
      return [
        ...["-c:v", "libx264", "-preset", "veryfast", "-crf", "23", ...rate, "-profile:v", "high"],
        ...["-sc_threshold", "0", "-forced-idr", "1", "-g", "10000", "-keyint_min", "1"],
        ...["-x264-params", "rc-lookahead=10"],
      ];
    case "nvenc":
      return [
        ...["-c:v", "h264_nvenc", "-preset", "p4", "-rc", "vbr", "-cq", "23", ...average, ...rate],
        ...["-profile:v", "high", "-no-scenecut", "1", "-forced-idr", "1", ...near],
      ];
    case "vaapi":
      return ["-c:v", "h264_vaapi", "-rc_mode", "VBR", ...average, ...rate, "-profile:v", "high", ...near];
    case "qsv":
      return [
        ...["-c:v", "h264_qsv", "-preset", "veryfast", ...average, ...rate, "-profile:v", "high"],
        ...["-forced_idr", "1", "-adaptive_i", "0", "-bf", "0", ...near],
      ];
  }
}

/** A ceiling, for the size of picture that comes out. */
function bitsPerSec({ making, track }: EncodeVideo): number {
  const height = Math.min(making.heightLimit ?? track.height, track.height);
  if (height <= 480) return 2_000_000;
  if (height <= 720) return 4_000_000;
  if (height <= 1080) return 8_000_000;
  return 16_000_000;
}
