// The text tracks inside a film. Each keeps the cues that were read; what is missing of a window is read from its own
// place in the file, so that a window costs kilobytes of what the film's own run needs anyway. Only tracks that we
// cannot read ourselves go through ffmpeg, when the file is complete: one process per file at a time.

import type { Clock } from "../../base/clock.ts";
import { TorrxError } from "../../base/errors.ts";
import type { Container, LoopbackInput, MediaPrograms, MediaSource, SubtitleTrack } from "../ports.ts";
import { unlessAborted } from "../unless-aborted.ts";
import type { Cue } from "./cue.ts";
import type { CueReader } from "./cue-reader.ts";
import { EmbeddedTrack } from "./embedded-track.ts";
import { openTextTracks, type TextTracks } from "./open-text-tracks.ts";
import { isTextSubtitle } from "./text-codecs.ts";
import { readWholeTrack } from "./whole-pass.ts";

export interface EmbeddedOptions {
  readonly source: MediaSource;
  readonly container: Container;
  readonly programs: MediaPrograms;
  /** Closed when the process that reads it is gone. */
  readonly openInput: () => LoopbackInput;
  /** All bytes of the file are there. */
  readonly isComplete: () => boolean;
  /** A place among all programs that run; rejects busy where none comes free, or the signal's reason. */
  readonly takePlace: (signal: AbortSignal) => Promise<{ release(): void }>;
  readonly clock: Clock;
}

export class EmbeddedSubtitles {
  readonly #options: EmbeddedOptions;
  readonly #tracks = new Map<number, EmbeddedTrack>();
  readonly #life = new AbortController();
  #opening: Promise<TextTracks> | null = null;
  /** Whole passes, one behind the other. */
  #passes: Promise<unknown> = Promise.resolve();

  constructor(options: EmbeddedOptions) {
    this.#options = options;
  }

  /** The same object for the same track; null for pictures. */
  track(track: SubtitleTrack): EmbeddedTrack | null {
    if (!isTextSubtitle(track.codec)) return null;
    const known = this.#tracks.get(track.stream);
    if (known !== undefined) return known;
    const made = new EmbeddedTrack({
      reader: async (signal) => (await this.#opened(signal)).get(track.stream) ?? null,
      readWhole: (reader, signal) => {
        return this.#readWhole(track, reader, AbortSignal.any([signal, this.#life.signal]));
      },
      isComplete: this.#options.isComplete,
      clock: this.#options.clock,
    });
    this.#tracks.set(track.stream, made);
    return made;
  }

  /** Ends what is being read; pending calls reject. */
  close(): void {
    this.#life.abort(new TorrxError("not_found", "The film was closed."));
  }

  async #opened(signal: AbortSignal): Promise<TextTracks> {
    const opening = this.#opening ?? this.#open();
    return await unlessAborted(opening, signal);
  }

  /** Shared by all who ask; what went wrong is tried again by the next. */
  #open(): Promise<TextTracks> {
    const { source, container } = this.#options;
    const opening = openTextTracks(source, container, this.#life.signal);
    this.#opening = opening;
    opening.catch(() => {
      if (this.#opening === opening) this.#opening = null;
    });
    return opening;
  }

  /** Our own reader needs the bytes of the text alone. */
  async #readWhole(track: SubtitleTrack, reader: CueReader | null, signal: AbortSignal): Promise<Cue[]> {
    const cues = await reader?.read(0, Number.POSITIVE_INFINITY, signal);
    if (cues !== undefined && cues !== null) return cues;
    const pass = this.#passes.then(() => this.#pass(track, signal));
    this.#passes = pass.catch(() => undefined);
    return await pass;
  }

  async #pass({ stream, codec }: SubtitleTrack, signal: AbortSignal): Promise<Cue[]> {
    const { programs, takePlace, openInput } = this.#options;
    const place = await takePlace(signal);
    const input = openInput();
    try {
      return await readWholeTrack({ programs, input, stream, codec, signal });
    } finally {
      input.close();
      place.release();
    }
  }
}
