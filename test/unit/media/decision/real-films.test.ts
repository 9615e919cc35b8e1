// From the bytes of real files to a decision: real ffprobe, the real index readers, exact codec names.

import { expect, test } from "bun:test";
import { systemClock } from "../../../../src/base/clock.ts";
import { codecStringOf } from "../../../../src/media/container/codec-string.ts";
import { readMediaIndex } from "../../../../src/media/container/read-media-index.ts";
import type { ClientCaps } from "../../../../src/media/decision/caps.ts";
import { type Decision, decide } from "../../../../src/media/decision/decide.ts";
import type { MediaSource } from "../../../../src/media/ports.ts";
import { probeFile } from "../../../../src/media/probe/probe-file.ts";
import { withIndex } from "../../../../src/media/probe/with-index.ts";
import { serveFile } from "../../../support/media-http.ts";
import { PlainMediaPrograms } from "../../../support/media-programs.ts";
import { type MediaFileName, mediaFile } from "../../../support/media-samples.ts";
import { chrome, machine, safari } from "./films.ts";

const signal = new AbortController().signal;
const MEDIA_TYPES: Readonly<Record<string, string>> = {
  mp4: "video/mp4",
  m4a: "audio/mp4",
  webm: "video/webm",
};

async function sourceOf(path: string): Promise<MediaSource> {
  const bytes = await Bun.file(path).bytes();
  const read = (at: number, length: number) => Promise.resolve(bytes.slice(at, at + length));
  return { lengthBytes: bytes.length, read };
}

async function decided(name: MediaFileName, caps: ClientCaps): Promise<Decision> {
  const path = await mediaFile(name);
  const served = serveFile(path);
  try {
    const programs = new PlainMediaPrograms();
    const probe = await probeFile({ programs, url: served.url, signal, clock: systemClock });
    const index = await readMediaIndex(await sourceOf(path), signal);
    const mediaType = MEDIA_TYPES[name.split(".").at(-1) ?? ""] ?? "video/x-other";
    const facts = { probe: withIndex(probe, index, codecStringOf), index, mediaType, machine: machine() };
    return decide({ ...facts, caps, quality: "original", audio: null });
  } finally {
    await served.stop();
  }
}

const codesOf = ({ reasons }: Decision) => reasons.map(({ code }) => code).join(" ");
const codec = "ContainerNotSupported VideoCodecNotSupported";

test.each([
  ["main.mp4", "direct", ""],
  ["sound.m4a", "direct", ""],
  ["vp9.webm", "direct", ""],
  ["high.mkv", "remux", "ContainerNotSupported"],
  ["av1.mkv", "remux", "ContainerNotSupported"],
  ["two-audio.mkv", "remux", "ContainerNotSupported SecondaryAudioNotSupported AudioCodecNotSupported"],
  ["hevc.mkv", "transcode", `${codec} AudioCodecNotSupported`],
  ["hdr10.mkv", "transcode", `${codec} VideoRangeTypeNotSupported AudioCodecNotSupported`],
  ["interlaced.ts", "transcode", "ContainerNotSupported InterlacedVideoNotSupported NoIndex"],
  ["xvid.avi", "transcode", `${codec} AudioCodecNotSupported NoIndex`],
] as const)("%s goes to Chrome as %s (%s)", async (name, mode, codes) => {
  const decision = await decided(name, chrome());
  expect([decision.mode, codesOf(decision), decision.isPlayable]).toEqual([mode, codes, true]);
});

test.each(["hevc.mkv", "hdr10.mkv"] as const)("%s goes to Safari with its video copied", async (name) => {
  const decision = await decided(name, safari());
  expect(decision).toMatchObject({ mode: "remux", video: { kind: "copy_video", isHevc: true } });
});

test("a film without a duration is for other players", async () => {
  const decision = await decided("live.mkv", chrome());
  expect([decision.mode, codesOf(decision), decision.isPlayable]).toEqual([
    "direct",
    "ContainerNotSupported DurationUnknown",
    false,
  ]);
});
