// Command lines that try an encoder on three black frames, and whether what came out is H.264. ffmpeg lists encoders
// that have no device, and devices refuse what their drivers claim: only a picture is proof.

import type { VideoEncoder } from "../ports.ts";

const QUIET = ["-nostdin", "-hide_banner", "-loglevel", "error"];
const FRAMES = ["-frames:v", "3"];
/** Annex B to stdout. */
const OUTPUT = ["-f", "h264", "pipe:1"];
const SEQUENCE_PARAMETERS = 7;
const KEY_PICTURE = 5;

/** ffmpeg's names, as in `ffmpeg -encoders`. */
export const ENCODER_NAMES: Readonly<Record<VideoEncoder["kind"], string>> = {
  x264: "libx264",
  nvenc: "h264_nvenc",
  vaapi: "h264_vaapi",
  qsv: "h264_qsv",
};

export function testEncodeArgv(encoder: VideoEncoder): readonly string[] {
  return [...QUIET, ...deviceOptions(encoder), ...picture(), ...FRAMES, ...codecOptions(encoder), ...OUTPUT];
}

function deviceOptions(encoder: VideoEncoder): readonly string[] {
  switch (encoder.kind) {
    case "vaapi":
      return ["-vaapi_device", encoder.device];
    case "qsv":
      return [
        "-init_hw_device",
        `vaapi=va:${encoder.device}`,
        "-init_hw_device",
        "qsv=hw@va",
        "-filter_hw_device",
        "hw",
      ];
    case "nvenc":
    case "x264":
      return [];
  }
}

function picture(): readonly string[] {
  return ["-f", "lavfi", "-i", "nullsrc=size=256x256:rate=25"];
}

function codecOptions({ kind }: VideoEncoder): readonly string[] {
  const codec = ["-c:v", ENCODER_NAMES[kind]];
  if (kind === "vaapi") return ["-vf", "format=nv12,hwupload", ...codec];
  if (kind === "qsv") return ["-vf", "format=nv12,hwupload=extra_hw_frames=16", ...codec];
  return ["-pix_fmt", "yuv420p", ...codec];
}

/** Holds parameters and a key picture (H.264 §7.4.1). */
export function isH264(bytes: Uint8Array): boolean {
  const kinds = new Set<number>();
  for (let at = 0; at + 3 < bytes.length; at++) {
    if (bytes[at] === 0 && bytes[at + 1] === 0 && bytes[at + 2] === 1) kinds.add((bytes[at + 3] ?? 0) & 0x1f);
  }
  return kinds.has(SEQUENCE_PARAMETERS) && kinds.has(KEY_PICTURE);
}
