import { beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { makeFilm, remux } from "../support/media-files.ts";
import { tmpFolder } from "../support/tmp.ts";
import { containerTargets } from "./container-targets.ts";
import { fuzzAsync, fuzzInputs, fuzzSeed } from "./fuzz.ts";

const corpus: { matroska: Uint8Array[]; mp4: Uint8Array[] } = { matroska: [], mp4: [] };

const FRAGMENTED = "+frag_keyframe+empty_moov+default_base_moof";
const MP4_FORMS: readonly (readonly string[])[] = [
  [],
  ["-movflags", "+faststart"],
  ["-movflags", `${FRAGMENTED}+global_sidx`],
  ["-movflags", FRAGMENTED],
  ["-movflags", "+frag_keyframe"],
];

beforeAll(async () => {
  const folder = tmpFolder("fuzz");
  // A few KiB each: what is mutated is then mostly index.
  const film = await makeFilm(folder, {
    name: "film.mkv",
    size: "32x32",
    durationSec: 1,
    framesPerSec: "10",
    keyframesSec: [0, 0.3, 0.7],
    audio: [{ sampleRate: 8_000, channels: 1 }],
  });
  const front = await remux(film, join(folder, "front.mkv"), ["-cues_to_front", "1"]);
  corpus.matroska.push(readFileSync(film), readFileSync(front));
  for (const [form, flags] of MP4_FORMS.entries())
    corpus.mp4.push(readFileSync(await remux(film, join(folder, `${form}.mp4`), flags)));
}, 60_000);

describe("fuzz", () => {
  test.each(["Matroska index", "MP4 index"])(
    "%s: any bytes get an answer, in bounded time and for bounded reads",
    async (name) => {
      const target = containerTargets(corpus).find((one) => one.name === name);
      if (target === undefined) throw new Error("no such target");
      const result = await fuzzAsync(target, { seed: fuzzSeed(), inputs: fuzzInputs() });
      expect(result.refused).toBeLessThan(result.inputs);
    },
    600_000,
  );
});
