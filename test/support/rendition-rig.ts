// A film on a loopback server and its renditions, made by the real ffmpeg.

import { closeSync, openSync, readSync, statSync } from "node:fs";
import { EXEC_PATH } from "../../native/exec-path.ts";
import { systemClock } from "../../src/base/clock.ts";
import { silentLog } from "../../src/base/log.ts";
import { readMediaIndex } from "../../src/media/container/read-media-index.ts";
import { planAudio, planLinear, planVideo } from "../../src/media/plan/segment-plan.ts";
import type {
  AudioTrack,
  MediaIndex,
  MediaProbe,
  MediaSource,
  SegmentPlan,
  VideoTrack,
} from "../../src/media/ports.ts";
import { probeFile } from "../../src/media/probe/probe-file.ts";
import { createMediaPrograms, type SupervisedPrograms } from "../../src/media/process/media-programs.ts";
import type { SegmentStore } from "../../src/media/runs/ports.ts";
import { Rendition, type RenditionOptions } from "../../src/media/runs/rendition.ts";
import type { FfmpegTools, RunWork } from "../../src/media/runs/run-job.ts";
import { RunLimits } from "../../src/media/runs/run-limits.ts";
import { FilmServer } from "./film-server.ts";

export class MemoryStore implements SegmentStore {
  readonly kept = new Map<string, Uint8Array>();
  /** Keys in the order in which they came. */
  readonly puts: string[] = [];

  get(key: string): Promise<Uint8Array | null> {
    return Promise.resolve(this.kept.get(key) ?? null);
  }

  put(key: string, bytes: Uint8Array): Promise<void> {
    this.puts.push(key);
    this.kept.set(key, bytes);
    return Promise.resolve();
  }

  has(key: string): boolean {
    return this.kept.has(key);
  }
}

export const TEST_TOOLS: FfmpegTools = { threads: 2, hasZscale: true };

export const PLAIN_VIDEO: VideoTrack = {
  kind: "video",
  stream: 0,
  codec: "h264",
  codecString: null,
  profile: null,
  level: null,
  width: 320,
  height: 180,
  framesPerSec: 24_000 / 1001,
  bitDepth: 8,
  pixelFormat: "yuv420p",
  isInterlaced: false,
  dynamicRange: "sdr",
  bitsPerSec: null,
};

export const PLAIN_AUDIO: AudioTrack = {
  kind: "audio",
  stream: 1,
  index: 0,
  codec: "aac",
  codecString: "mp4a.40.2",
  profile: "LC",
  channels: 2,
  sampleRate: 48_000,
  language: null,
  title: null,
  isDefault: true,
  isCommentary: false,
  bitsPerSec: null,
};

export function fileSource(path: string): MediaSource {
  return {
    lengthBytes: statSync(path).size,
    read: (atBytes, lengthBytes) => {
      const bytes = new Uint8Array(lengthBytes);
      const descriptor = openSync(path, "r");
      const count = readSync(descriptor, bytes, 0, lengthBytes, atBytes);
      closeSync(descriptor);
      return Promise.resolve(bytes.subarray(0, count));
    },
  };
}

/** What a probe tells of a film without an index. */
type Clocked = Partial<Pick<MediaProbe, "startSec" | "durationSec">>;

export class FilmRig {
  readonly server: FilmServer;
  readonly index: MediaIndex;
  readonly programs: SupervisedPrograms;
  readonly limits: RunLimits;
  readonly #renditions: Rendition[] = [];

  private constructor(server: FilmServer, index: MediaIndex) {
    this.server = server;
    this.index = index;
    this.limits = new RunLimits({ clock: systemClock, encodes: 2 });
    this.programs = createMediaPrograms({
      execPath: EXEC_PATH,
      ffmpegPath: "ffmpeg",
      log: silentLog,
      clock: systemClock,
      loopbackPort: () => server.port,
    });
  }

  static async open(path: string): Promise<FilmRig> {
    const index = await readMediaIndex(fileSource(path), AbortSignal.timeout(10_000));
    return new FilmRig(await FilmServer.start(path), index);
  }

  async probe(): Promise<MediaProbe> {
    const { programs } = this;
    const { url, close } = await this.server.openInput(null);
    const probe = await probeFile({ programs, url, clock: systemClock, signal: AbortSignal.timeout(10_000) });
    close();
    return probe;
  }

  /** Segments as long as the film's short length allows. */
  videoPlan(targetSec = 1): SegmentPlan {
    const { keyframes, durationSec } = this.index;
    const plan = keyframes === null ? null : planVideo({ keyframes, durationSec, targetSec });
    if (plan === null) throw new Error("the film has no key frames");
    return plan;
  }

  linearPlan(targetSec = 1, framesPerSec: number | null = null, clock: Clocked = {}): SegmentPlan {
    const durationSec = this.index.durationSec ?? clock.durationSec ?? 8;
    const plan = planLinear({ ...clock, durationSec, targetSec, framesPerSec });
    if (plan === null) throw new Error("the film has no length");
    return plan;
  }

  audioPlan(sampleRate: number, clock: Clocked = {}): SegmentPlan {
    const durationSec = this.index.durationSec ?? clock.durationSec ?? null;
    const plan = planAudio({ ...clock, durationSec, sampleRate });
    if (plan === null) throw new Error("the film has no length");
    return plan;
  }

  rendition(work: RunWork, plan: SegmentPlan, more: Partial<RenditionOptions> = {}): Rendition {
    const rendition = new Rendition({
      id: `film/${work.kind}`,
      job: { work, plan, tools: TEST_TOOLS },
      programs: this.programs,
      openInput: this.server.openInput,
      store: new MemoryStore(),
      limits: this.limits,
      clock: systemClock,
      log: silentLog,
      ...more,
    });
    this.#renditions.push(rendition);
    return rendition;
  }

  /** Ends all; rejects when a program is left. */
  async close(): Promise<void> {
    await Promise.all(this.#renditions.map((rendition) => rendition.close()));
    const left = this.programs.pids;
    await this.programs.killAll();
    this.limits.close();
    this.server.close();
    if (left.length > 0) throw new Error(`programs are left: ${left.join(", ")}`);
  }
}
