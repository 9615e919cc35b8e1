import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, statSync } from "node:fs";
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
import { cutShort, ffmpeg, makeCover, makeFilm, remux, remuxPiped } from "../../../support/media-files.ts";

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

const PAGE = 64 * 1024;

function copy(name: string, flags: readonly string[] = [], source = film): Promise<string> {
  return remux(source, join(folder, name), flags);
}

describe("Matroska files of ffmpeg", () => {
  test("key frames, tracks and duration are those that ffprobe finds, for two small requests", async () => {
    const index = await expectAllKeyframes(film, MKV_TOLERANCE_SEC);
    expect(index.container).toBe("matroska");
    expect(index.durationSec).toBeCloseTo(8.03, 1);
    expect(index.tracks.map(({ stream, kind, codecId }) => [stream, kind, codecId])).toEqual([
      [0, "video", "V_MPEG4/ISO/AVC"],
      [1, "audio", "A_AAC"],
      [2, "audio", "A_AC3"],
      [3, "subtitle", "S_TEXT/UTF8"],
      [4, "subtitle", "S_TEXT/ASS"],
    ]);
    expect(index.source.requests.length).toBeLessThanOrEqual(2);
    expect(index.source.readBytes).toBeLessThanOrEqual(2 * PAGE);
  });

  test("positions are those of the clusters that hold the frames", async () => {
    const index = await indexOf(film);
    const packets = await keyPackets(film);
    for (const [i, position] of (index.keyframes?.positionsBytes ?? []).entries()) {
      const cluster = new Uint8Array(
        await Bun.file(film)
          .slice(position, position + 4)
          .arrayBuffer(),
      );
      expect(Buffer.from(cluster).toString("hex")).toBe("1f43b675");
      expect(packets[i]?.positionBytes).toBeGreaterThan(position);
    }
  });

  test("a film that does not start at zero keeps its own clock", async () => {
    const index = await expectAllKeyframes(
      await copy("late.mkv", ["-output_ts_offset", "7.25"]),
      MKV_TOLERANCE_SEC,
    );
    expect(index.keyframes?.timesSec[0]).toBeGreaterThan(7.2);
  });

  test("Cues in front cost one request", async () => {
    const index = await expectAllKeyframes(
      await copy("front.mkv", ["-cues_to_front", "1"]),
      MKV_TOLERANCE_SEC,
    );
    expect(index.source.requests).toEqual([[0, PAGE]]);
  });

  test("open groups of pictures are found as they are", async () => {
    await expectAllKeyframes(openGop, MKV_TOLERANCE_SEC);
  });

  test("WebM with VP9 and Opus; AV1", async () => {
    const webm = await makeFilm(folder, {
      name: "vp9.webm",
      video: "vp9",
      size: "160x90",
      audio: [{ codec: "opus" }],
    });
    const index = await expectAllKeyframes(webm, MKV_TOLERANCE_SEC);
    expect(index.tracks.map(codecStringOf)).toEqual([null, "Opus"]);
    const vp9 = await expectAllKeyframes(await remux(webm, join(folder, "vp9.mp4")), MP4_TOLERANCE_SEC);
    expect(vp9.tracks.map(codecStringOf)).toEqual(["vp09.00.10.08", "Opus"]);
  }, 30_000);

  test("what a live muxer or a pipe leaves has tracks and no Cues, and is not searched for them", async () => {
    const live = await copy("live.mkv", ["-live", "1"]);
    const piped = await remuxPiped(film, join(folder, "piped.mkv"), "matroska");
    for (const path of [live, piped]) {
      const index = await indexOf(path);
      expect(index.noIndex).toBe("no_cues");
      expect(index.keyframes).toBeNull();
      expect(index.tracks).toHaveLength(5);
      expect(index.source.requests.length).toBeLessThanOrEqual(16);
    }
    expect((await indexOf(piped)).durationSec).not.toBe(0);
  });

  test("an attached cover is no track", async () => {
    const cover = await makeCover(folder);
    const path = await copy("cover.mkv", ["-attach", cover, "-metadata:s:t", "mimetype=image/jpeg"]);
    const index = await expectAllKeyframes(path, MKV_TOLERANCE_SEC);
    expect(index.tracks).toHaveLength(5);
  });

  test("sound alone has no video to cut", async () => {
    const path = await makeFilm(folder, { name: "sound.mka", video: "none" });
    const index = await indexOf(path);
    expect(index.noIndex).toBe("no_video");
    expect(index.tracks.map((track) => track.kind)).toEqual(["audio"]);
  });

  test("a file that ends before its Cues is broken and still tells its tracks", async () => {
    for (const share of [0.2, 0.5, 0.95, 0.999]) {
      const index = await indexOf(cutShort(film, join(folder, "cut.mkv"), share));
      expect(index.noIndex).toBe("broken");
      expect(index.tracks).toHaveLength(5);
      expect(index.durationSec).toBeCloseTo(8.03, 1);
    }
  });

  test("the head holds all that is there before the first cluster, and the Cues", async () => {
    const index = await indexOf(film);
    const size = statSync(film).size;
    expect(index.headBytes).toHaveLength(2);
    expect(index.headBytes[0]).toEqual({ start: 0, end: index.keyframes?.positionsBytes[0] ?? -1 });
    expect(index.headBytes[1]?.end).toBe(size);
  });
});

describe("files of other containers", () => {
  test.each(["film.avi", "film.ts", "film.flv", "film.wmv", "film.ogg"])("%s", async (name) => {
    const isOgg = name.endsWith("ogg");
    const codec = isOgg ? ["-c:v", "libtheora", "-c:a", "flac"] : ["-c:v", "mpeg4", "-c:a", "libmp3lame"];
    const flv = name.endsWith("flv") ? ["-c:v", "flv1", "-ar", "44100"] : [];
    const path = join(folder, name);
    await ffmpeg(["-i", film, "-t", "1", "-map", "0:v", "-map", "0:a:0", ...codec, ...flv, path]);
    expect(await indexOf(path)).toMatchObject({
      container: "other",
      durationSec: null,
      tracks: [],
      keyframes: null,
      noIndex: "container",
      headBytes: [],
    });
  });
});
