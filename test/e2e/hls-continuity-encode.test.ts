// Encoded video is cut where the copy is, has its pictures at their times, and is the same film in any order.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { seededRandom, shuffled } from "../../src/base/random.ts";
import type { Rendition } from "../../src/media/runs/rendition.ts";
import {
  copyOf,
  countOf,
  encodeOf,
  expectOnPlan,
  expectSameTimes,
  fetchAll,
  millis,
  OpenFilms,
  range,
  SEED,
  WITHIN_MS,
  within,
} from "../support/continuity.ts";
import { type FilmOptions, makeFilm, packetsOf } from "../support/media-files.ts";
import { describeIsolated } from "../support/namespace.ts";
import { complaintsOf, factsOfSegment, joined, streamFacts } from "../support/segment-facts.ts";
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
          expectSameTimes(millis(shown.flat()), millis(source));
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

  test(
    "a film without an index is encoded on a plan of equal parts",
    async () => {
      const path = await makeFilm(folder, {
        name: "linear.avi",
        video: "mpeg4",
        bFrames: 0,
        framesPerSec: "25",
      });
      const rig = await films.open(path);
      expect(rig.index.keyframes).toBeNull();
      const plan = rig.linearPlan(2, 25);
      const order = range(countOf(plan));
      const [whole, backwards] = [0, 1].map(() => rig.rendition(encodeOf({ name: "" }), plan));
      for (const [rendition, way] of [
        [whole, order],
        [backwards, order.slice().reverse()],
      ] as const) {
        const segments = await fetchAll(rendition as Rendition, way);
        const init = await (rendition as Rendition).init(within());
        expectOnPlan(init, segments, plan);
        const shown = millis(segments.flatMap((segment) => factsOfSegment(init, segment).ptsSec));
        expect(shown).toEqual(millis((await packetsOf(path)).map(({ ptsSec }) => ptsSec)));
      }
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
