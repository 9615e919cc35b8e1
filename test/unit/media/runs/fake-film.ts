// A film of a hundred segments of four seconds with a picture each second, as ffmpeg would copy it, and one rendition of
// it on a clock and programs that the test moves.

import { TorrxError } from "../../../../src/base/errors.ts";
import { silentLog } from "../../../../src/base/log.ts";
import { findBox } from "../../../../src/media/fmp4/box-cursor.ts";
import { readFragment } from "../../../../src/media/fmp4/fragment.ts";
import { readInit } from "../../../../src/media/fmp4/init-facts.ts";
import type { SegmentPlan } from "../../../../src/media/ports.ts";
import { Rendition, type RenditionOptions } from "../../../../src/media/runs/rendition.ts";
import type { RunWork } from "../../../../src/media/runs/run-job.ts";
import { RunLimits } from "../../../../src/media/runs/run-limits.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { type FakeProcess, FakePrograms } from "../../../support/fake-programs.ts";
import { frameBytes, initBytes } from "../../../support/fmp4-bytes.ts";
import { MemoryStore, PLAIN_VIDEO, TEST_TOOLS } from "../../../support/rendition-rig.ts";

export const SEGMENTS = 100;
const SEGMENT_SEC = 4;

export const PLAN: SegmentPlan = {
  boundariesSec: Float64Array.from({ length: SEGMENTS + 1 }, (_, n) => n * SEGMENT_SEC),
  keyframes: {
    timesSec: Float64Array.from({ length: SEGMENTS }, (_, n) => n * SEGMENT_SEC),
    positionsBytes: Float64Array.from({ length: SEGMENTS }, (_, n) => 1000 + n),
  },
  sampleRate: null,
};

const track = { ...PLAIN_VIDEO, framesPerSec: 1 };
export const COPY: RunWork = { kind: "copy_video", track, making: { kind: "copy_video", isHevc: false } };
export const ENCODE: RunWork = {
  kind: "encode_video",
  track,
  making: { kind: "encode_video", heightLimit: null, toneMap: false, deinterlace: false },
  encoder: { kind: "x264" },
};

/** The pictures of segments from..to, to excluded. */
export function pictures(from: number, to: number): Uint8Array[] {
  return Array.from({ length: (to - from) * SEGMENT_SEC }, (_, i) => {
    const sec = from * SEGMENT_SEC + i;
    const bytes = Uint8Array.of(sec >> 8, sec & 0xff);
    return frameBytes({ pts: sec * 1000, isSync: sec % SEGMENT_SEC === 0, bytes });
  });
}

/** Header and the pictures of segments from..to; one more picture than the next boundary ends the last of them. */
export function output(from: number, to: number): Uint8Array[] {
  return [initBytes(), ...pictures(from, Math.min(to + 1, SEGMENTS)).slice(0, (to - from) * SEGMENT_SEC + 2)];
}

/** The segment at which a program was told to begin. */
export function segmentOf(process: FakeProcess): number {
  return Math.floor((process.seekSec ?? 0) / SEGMENT_SEC);
}

export interface FakeFilm {
  readonly clock: FakeClock;
  readonly programs: FakePrograms;
  readonly store: MemoryStore;
  readonly limits: RunLimits;
  readonly rendition: Rendition;
  readonly inputs: { opened: (number | null)[]; open: number };
  another(more?: Partial<RenditionOptions>): Rendition;
  /** Everything that is ready has run. */
  settle(): Promise<void>;
}

export function fakeFilm(more: Partial<RenditionOptions> = {}, work: RunWork = COPY): FakeFilm {
  const clock = new FakeClock();
  const programs = new FakePrograms();
  const store = new MemoryStore();
  const limits = new RunLimits({ clock, encodes: 1 });
  const inputs = { opened: [] as (number | null)[], open: 0 };
  const another = (given: Partial<RenditionOptions> = {}) =>
    new Rendition({
      id: "film/v0",
      job: { work, plan: PLAN, tools: TEST_TOOLS },
      programs,
      openInput: (fromBytes) => {
        inputs.opened.push(fromBytes);
        inputs.open++;
        return Promise.resolve({ url: "http://127.0.0.1:1/film", close: () => void inputs.open-- });
      },
      store,
      limits,
      clock,
      log: silentLog,
      ...more,
      ...given,
    });
  return {
    clock,
    programs,
    store,
    limits,
    rendition: another(),
    inputs,
    another,
    settle: () => clock.settle(8),
  };
}

/** A client that stays. */
export const never = new AbortController().signal;

/** Seconds of the pictures in a segment. */
export function secondsIn(segment: Uint8Array): number[] {
  const end = findBox(segment, ["moof"], { from: 0, to: segment.length })?.end ?? 0;
  const [track] = readFragment(segment.subarray(0, end), segment.subarray(end), readInit(initBytes()));
  return (track?.samples ?? []).map(({ pts }) => pts / 1000);
}

/** Seconds of the pictures that belong to segment n. */
export const contents = (n: number) => [0, 1, 2, 3].map((i) => n * 4 + i);

/** A promise whose rejection is looked at later. */
export function held<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}

/** The outcome of a promise by now. */
export async function outcome(promise: Promise<unknown>): Promise<string> {
  const pending = Symbol();
  const first = await Promise.race([
    promise.then(
      () => "resolved",
      (error: unknown) => (error instanceof TorrxError ? `${error.code} ${error.message}` : String(error)),
    ),
    new Promise((resolve) => setImmediate(() => resolve(pending))),
  ]);
  return first === pending ? "pending" : String(first);
}
