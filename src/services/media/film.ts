// A file as it is cut for players: the plan of each of its tracks. Whoever watches it with segments of one length has
// the same plans, and shares what is made by them.

import type { ByteRange } from "../../base/byte-range.ts";
import {
  byteRangeOf,
  cuttingReasons,
  durationOf,
  planAudio,
  planLinear,
  planSubtitles,
  planVideo,
  type RenditionId,
  type SegmentPlan,
} from "../../media/index.ts";
import type { MediaFacts, MediaFile } from "./ports.ts";

export class Film {
  readonly file: MediaFile;
  readonly facts: MediaFacts;
  /** What segments last, about. */
  readonly segmentSec: number;
  /** Until ffmpeg turned out not to manage it. */
  canCopyVideo = true;
  /** null for sound alone, and where its length is not known. */
  readonly video: SegmentPlan | null;
  readonly #audio = new Map<number, SegmentPlan | null>();

  constructor(file: MediaFile, facts: MediaFacts, segmentSec: number) {
    this.file = file;
    this.facts = facts;
    this.segmentSec = segmentSec;
    this.video = videoPlan(facts, segmentSec);
  }

  get durationSec(): number | null {
    const { probe, index } = this.facts;
    return this.video === null ? (probe.durationSec ?? index.durationSec) : durationOf(this.video);
  }

  /** null where there is no such track, or none that can be cut. */
  planOf({ kind, track }: Pick<RenditionId, "kind" | "track">): SegmentPlan | null {
    switch (kind) {
      case "video":
        return this.video;
      case "audio":
        return this.#audioPlan(track);
      case "subtitle": {
        const plan = this.video ?? this.#audioPlan(0);
        return plan === null ? null : planSubtitles(plan);
      }
    }
  }

  /** Where in the file the segment's bytes are, about. */
  bytesOf(plan: SegmentPlan, segment: number): ByteRange {
    return byteRangeOf(plan, segment, { lengthBytes: this.file.lengthBytes, video: this.video });
  }

  #audioPlan(track: number): SegmentPlan | null {
    const known = this.#audio.get(track);
    if (known !== undefined) return known;
    const audio = this.facts.probe.audio.find(({ index }) => index === track);
    const { durationSec } = this;
    const onClock = clockOf(this.facts);
    const plan =
      audio === undefined ? null : planAudio({ durationSec, sampleRate: audio.sampleRate, ...onClock });
    this.#audio.set(track, plan);
    return plan;
  }
}

/** Cut at key frames where its pictures can be copied by them, else at equal lengths. */
function videoPlan({ index, probe }: MediaFacts, targetSec: number): SegmentPlan | null {
  const { video } = probe;
  if (video === null) return null;
  const durationSec = probe.durationSec ?? index.durationSec;
  const { keyframes } = index;
  const canBeCut = keyframes !== null && cuttingReasons(video, index).length === 0;
  const cut = canBeCut
    ? planVideo({ keyframes, durationSec: index.durationSec ?? durationSec, targetSec })
    : null;
  const { framesPerSec } = video;
  return cut ?? planLinear({ durationSec, targetSec, framesPerSec, ...clockOf({ index, probe }) });
}

/** A film with an index is on the file's own clock, as its key frames are. */
function clockOf({ index, probe }: MediaFacts): { readonly startSec?: number } {
  return index.keyframes === null && probe.startSec !== undefined ? { startSec: probe.startSec } : {};
}
