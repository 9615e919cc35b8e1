// One run: one ffmpeg that makes one rendition's segments from one place on, until it has made the last, or is stopped.
// Back-pressure is its only throttle: ahead of what is wanted, its stdout is not read, the pipe fills and ffmpeg waits in
// write(), with no CPU and no bytes asked of the torrent. The process is gone before `ended` settles.

import type { Clock } from "../../base/clock.ts";
import type { TorrxError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import type { LoopbackInput, MediaExit, MediaProcess, MediaPrograms, VideoEncoder } from "../ports.ts";
import { endOfRun, runArgv } from "./argv.ts";
import type { FrameGrid } from "./audio-slicer.ts";
import type { OpenInput } from "./ports.ts";
import { failureOf, isBrokenInput } from "./run-failure.ts";
import { type RunJob, type RunStart, segmentsOf } from "./run-job.ts";
import { seekPointOf } from "./seek-point.ts";
import { SegmentCutter } from "./segment-cutter.ts";
import { BadStart } from "./slicer.ts";

export interface RunSink {
  init(bytes: Uint8Array): void;
  /** In order, none left out. The run reads on when it is settled: when there is room for more. Does not reject. */
  segment(n: number, bytes: Uint8Array): Promise<void>;
}

export interface RunOptions {
  readonly job: RunJob;
  readonly start: RunStart;
  readonly isStrict: boolean;
  /** The furthest segment that anyone wants now; look() when it may be further than before. */
  readonly wanted: () => number;
  readonly grid: FrameGrid;
  readonly programs: MediaPrograms;
  readonly openInput: OpenInput;
  readonly clock: Clock;
  readonly sink: RunSink;
}

/** How a run came to its end. */
export type RunEnd =
  /** It gave all that it could, or was stopped. */
  | { readonly kind: "done" }
  /** It could not begin well; another start may (see slicer.ts). */
  | { readonly kind: "bad_start"; readonly why: BadStart["why"] }
  /** The film ended before the plan: what there was of segment `next`, null for nothing. */
  | { readonly kind: "film_ended"; readonly rest: Uint8Array | null }
  | { readonly kind: "failed"; readonly error: TorrxError };

export class Run {
  readonly #options: RunOptions;
  readonly #cutter: SegmentCutter;
  readonly #end: number;
  /** Settles when the process is gone and its input is closed. Never rejects. */
  readonly ended: Promise<RunEnd>;
  #isStopped = false;
  #process: MediaProcess | null = null;
  #wake: (() => void) | null = null;
  #leave: (() => void) | null = null;
  #storing: Promise<void>[] = [];
  #lastProgressMs: number;

  constructor(options: RunOptions) {
    this.#options = options;
    this.#end = endOfRun(options.job, options.start);
    this.#lastProgressMs = options.clock.nowMs();
    const { sink } = options;
    this.#cutter = new SegmentCutter({
      ...options,
      sink: {
        init: (bytes) => sink.init(bytes),
        segment: (n, bytes) => void this.#storing.push(sink.segment(n, bytes)),
      },
    });
    this.ended = this.#run();
  }

  get first(): number {
    return this.#options.start.segment;
  }

  get stepsBack(): number {
    return this.#options.start.stepsBack;
  }

  /** The segment that comes out next. */
  get next(): number {
    return this.#cutter.next;
  }

  /** Behind the last segment that it can give. */
  get end(): number {
    return this.#end;
  }

  /** When ffmpeg last wrote anything (Clock.nowMs()); its start, until then. */
  get lastProgressMs(): number {
    return this.#lastProgressMs;
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Far enough ahead of what is wanted. */
  get isThrottled(): boolean {
    const { boundariesSec } = this.#options.job.plan;
    const wanted = Math.max(this.#options.wanted(), this.first);
    const ahead = (boundariesSec[this.next] ?? 0) - (boundariesSec[wanted + 1] ?? Number.POSITIVE_INFINITY);
    return ahead > this.#leadSec;
  }

  /** Goes on if more is wanted than before. */
  look(): void {
    if (!this.isThrottled) this.#wake?.();
  }

  /** Ends it; resolves when its process is gone. Idempotent. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#leave?.();
    // Why it could not be ended is told by `ended`.
    await Promise.allSettled([this.#process?.kill(), this.ended]);
  }

  get #leadSec(): number {
    return this.#options.job.work.kind === "encode_video"
      ? LIMITS.runs.leadEncodeSec
      : LIMITS.runs.leadCopySec;
  }

  async #run(): Promise<RunEnd> {
    try {
      const { job, start, openInput } = this.#options;
      const input = await openInput(seekPointOf(job, start).fromBytes);
      return await this.#runAndClose(input);
    } catch (error) {
      // What a stopped program's output says is of no interest.
      return this.#isStopped ? { kind: "done" } : { kind: "failed", error: failureOf(error) };
    }
  }

  async #runAndClose(input: LoopbackInput): Promise<RunEnd> {
    try {
      return this.#isStopped ? { kind: "done" } : await this.#runOn(input);
    } finally {
      try {
        await this.#process?.kill();
      } finally {
        input.close();
      }
    }
  }

  async #runOn(input: LoopbackInput): Promise<RunEnd> {
    const { job, start, programs } = this.#options;
    const argv = runArgv(job, start, input.url);
    const { work } = job;
    const encoder = work.kind === "encode_video" ? work.encoder : null;
    const process = await programs.start(
      { program: "ffmpeg", argv },
      { isEncode: encoder !== null, devices: encoder === null ? [] : devicesOf(encoder) },
    );
    this.#process = process;
    if (this.#isStopped) return { kind: "done" };
    this.#lastProgressMs = this.#options.clock.nowMs();
    try {
      const isWhole = await this.#read(process.stdout);
      return isWhole ? { kind: "done" } : await this.#conclude(await process.exited);
    } catch (error) {
      if (error instanceof BadStart) return { kind: "bad_start", why: error.why };
      throw error;
    }
  }

  /** True when the run has given all that it is for, or is stopped; false when the output ended. */
  async #read(stdout: MediaProcess["stdout"]): Promise<boolean> {
    const reader = stdout.getReader();
    while (!this.#isStopped) {
      if (this.isThrottled) {
        await this.#unlessStopped(this.#untilWanted());
        continue;
      }
      const { done, value } = await reader.read();
      if (this.#isStopped) return true;
      if (done) return false;
      this.#lastProgressMs = this.#options.clock.nowMs();
      this.#cutter.push(value);
      if (this.#storing.length > 0) await this.#unlessStopped(Promise.all(this.#storing.splice(0)));
      if (this.next >= this.#end) return true;
    }
    return true;
  }

  #untilWanted(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  /** No race with a promise of the run's own: that would keep a little of each wait for as long as the run lives. */
  #unlessStopped(wait: Promise<unknown>): Promise<unknown> {
    if (this.#isStopped) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#leave = () => resolve(undefined);
      wait.then(resolve, reject);
    });
  }

  async #conclude(exit: MediaExit): Promise<RunEnd> {
    if (this.#isStopped) return { kind: "done" };
    // ffmpeg takes an input that breaks off for one that ends, and exits with 0.
    if (exit.code !== 0 || isBrokenInput(exit.stderr)) return { kind: "failed", error: failureOf(exit) };
    const rest = this.#cutter.end();
    const isAll = this.next + 1 >= segmentsOf(this.#options.job.plan) && rest !== null;
    if (!isAll) return { kind: "film_ended", rest };
    await this.#options.sink.segment(this.next, rest);
    return { kind: "done" };
  }
}

function devicesOf(encoder: VideoEncoder): readonly string[] {
  if (encoder.kind === "x264") return [];
  return encoder.kind === "nvenc" ? NVIDIA_DEVICES : ["/dev/dri"];
}

const NVIDIA_DEVICES = ["/dev/nvidia0", "/dev/nvidiactl", "/dev/nvidia-uvm"];
