// Encoded video is cut where the copy is, has its pictures at their times, and is the same film in any order.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { seededRandom, shuffled } from "../../src/base/random.ts";
import {
  copyOf,
  countOf,
  encodeOf,
  encodeSound,
  expectOnPlan,
  expectSameTimes,
  fetchAll,
  millis,
  OpenFilms,
  range,
  SEED,
  shownFromZero,
  WITHIN_MS,
  within,
} from "../support/continuity.ts";
import { type FilmOptions, makeFilm, packetsOf, remux, remuxPiped } from "../support/media-files.ts";
import { describeIsolated } from "../support/namespace.ts";
import { complaintsOf, factsOfSegment, joined, pcmOf, streamFacts } from "../support/segment-facts.ts";
import { tmpFolder } from "../support/tmp.ts";

const films = new OpenFilms();
let folder = "";

beforeAll(() => {
  folder = tmpFolder("continuity");
});

afterAll(() => films.close());

describeIsolated("encoded video", () => {
  const sources: readonly FilmOptions[] = [
    { name: "encode-open-gop.mkv", openGopFrames: 24, bFrames: 3 },
    { name: "encode-variable.mp4", isVariableRate: true, startSec: 3 },
    { name: "encode-main10.mkv", video: "hevc", durationSec: 6 },
  ];
  for (const film of sources) {
    test(
      `${film.name}: x264 has the pictures of the copy, so a player may change between them at any segment`,
      async () => {
        const path = await makeFilm(folder, film);
        const rig = await films.open(path);
        const plan = rig.videoPlan();
        const order = range(countOf(plan));
        const copies = rig.rendition(copyOf(film), plan);
        const copied = await fetchAll(copies, order);
        const copyInit = await copies.init(within());
        const random = shuffled(order, seededRandom(SEED));
        const renditions = [order, order.slice().reverse(), random].map((way) => ({
          way,
          rendition: rig.rendition(encodeOf(film), plan),
        }));
        const source = (await packetsOf(path)).map(({ ptsSec }) => ptsSec);
        for (const { way, rendition } of renditions) {
          const segments = await fetchAll(rendition, way);
          const init = await rendition.init(within());
          expectOnPlan(init, segments, plan);
          const shown = segments.map((segment) => factsOfSegment(init, segment).ptsSec);
          expectSameTimes(millis(shown.flat()), shownFromZero(millis(source)));
          if (film.openGopFrames === undefined) {
            const wanted = copied.map((segment) => factsOfSegment(copyInit, segment).ptsSec.length);
            expect(shown.map(({ length }) => length)).toEqual(wanted);
          }
          const file = joined(folder, `x264-${film.name}.mp4`, [init, ...segments]);
          expect(await complaintsOf(file)).toBe("");
          const facts = await streamFacts(file);
          expect([facts["codec_name"], facts["pix_fmt"], facts["height"]]).toEqual(["h264", "yuv420p", 90]);
        }
      },
      WITHIN_MS,
    );
  }

  test.each([
    // H.264 in AVI has no times of its own: ffmpeg's guess after a seek may be half a picture off.
    ["linear.avi", (source: string, path: string) => remux(source, path, ["-c:v", "mpeg4", "-g", "40"])],
    ["no-cues.mkv", (source: string, path: string) => remuxPiped(source, path, "matroska")],
  ])(
    "%s, a film without an index, is encoded on a plan of equal parts",
    async (name, make) => {
      const options = { name: `${name}.mkv`, keyframesSec: [0, 3.2, 5.6], framesPerSec: "25", bFrames: 0 };
      const path = await make(await makeFilm(folder, options), join(folder, name));
      const rig = await films.open(path);
      expect(rig.index.keyframes).toBeNull();
      const plan = rig.linearPlan(2, 25);
      const order = range(countOf(plan));
      const source = millis((await packetsOf(path)).map(({ ptsSec }) => ptsSec));
      for (const way of [order, order.toReversed()]) {
        const rendition = rig.rendition(encodeOf({ name: "" }), plan);
        const segments = await fetchAll(rendition, way);
        const init = await rendition.init(within());
        // Nothing tells where pictures are: a segment begins with the first one behind its boundary.
        expectOnPlan(init, segments, plan, 1 / 25);
        expectSameTimes(millis(segments.flatMap((one) => factsOfSegment(init, one).ptsSec)), source);
      }
    },
    WITHIN_MS,
  );

  test.each([0, 3600, 90_000])(
    "a transport stream whose clock begins at %d s, with rare key frames, is whole from any place",
    async (startSec) => {
      const path = await makeFilm(folder, {
        name: `from-${startSec}.ts`,
        durationSec: 16,
        framesPerSec: "25",
        keyframesSec: [0, 5, 10, 15],
        size: "160x90",
        startSec,
      });
      const rig = await films.open(path);
      const probe = await rig.probe();
      expect(Math.abs((probe.startSec ?? 0) - startSec)).toBeLessThan(2);
      const plan = rig.linearPlan(4, 25, probe);
      const order = range(countOf(plan));
      const source = (await packetsOf(path)).map(({ ptsSec }) => ptsSec - (probe.startSec ?? 0));
      const wanted = shownFromZero(millis(source));
      for (const way of [order, order.toReversed()]) {
        const rendition = rig.rendition(encodeOf({ name: "" }), plan);
        const segments = await fetchAll(rendition, way);
        const init = await rendition.init(within());
        expectOnPlan(init, segments, plan, 1 / 25);
        expectSameTimes(millis(segments.flatMap((one) => factsOfSegment(init, one).ptsSec)), wanted);
      }
      const sound = rig.rendition(encodeSound(2, 48_000), rig.audioPlan(48_000, probe));
      const segments = await fetchAll(sound, [3, 0, 1, 2]);
      const file = joined(folder, `sound-${startSec}.mp4`, [await sound.init(within()), ...segments]);
      const pcm = await pcmOf(file);
      const loud = (sec: number) =>
        pcm.subarray(sec * 48_000, (sec + 0.5) * 48_000).some((one) => Math.abs(one) > 500);
      expect([0.5, 5, 10, 14].map(loud)).toEqual([true, true, true, true]);
    },
    WITHIN_MS,
  );

  test(
    "a long segment has key frames inside",
    async () => {
      const path = await makeFilm(folder, {
        name: "long-gop.mkv",
        keyframesSec: [0],
        durationSec: 10,
        audio: [],
      });
      const rig = await films.open(path);
      const plan = rig.videoPlan();
      expect(countOf(plan)).toBe(1);
      const rendition = rig.rendition(encodeOf({ name: "" }), plan);
      const [segment] = await fetchAll(rendition, [0]);
      const { syncSec } = factsOfSegment(await rendition.init(within()), segment as Uint8Array);
      expect(syncSec.length).toBe(3);
    },
    WITHIN_MS,
  );
});
