// One text track inside a film: the cues that were read of it, and the reading of those that were not.

import type { Clock } from "../../base/clock.ts";
import { TorrxError } from "../../base/errors.ts";
import { SharedTask } from "../shared-task.ts";
import type { Cue } from "./cue.ts";
import type { CueReader } from "./cue-reader.ts";
import { CueStore, type TimeRange } from "./cue-store.ts";

export interface EmbeddedTrackParts {
  /** Null where only ffmpeg can read the track. */
  readonly reader: (signal: AbortSignal) => Promise<CueReader | null>;
  /** All cues, of a complete file. */
  readonly readWhole: (reader: CueReader | null, signal: AbortSignal) => Promise<Cue[]>;
  readonly isComplete: () => boolean;
  readonly clock: Clock;
}

/** More at once would be a whole film's pieces fetched for its text. */
const WINDOW_MAX_SEC = 120;

export class EmbeddedTrack {
  readonly #parts: EmbeddedTrackParts;
  readonly #store = new CueStore();
  #whole: SharedTask<void> | null = null;

  constructor(parts: EmbeddedTrackParts) {
    this.#parts = parts;
  }

  /** What has been read so far, and the stretches of the film of which that is all. */
  get known(): { readonly cues: readonly Cue[]; readonly ranges: readonly TimeRange[] } {
    return { cues: this.#store.all, ranges: this.#store.known };
  }

  /** Whether windows can be read while the file is incomplete; else `cues` works when it is complete. */
  async isReadableInWindows(signal: AbortSignal): Promise<boolean> {
    return (await this.#parts.reader(signal)) !== null;
  }

  /**
   * The cues on the screen within [fromSec, toSec), ascending; waits for the bytes that hold them. Of an incomplete file
   * at most 120 s at once; of a complete one `toSec` may be infinite.
   *
   * Rejects TorrxError("not_ready") for what can be read when the file is complete, TorrxError("unsupported_media") where
   * ffmpeg cannot read the track, what the source rejects with, or the signal's reason.
   */
  async cues(fromSec: number, toSec: number, signal: AbortSignal): Promise<Cue[]> {
    for (const range of this.#store.missing(fromSec, toSec)) await this.#read(range, signal);
    return this.#store.within(fromSec, toSec);
  }

  async #read(range: TimeRange, signal: AbortSignal): Promise<void> {
    const reader = await this.#parts.reader(signal);
    const isComplete = this.#parts.isComplete();
    const isShort = range.toSec - range.fromSec <= WINDOW_MAX_SEC;
    const cues = reader === null || !isShort ? null : await reader.read(range.fromSec, range.toSec, signal);
    if (cues !== null) this.#store.add(range, cues);
    else if (isComplete) await this.#wholeOnce(reader).wait(signal);
    else throw new TorrxError("not_ready", "These subtitles can be read when the file is complete.");
  }

  /** Goes on while anybody waits for it, and a moment longer. What went wrong is tried again by the next who asks. */
  #wholeOnce(reader: CueReader | null): SharedTask<void> {
    if (this.#whole !== null && !this.#whole.isGivenUp) return this.#whole;
    const { clock, readWhole } = this.#parts;
    const whole = new SharedTask(clock, async (signal) => {
      try {
        const cues = await readWhole(reader, signal);
        this.#store.add({ fromSec: 0, toSec: Number.POSITIVE_INFINITY }, cues);
      } finally {
        if (this.#whole === whole) this.#whole = null;
      }
    });
    this.#whole = whole;
    return whole;
  }
}
