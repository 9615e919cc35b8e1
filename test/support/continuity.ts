// Fetches renditions of real films in any order, and holds what comes against the plan and against the film.

import { expect } from "bun:test";
import type { SegmentPlan } from "../../src/media/ports.ts";
import type { Rendition } from "../../src/media/runs/rendition.ts";
import type { RunWork } from "../../src/media/runs/run-job.ts";
import type { FilmOptions } from "./media-files.ts";
import { FilmRig, PLAIN_AUDIO, PLAIN_VIDEO } from "./rendition-rig.ts";
import { factsOfSegment } from "./segment-facts.ts";

export const WITHIN_MS = 30_000;
const TFDT_SEC = 0.002;
/** A container of milliseconds is off by one at most. */
const PTS_MS = 1;
export const SEED = Number(process.env["TORRX_TEST_SEED"] ?? 4);

/** Films that are open; closed together. */
export class OpenFilms {
  readonly #rigs: FilmRig[] = [];

  async open(path: string): Promise<FilmRig> {
    const rig = await FilmRig.open(path);
    this.#rigs.push(rig);
    return rig;
  }

  async close(): Promise<void> {
    for (const rig of this.#rigs) await rig.close();
  }
}

export const within = () => AbortSignal.timeout(WITHIN_MS);
export const range = (count: number) => Array.from({ length: count }, (_, n) => n);
export const countOf = (plan: SegmentPlan) => plan.boundariesSec.length - 1;

export function copyOf(film: FilmOptions): RunWork {
  const isHevc = film.video === "hevc";
  const track = {
    ...PLAIN_VIDEO,
    codec: film.video ?? "h264",
    framesPerSec: film.isVariableRate ? null : 23.976,
  };
  return { kind: "copy_video", track, making: { kind: "copy_video", isHevc } };
}

export function encodeOf(film: FilmOptions, heightLimit: number | null = 90): RunWork {
  const track = { ...PLAIN_VIDEO, framesPerSec: film.isVariableRate ? null : 23.976 };
  const making = { kind: "encode_video", heightLimit, toneMap: false, deinterlace: false } as const;
  return { kind: "encode_video", track, making, encoder: { kind: "x264" } };
}

export const encodeSound = (channels: number, sampleRate: number, stream = 1): RunWork => ({
  kind: "encode_audio",
  track: { ...PLAIN_AUDIO, stream, channels, sampleRate },
  making: { kind: "encode_audio", channels: 2 },
});

/** Asks one after the other, in this order; the answers by number. */
export async function fetchAll(
  rendition: Rendition,
  order: readonly number[],
  client = "",
): Promise<Uint8Array[]> {
  const got: Uint8Array[] = [];
  for (const n of order) got[n] = await rendition.segment(n, within(), client);
  return got;
}

export function sameBytes(one: readonly Uint8Array[], other: readonly Uint8Array[]): boolean {
  return (
    one.length === other.length &&
    one.every((bytes, n) => Buffer.from(bytes).equals(other[n] ?? new Uint8Array(0)))
  );
}

/** Numbers, boundaries and first samples as the playlist promises. */
export function expectOnPlan(
  init: Uint8Array,
  segments: readonly Uint8Array[],
  plan: SegmentPlan,
  slackSec = TFDT_SEC,
): void {
  let endSec: number | null = null;
  for (const [n, segment] of segments.entries()) {
    const facts = factsOfSegment(init, segment);
    expect(facts.sequence).toBe(n + 1);
    expect(facts.startsWithSync).toBe(true);
    if (n > 0) expect(Math.abs(facts.tfdtSec - (plan.boundariesSec[n] ?? 0))).toBeLessThanOrEqual(slackSec);
    if (endSec !== null) expect(facts.tfdtSec).toBeGreaterThanOrEqual(endSec - 1e-9);
    endSec = facts.endSec;
  }
}

/** As whole milliseconds, ascending. */
export const millis = (sec: readonly number[]) =>
  sec.map((one) => Math.round(one * 1000)).sort((a, b) => a - b);

/** The times of a film's pictures, ascending: the first of a film that begins late is shown from 0 on. */
export const shownFromZero = (ms: readonly number[]) => ms.map((one, i) => (i === 0 && one > 200 ? 0 : one));

/** Every picture of the film once, at its own time. */
export function expectSameTimes(got: readonly number[], wanted: readonly number[]): void {
  expect(got.length).toBe(wanted.length);
  const off = got.filter((ms, i) => Math.abs(ms - (wanted[i] ?? Number.NaN)) > PTS_MS);
  expect(off).toEqual([]);
}
