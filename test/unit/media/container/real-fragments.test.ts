import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expectAllKeyframes, indexOf, MP4_TOLERANCE_SEC } from "../../../support/index-oracle.ts";
import { makeFilm, remux } from "../../../support/media-files.ts";

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

/** MP4 takes neither SRT nor ASS, and a moov that is written first cannot describe AC-3. */
function copy(name: string, flags: readonly string[] = [], source = film): Promise<string> {
  return remux(source, join(folder, name), ["-map", "-0:s", "-map", "-0:a:1", ...flags]);
}

describe("fragmented MP4 files of ffmpeg", () => {
  const FRAGMENTED = "+frag_keyframe+empty_moov+default_base_moof";

  test.each([
    ["mfra alone", "mfra.mp4", ["-movflags", FRAGMENTED]],
    ["a sidx of the whole file", "sidx.mp4", ["-movflags", `${FRAGMENTED}+global_sidx`]],
    [
      "a sidx, no edit list",
      "sidx-plain.mp4",
      ["-movflags", `${FRAGMENTED}+global_sidx`, "-use_editlist", "0"],
    ],
    ["a sidx, an edit list", "sidx-edits.mp4", ["-movflags", `${FRAGMENTED}+global_sidx+delay_moov`]],
    ["a sidx for each fragment, and mfra", "dash.mp4", ["-movflags", "+dash+frag_keyframe"]],
    ["negative composition offsets", "neg.mp4", ["-movflags", `${FRAGMENTED}+negative_cts_offsets`]],
    ["samples in moov and fragments behind", "mixed.mp4", ["-movflags", "+frag_keyframe"]],
  ] as const)("%s", async (_what, name, flags) => {
    const index = await expectAllKeyframes(await copy(name, flags), MP4_TOLERANCE_SEC);
    expect(index.durationSec).toBeWithin(7.9, 8.2);
    expect(index.source.requests.length).toBeLessThanOrEqual(5);
  });

  test("open groups of pictures, with a sidx", async () => {
    const flags = ["-movflags", `${FRAGMENTED}+global_sidx`];
    await expectAllKeyframes(await copy("open-sidx.mp4", flags, openGop), MP4_TOLERANCE_SEC);
  });

  test("without an index there is none, and the fragments are not walked", async () => {
    const index = await indexOf(await copy("bare.mp4", ["-movflags", `${FRAGMENTED}+skip_trailer`]));
    expect(index.noIndex).toBe("no_cues");
    expect(index.tracks).toHaveLength(2);
    expect(index.source.requests.length).toBeLessThanOrEqual(2);
  });

  test("a sidx for each fragment is none of the whole file", async () => {
    const index = await indexOf(
      await copy("dash-bare.mp4", ["-movflags", "+dash+frag_keyframe+skip_trailer"]),
    );
    expect(index.noIndex).toBe("no_cues");
  });
});
