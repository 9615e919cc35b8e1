import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { codecStringOf } from "../../../../src/media/container/codec-string.ts";
import {
  expectAllKeyframes,
  indexOf,
  keyPackets,
  MKV_TOLERANCE_SEC,
  MP4_TOLERANCE_SEC,
} from "../../../support/index-oracle.ts";
import { bytesOf, fullBox, u32, u64 } from "../../../support/media-bytes.ts";
import { cutShort, ffmpeg, makeCover, makeFilm, packetsOf, remux } from "../../../support/media-files.ts";

const PAGE = 64 * 1024;
let folder = "";
/** Irregular key frames, B-frames, two audio tracks, SRT and ASS. */
let film = "";
let openGop = "";

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "torrx-container-"));
  film = await makeFilm(folder, {
    name: "film.mkv",
    size: "160x90",
    audio: [{ language: "eng" }, { codec: "ac3", channels: 6, language: "ger" }],
    subtitles: [{ codec: "srt" }, { codec: "ass" }],
  });
  openGop = await makeFilm(folder, { name: "open.mkv", size: "160x90", openGopFrames: 30 });
}, 60_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** MP4 takes neither SRT nor ASS. */
function copy(name: string, flags: readonly string[] = [], source = film): Promise<string> {
  return remux(source, join(folder, name), ["-map", "-0:s", ...flags]);
}

async function trackTimescale(path: string): Promise<number> {
  const bytes = await Bun.file(path).bytes();
  return Buffer.from(bytes).readUInt32BE(Buffer.from(bytes).indexOf("mdhd") + 16);
}

/** Replaces the edit list of the first track; moov is the last box. */
function withEdits(bytes: Buffer, edits: readonly (readonly [number, number])[]): Uint8Array {
  const at = bytes.indexOf("elst") - 4;
  const old = bytes.readUInt32BE(at);
  const entries = edits.map(([duration, media]) => u32(duration, media, 0x10000));
  const elst = fullBox("elst", 0, u32(edits.length), ...entries);
  for (const parent of ["moov", "trak", "edts"]) {
    const size = bytes.indexOf(parent) - 4;
    bytes.writeUInt32BE(bytes.readUInt32BE(size) + elst.length - old, size);
  }
  return bytesOf(bytes.subarray(0, at), elst, bytes.subarray(at + old));
}

describe("MP4 and MOV files of ffmpeg", () => {
  test("moov at the end costs the headers and moov, key frames are exact", async () => {
    const path = await copy("end.mp4");
    const index = await expectAllKeyframes(path, MP4_TOLERANCE_SEC);
    expect(index.container).toBe("mp4");
    expect(index.tracks.map(({ stream, kind, codecId }) => [stream, kind, codecId])).toEqual([
      [0, "video", "avc1"],
      [1, "audio", "mp4a"],
      [2, "audio", "ac-3"],
    ]);
    expect(index.tracks.map(codecStringOf)).toEqual([
      expect.stringMatching(/^avc1\.4d40/),
      "mp4a.40.2",
      "ac-3",
    ]);
    expect(index.durationSec).toBeCloseTo(8.03, 1);
    const [head, moov] = index.headBytes;
    const moovBytes = (moov?.end ?? 0) - (moov?.start ?? 0);
    expect(index.source.requests.length).toBeLessThanOrEqual(3);
    expect(index.source.readBytes).toBeLessThanOrEqual(moovBytes + 3 * PAGE);
    expect(head?.start).toBe(0);
    expect(moov?.end).toBe(statSync(path).size);
  });

  test("positions are those of the samples", async () => {
    const path = await copy("places.mp4");
    const index = await indexOf(path);
    const positions = (await keyPackets(path)).map((packet) => packet.positionBytes);
    expect(Array.from(index.keyframes?.positionsBytes ?? [])).toEqual(positions);
  });

  test("moov in front costs one request", async () => {
    const index = await expectAllKeyframes(
      await copy("front.mp4", ["-movflags", "+faststart"]),
      MP4_TOLERANCE_SEC,
    );
    expect(index.source.requests.length).toBe(1);
    expect(index.headBytes).toHaveLength(1);
  });

  test.each([
    ["MOV", "plain.mov", []],
    ["negative composition offsets", "negative.mp4", ["-movflags", "+negative_cts_offsets"]],
    ["no edit list", "no-edits.mp4", ["-use_editlist", "0"]],
    ["a later start", "later.mp4", ["-output_ts_offset", "2.5"]],
    ["another time scale", "scale.mp4", ["-video_track_timescale", "90000"]],
  ] as const)("%s", async (_what, name, flags) => {
    await expectAllKeyframes(await copy(name, flags), MP4_TOLERANCE_SEC);
  });

  test("an empty edit delays a track as far as ffmpeg delays it", async () => {
    const path = join(folder, "delayed.mp4");
    const twice = ["-i", film, "-itsoffset", "1.5", "-i", film];
    await ffmpeg([...twice, "-map", "0:a:0", "-map", "1:v", "-c", "copy", path]);
    const index = await expectAllKeyframes(path, MP4_TOLERANCE_SEC);
    expect(index.keyframes?.timesSec[0]).toBeGreaterThan(1.5);
    expect(index.tracks.map((track) => track.kind)).toEqual(["audio", "video"]);
  });

  test("an edit that begins between key frames keeps the one that is needed, before zero", async () => {
    const path = join(folder, "trimmed.mp4");
    await ffmpeg(["-ss", "1.7", "-i", film, "-map", "0:v", "-map", "0:a", "-c", "copy", path]);
    const index = await expectAllKeyframes(path, MP4_TOLERANCE_SEC);
    const [first] = (await packetsOf(path)).filter((packet) => packet.isKey);
    expect(first?.isDiscarded).toBe(true);
    expect(index.keyframes?.timesSec[0]).toBeCloseTo(first?.ptsSec ?? Number.NaN, 5);
    expect(index.keyframes?.timesSec[0]).toBeLessThan(0);
  });

  test("several edits are joined as ffmpeg joins them", async () => {
    const source = await copy("to-edit.mp4", ["-map", "0:v"]);
    // In milliseconds of the movie, and in ticks of the film's track, which counts 1/24000 s or 1/16000 s.
    const ticks = (await trackTimescale(source)) / 1000;
    const path = join(folder, "edited.mp4");
    for (const edits of [
      [
        [2000, 1500],
        [3000, 4500],
      ],
      [
        [700, -1],
        [1200, 83],
        [2500, 5000],
      ],
      [[3000, 2345]],
      [
        [1000, 1100],
        [1000, 2300],
        [1000, 5100],
      ],
    ] as const) {
      const inTicks = edits.map(([ms, media]) => [ms, media < 0 ? -1 : Math.round(media * ticks)] as const);
      writeFileSync(path, withEdits(readFileSync(source), inTicks));
      await expectAllKeyframes(path, MP4_TOLERANCE_SEC);
    }
  });

  test("a size of eight bytes in front of the frames", async () => {
    const path = await copy("large.mp4");
    const bytes = readFileSync(path);
    // The muxer leaves an empty box for it.
    const free = bytes.indexOf("free") - 4;
    const mdatBytes = bytes.readUInt32BE(free + 8);
    bytes.set(bytesOf(u32(1), "mdat", u64(mdatBytes + 8)), free);
    writeFileSync(path, bytes);
    await expectAllKeyframes(path, MP4_TOLERANCE_SEC);
  });

  test("open groups of pictures are found as they are", async () => {
    await expectAllKeyframes(await copy("open.mp4", [], openGop), MP4_TOLERANCE_SEC);
  });

  test("HEVC of ten bits with open groups", async () => {
    const path = await makeFilm(folder, {
      name: "hevc.mkv",
      video: "hevc",
      size: "160x90",
      openGopFrames: 24,
    });
    const matroska = await expectAllKeyframes(path, MKV_TOLERANCE_SEC);
    const mp4 = await expectAllKeyframes(await copy("hevc.mp4", [], path), MP4_TOLERANCE_SEC);
    const name = codecStringOf(matroska.tracks[0] ?? expect.unreachable());
    expect(name).toMatch(/^hvc1\.2\.4\.L\d+\.90$/);
    expect(mp4.tracks.map(codecStringOf)[0]).toBe(name);
  }, 30_000);

  test("sound of every kind is named, with what sets its decoder up", async () => {
    const codecs = ["aac", "ac3", "eac3", "mp3", "opus", "flac"] as const;
    const audio = codecs.map((codec) => ({ codec }));
    const names = ["mp4a.40.2", "ac-3", "ec-3", "mp4a.6B", "Opus", "fLaC"];
    const path = await makeFilm(folder, {
      name: "sounds.mp4",
      video: "none",
      durationSec: 1,
      audio,
      flags: ["-strict", "-2"],
    });
    const index = await indexOf(path);
    expect(index.tracks.map(codecStringOf)).toEqual(names);
    expect(index.tracks.map((track) => track.codecPrivate !== null)).toEqual(
      names.map((name) => name !== "mp4a.6B"),
    );
    // QuickTime's sound descriptions are longer, and wrap esds.
    const mov = await indexOf(await copy("sound.mov"));
    expect(mov.tracks.map(codecStringOf)).toEqual([expect.stringMatching(/^avc1/), "mp4a.40.2", "ac-3"]);
    const matroska = await indexOf(await remux(path, join(folder, "sounds.mkv")));
    expect(matroska.tracks.map(codecStringOf)).toEqual(names);
  });

  test("AV1", async () => {
    const path = await makeFilm(folder, { name: "av1.mp4", video: "av1", size: "160x90", durationSec: 3 });
    const index = await expectAllKeyframes(path, MP4_TOLERANCE_SEC);
    expect(index.tracks.map(codecStringOf)).toEqual(["av01.0.00M.08", "mp4a.40.2"]);
  }, 30_000);

  test("frames of no regular beat keep their own times", async () => {
    const path = await makeFilm(folder, { name: "vfr.mkv", size: "160x90", isVariableRate: true });
    await expectAllKeyframes(path, MKV_TOLERANCE_SEC);
    await expectAllKeyframes(await copy("vfr.mp4", [], path), MP4_TOLERANCE_SEC);
  });

  test("where every frame is a key frame, some of them are told, all true", async () => {
    const path = join(folder, "intra.mov");
    await ffmpeg(["-i", film, "-map", "0:v", "-c:v", "mjpeg", path]);
    const index = await indexOf(path);
    const told = (await packetsOf(path)).map((packet) => packet.ptsSec);
    const times = Array.from(index.keyframes?.timesSec ?? []);
    expect(times.length).toBeWithin(10, 18);
    for (const time of times)
      expect(told.some((pts) => Math.abs(pts - time) <= MP4_TOLERANCE_SEC)).toBe(true);
    for (const [i, time] of times.slice(1).entries())
      expect(time - (times[i] ?? 0)).toBeGreaterThanOrEqual(0.5);
  });

  test("an attached cover is no film, and no track of the file", async () => {
    const cover = await makeCover(folder);
    const path = join(folder, "cover.mp4");
    const pictures = ["-disposition:v:0", "attached_pic"];
    await ffmpeg([
      "-i",
      cover,
      "-i",
      film,
      "-map",
      "0",
      "-map",
      "1:v",
      "-map",
      "1:a",
      "-c",
      "copy",
      ...pictures,
      path,
    ]);
    const index = await expectAllKeyframes(path, MP4_TOLERANCE_SEC);
    expect(index.tracks.map((track) => track.kind)).toEqual(["video", "audio", "audio"]);
  });

  test("a cover that is a track of one picture is passed over", async () => {
    const cover = await makeCover(folder);
    const path = join(folder, "cover-track.mov");
    await ffmpeg(["-i", cover, "-i", film, "-map", "0", "-map", "1:v", "-c", "copy", path]);
    const index = await indexOf(path);
    expect(index.tracks.map(({ codecId }) => codecId)).toEqual(["jpeg", "avc1"]);
    expect(index.keyframes?.timesSec.length).toBe((await keyPackets(film)).length);
  });

  test("a file that ends before its moov is broken", async () => {
    const path = await copy("whole.mp4");
    for (const share of [0.001, 0.3, 0.99, 0.9999]) {
      const index = await indexOf(cutShort(path, join(folder, "cut.mp4"), share));
      expect(index).toMatchObject({ container: "mp4", keyframes: null, noIndex: "broken" });
    }
  });

  test("a file with moov in front that ends early tells the key frames that it still has", async () => {
    const path = await copy("fronted.mp4", ["-movflags", "+faststart"]);
    const cut = cutShort(path, join(folder, "cut-front.mp4"), 0.5);
    const index = await indexOf(cut);
    const kept = (await keyPackets(path)).filter((packet) => packet.positionBytes < statSync(cut).size);
    expect(index.keyframes?.timesSec.length).toBe(kept.length);
    expect(kept.length).toBeGreaterThan(1);
  });
});
