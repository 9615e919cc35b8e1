// Segments of real films, made by real ffmpeg runs that start anywhere: whoever asks for them, in whatever order, gets
// the same film without a gap or a picture twice.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { seededRandom, shuffled } from "../../src/base/random.ts";
import {
  copyOf,
  countOf,
  expectOnPlan,
  expectSameTimes,
  fetchAll,
  millis,
  OpenFilms,
  range,
  SEED,
  sameBytes,
  shownFromZero,
  WITHIN_MS,
  within,
} from "../support/continuity.ts";
import { cutShort, type FilmOptions, makeFilm, remux } from "../support/media-files.ts";
import { describeIsolated } from "../support/namespace.ts";
import { complaintsOf, factsOfSegment, joined, packetHashes } from "../support/segment-facts.ts";
import { tmpFolder } from "../support/tmp.ts";

const VIDEO_FILMS: readonly FilmOptions[] = [
  { name: "irregular.mkv", bFrames: 3, keyframesSec: [0, 0.2, 1.1, 2.3, 5, 5.6, 5.8] },
  { name: "open-gop.mkv", bFrames: 3, openGopFrames: 24 },
  { name: "variable-rate.mkv", isVariableRate: true },
  { name: "starts-later.mkv", startSec: 5 },
  { name: "no-audio.mkv", audio: [] },
  { name: "main10.mkv", video: "hevc", durationSec: 6 },
  {
    name: "open-gop-main10.mp4",
    video: "hevc",
    durationSec: 6,
    bFrames: 3,
    openGopFrames: 24,
  },
  { name: "moov-at-end.mp4", bFrames: 3 },
  { name: "moov-in-front.mp4", bFrames: 3, flags: ["-movflags", "+faststart"] },
  { name: "starts-later.mp4", startSec: 5, isVariableRate: true },
];

const films = new OpenFilms();
let folder = "";

beforeAll(() => {
  folder = tmpFolder("continuity");
});

afterAll(() => films.close());

describeIsolated("copied video", () => {
  for (const film of VIDEO_FILMS) {
    test(
      `${film.name}: any order gives the film's own pictures, byte by byte the same`,
      async () => {
        const path = await makeFilm(folder, film);
        const rig = await films.open(path);
        const plan = rig.videoPlan();
        const count = countOf(plan);
        expect(count).toBeGreaterThanOrEqual(4);
        const whole = rig.rendition(copyOf(film), plan);
        const inOrder = await fetchAll(whole, range(count));
        const init = await whole.init(within());
        expectOnPlan(init, inOrder, plan);

        const backwards = rig.rendition(copyOf(film), plan);
        expect(sameBytes(await fetchAll(backwards, range(count).reverse()), inOrder)).toBe(true);
        expect(Buffer.from(await backwards.init(within())).equals(Buffer.from(init))).toBe(true);

        const file = joined(folder, `copy-of-${film.name}.mp4`, [init, ...inOrder]);
        const [source, made] = await Promise.all([packetHashes(path, "v:0"), packetHashes(file, "v:0")]);
        const times = shownFromZero(source.map(([ms]) => ms));
        expectSameTimes(millis(inOrder.flatMap((segment) => factsOfSegment(init, segment).ptsSec)), times);
        // ffmpeg's reader moves all times when pictures are shown before they are decoded.
        const moved = (made[0]?.[0] ?? 0) - (times[0] ?? 0);
        expectSameTimes(
          made.map(([ms]) => ms - moved),
          times,
        );
        expect(made.map(([, hash]) => hash)).toEqual(source.map(([, hash]) => hash));
        expect(await complaintsOf(file)).toBe("");
      },
      WITHIN_MS,
    );
  }

  test(
    `two viewers at once, each in an order of its own, and one at random (seed ${SEED})`,
    async () => {
      const film = VIDEO_FILMS[0] as FilmOptions;
      const rig = await films.open(await remux(join(folder, film.name), join(folder, "viewers.mkv")));
      const plan = rig.videoPlan(0.5);
      const order = range(countOf(plan));
      const alone = await fetchAll(rig.rendition(copyOf(film), plan), order);
      const shared = rig.rendition(copyOf(film), plan);
      const [one, two] = await Promise.all([
        fetchAll(shared, order, "one"),
        fetchAll(shared, order.slice().reverse(), "two"),
      ]);
      expect(sameBytes(one, alone) && sameBytes(two, alone)).toBe(true);
      const random = rig.rendition(copyOf(film), plan);
      expect(sameBytes(await fetchAll(random, shuffled(order, seededRandom(SEED))), alone)).toBe(true);
    },
    WITHIN_MS,
  );

  test(
    "a film that was cut short plays to where it was, and says so behind that",
    async () => {
      const whole = await makeFilm(folder, { name: "whole.mp4", flags: ["-movflags", "+faststart"] });
      const path = cutShort(whole, join(folder, "cut.mp4"), 0.6);
      const rig = await films.open(whole);
      const plan = rig.videoPlan();
      const inOrder = await fetchAll(rig.rendition(copyOf({ name: "" }), plan), range(countOf(plan)));
      const cut = (await films.open(path)).rendition(copyOf({ name: "" }), plan);
      const got: Uint8Array[] = [];
      let error: unknown = null;
      for (let n = 0; n < countOf(plan) && error === null; n++) {
        await cut.segment(n, within()).then(
          (bytes) => got.push(bytes),
          (reason: unknown) => {
            error = reason;
          },
        );
      }
      expect(error).toMatchObject({ code: "unsupported_media" });
      expect(got.length).toBeGreaterThan(1);
      expect(got.length).toBeLessThan(countOf(plan));
      expect(sameBytes(got.slice(0, -1), inOrder.slice(0, got.length - 1))).toBe(true);
    },
    WITHIN_MS,
  );

  test(
    "a connection that breaks, and a source that stalls, leave no mark",
    async () => {
      const path = await makeFilm(folder, { name: "broken.mkv", audio: [], size: "640x360" });
      const rig = await films.open(path);
      const plan = rig.videoPlan();
      const inOrder = await fetchAll(rig.rendition(copyOf({ name: "" }), plan), range(countOf(plan)));
      for (const share of [0.2, 0.4, 0.6, 0.8]) {
        rig.server.breakAtBytes = Math.floor(rig.server.lengthBytes * share);
        const broken = rig.rendition(copyOf({ name: "" }), plan);
        expect(sameBytes(await fetchAll(broken, range(countOf(plan))), inOrder)).toBe(true);
        expect(rig.server.breakAtBytes).toBeNull();
        await broken.close();
      }
      rig.server.missFrom(Math.floor(rig.server.lengthBytes / 2));
      const stalled = rig.rendition(copyOf({ name: "" }), plan);
      const all = fetchAll(stalled, range(countOf(plan)));
      await stalled.segment(0, within());
      rig.server.missFrom(Number.POSITIVE_INFINITY);
      expect(sameBytes(await all, inOrder)).toBe(true);
    },
    WITHIN_MS,
  );
});
