// Sound on its grid: runs that start anywhere join without a gap and without a click.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import type { SegmentPlan } from "../../src/media/ports.ts";
import type { RunWork } from "../../src/media/runs/run-job.ts";
import {
  countOf,
  encodeSound,
  expectOnPlan,
  fetchAll,
  OpenFilms,
  range,
  sameBytes,
  WITHIN_MS,
  within,
} from "../support/continuity.ts";
import { ffmpeg, makeFilm } from "../support/media-files.ts";
import { describeIsolated } from "../support/namespace.ts";
import { PLAIN_AUDIO } from "../support/rendition-rig.ts";
import {
  complaintsOf,
  factsOfSegment,
  joined,
  packetHashes,
  pcmOf,
  sharpestBend,
} from "../support/segment-facts.ts";
import { tmpFolder } from "../support/tmp.ts";

const films = new OpenFilms();
let folder = "";

beforeAll(() => {
  folder = tmpFolder("continuity");
});

afterAll(() => films.close());

describeIsolated("sound", () => {
  const sources = [
    { name: "ac3.mkv", audio: { codec: "ac3", channels: 6 }, channels: 6, rate: 48_000, outRate: 48_000 },
    {
      name: "mono.mkv",
      audio: { codec: "mp3", channels: 1, sampleRate: 44_100 },
      channels: 1,
      rate: 44_100,
      outRate: 44_100,
    },
    { name: "aac-32k.mp4", audio: { sampleRate: 32_000 }, channels: 2, rate: 32_000, outRate: 48_000 },
  ] as const;
  for (const { name, audio, channels, rate, outRate } of sources) {
    test(
      `${name}: frames lie on the grid, and runs join without a sound`,
      async () => {
        const path = await makeFilm(folder, { name, durationSec: 18, size: "160x90", audio: [audio] });
        const rig = await films.open(path);
        const plan = rig.audioPlan(rate);
        const count = countOf(plan);
        expect(count).toBeGreaterThanOrEqual(4);
        const work = encodeSound(channels, rate);
        const whole = rig.rendition(work, plan);
        const inOrder = await fetchAll(whole, range(count));
        const init = await whole.init(within());
        const apart = rig.rendition(work, plan);
        const backwards = await fetchAll(apart, range(count).reverse());
        for (const segments of [inOrder, backwards]) {
          expectOnPlan(init, segments, plan);
          const frames = segments.flatMap((segment) => factsOfSegment(init, segment).ptsSec);
          const onGrid = frames.map((sec) => (sec * outRate) / 1024);
          expect(onGrid.map(Math.round)).toEqual(
            range(Math.round(((plan.boundariesSec.at(-1) ?? 0) * outRate) / 1024)),
          );
          expect(onGrid.filter((place) => Math.abs(place - Math.round(place)) > 1e-6)).toEqual([]);
        }
        // Each segment of another run than its neighbours.
        const mixed = inOrder.map((segment, n) => (n % 2 === 0 ? segment : (backwards[n] as Uint8Array)));
        for (const [label, segments] of [
          ["mixed", mixed],
          ["backwards", backwards],
        ] as const) {
          const pcm = await pcmOf(joined(folder, `${label}-${name}.mp4`, [init, ...segments]));
          const inside = sharpestBend(pcm, outRate, 3 * outRate);
          const segmentSamples = 188 * 1024;
          for (let n = 1; n < count - 1; n++) {
            const join = n * segmentSamples;
            expect(sharpestBend(pcm, join - 2200, join + 2200)).toBeLessThanOrEqual(inside * 1.15 + 1);
          }
        }
      },
      WITHIN_MS,
    );
  }

  test(
    "of six channels is mixed so that speech is as loud as the rest, and in the middle",
    async () => {
      const levels: number[][] = [];
      for (const channel of ["FL", "FC", "BL", "LFE"]) {
        const path = join(folder, `only-${channel}.mkv`);
        const picture = ["-f", "lavfi", "-i", "testsrc2=size=160x90:rate=24:duration=3"];
        const tone = ["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:duration=3"];
        const codecs = ["-c:v", "libx264", "-preset", "ultrafast", "-c:a", "flac"];
        await ffmpeg([...picture, ...tone, "-af", `pan=5.1|${channel}=c0`, ...codecs, path]);
        const rig = await films.open(path);
        const rendition = rig.rendition(encodeSound(6, 48_000), rig.audioPlan(48_000));
        const [segment] = await fetchAll(rendition, [0]);
        const file = joined(folder, `mixed-${channel}.mp4`, [
          await rendition.init(within()),
          segment as Uint8Array,
        ]);
        levels.push(await Promise.all(["FL", "FR"].map((side) => levelOf(file, side))));
      }
      const [left, centre, back, bass] = levels as [number[], number[], number[], number[]];
      expect(centre[0]).toBeCloseTo(centre[1] ?? 0, 1);
      expect((centre[0] ?? 0) / (left[0] ?? 1)).toBeCloseTo(1, 1);
      expect((back[0] ?? 0) / (left[0] ?? 1)).toBeCloseTo(0.5, 1);
      expect(left[1]).toBeLessThan(0.01);
      expect(Math.max(...bass)).toBeLessThan(0.01);
    },
    WITHIN_MS,
  );

  test(
    "that begins late, or ends early, is silent there",
    async () => {
      const path = await makeFilm(folder, {
        name: "late.mkv",
        durationSec: 18,
        size: "160x90",
        audio: [{ lateSec: 5 }],
      });
      const rig = await films.open(path);
      const plan = rig.audioPlan(48_000);
      const rendition = rig.rendition(encodeSound(2, 48_000), plan);
      const segments = await fetchAll(rendition, range(countOf(plan)).reverse());
      const init = await rendition.init(within());
      expectOnPlan(init, segments, plan);
      const pcm = await pcmOf(joined(folder, "late-sound.mp4", [init, ...segments]));
      const loud = (sec: number) =>
        pcm.subarray(sec * 48_000, (sec + 0.5) * 48_000).some((one) => Math.abs(one) > 500);
      expect([0, 2, 4, 4.4, 5.5, 9, 14].map(loud)).toEqual([false, false, false, false, true, true, true]);
      const first = pcm.findIndex((one) => Math.abs(one) > 500);
      expect(Math.abs(first / 48_000 - 5)).toBeLessThan(0.03);
    },
    WITHIN_MS,
  );

  test(
    "that stops long before the film goes on as silence to its end",
    async () => {
      const path = await makeFilm(folder, { name: "short-sound.mkv", durationSec: 6, size: "160x90" });
      const rig = await films.open(path);
      const boundariesSec = Float64Array.from(range(6), (n) => (n * 188 * 1024) / 48_000);
      const plan: SegmentPlan = { boundariesSec, keyframes: null, sampleRate: 48_000 };
      const rendition = rig.rendition(encodeSound(2, 48_000), plan);
      const segments = await fetchAll(rendition, range(5));
      const init = await rendition.init(within());
      expectOnPlan(init, segments, plan);
      expect(segments.map((segment) => factsOfSegment(init, segment).ptsSec.length)).toEqual([
        188, 188, 188, 188, 188,
      ]);
      const file = joined(folder, "short-sound.mp4", [init, ...segments]);
      expect(await complaintsOf(file)).toBe("");
      const pcm = await pcmOf(file);
      expect(pcm.length).toBeGreaterThan(19 * 48_000);
      expect(pcm.subarray(7 * 48_000).every((one) => one === 0)).toBe(true);
    },
    WITHIN_MS,
  );

  test.each([
    ["copied.mkv", 48_000],
    ["copied-44.mp4", 44_100],
  ])(
    "%s is copied frame by frame onto the grid, in any order",
    async (name, rate) => {
      const path = await makeFilm(folder, {
        name,
        durationSec: 14,
        size: "160x90",
        audio: [{ sampleRate: rate }],
      });
      const rig = await films.open(path);
      const plan = rig.audioPlan(rate);
      const work: RunWork = {
        kind: "copy_audio",
        track: { ...PLAIN_AUDIO, sampleRate: rate },
        making: { kind: "copy_audio" },
      };
      const whole = rig.rendition(work, plan);
      const order = range(countOf(plan));
      const inOrder = await fetchAll(whole, order);
      const init = await whole.init(within());
      expectOnPlan(init, inOrder, plan);
      expect(sameBytes(await fetchAll(rig.rendition(work, plan), order.slice().reverse()), inOrder)).toBe(
        true,
      );
      const file = joined(folder, `${name}.copy.mp4`, [init, ...inOrder]);
      const [source, made] = await Promise.all([packetHashes(path, "a:0"), packetHashes(file, "a:0")]);
      const hashes = made.map(([, hash]) => hash);
      const from = source.findIndex(([, hash]) => hash === hashes[0]);
      expect(from).toBeLessThanOrEqual(1);
      expect(hashes.slice(0, source.length - from)).toEqual(source.slice(from).map(([, hash]) => hash));
      expect(await complaintsOf(file)).toBe("");
    },
    WITHIN_MS,
  );
});

/** The mean power of one channel over a second, as an amplitude. */
async function levelOf(path: string, channel: string): Promise<number> {
  const filter = `pan=mono|c0=${channel}`;
  const words = [
    "-v",
    "error",
    "-nostdin",
    "-i",
    path,
    "-af",
    filter,
    "-f",
    "f32le",
    "-c:a",
    "pcm_f32le",
    "pipe:1",
  ];
  const child = Bun.spawn(["ffmpeg", ...words], { stdout: "pipe", stderr: "inherit" });
  const samples = new Float32Array(await new Response(child.stdout).arrayBuffer());
  const second = samples.subarray(48_000, 2 * 48_000);
  return Math.sqrt(second.reduce((sum, one) => sum + one * one, 0) / second.length);
}
