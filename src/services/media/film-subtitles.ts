// The subtitles of films: which there are, and their text. A file beside the film is read whole, once: it is small, and
// then all of it is there. What lies inside a film is read where the film is played, window by window.

import type { Clock } from "../../base/clock.ts";
import { TorrxError } from "../../base/errors.ts";
import {
  type Cue,
  EmbeddedSubtitles,
  type ListedFile,
  type MediaPrograms,
  parseSubtitles,
  type Sidecar,
} from "../../media/index.ts";
import { fileSource } from "./file-source.ts";
import type { LoopbackInputs, ReadingViewer } from "./loopback-inputs.ts";
import type { MediaFacts, MediaFile } from "./ports.ts";
import { SharedTask } from "./shared-task.ts";
import { isText, type ListedSubtitle, subtitlesOf } from "./subtitle-list.ts";

export interface FilmSubtitlesParts {
  /** Of a torrent. */
  readonly listFiles: (torrent: MediaFile["torrent"]) => readonly ListedFile[];
  readonly isComplete: (file: MediaFile) => boolean;
  readonly inputs: Pick<LoopbackInputs, "open">;
  readonly programs: MediaPrograms;
  readonly clock: Clock;
}

export interface SubtitledFilm {
  readonly file: MediaFile;
  readonly facts: MediaFacts;
}

/** A stretch of the film; all of it for null. */
export type Stretch = { readonly fromSec: number; readonly toSec: number } | null;

export interface CuesAsked {
  readonly reader: ReadingViewer;
  readonly signal: AbortSignal;
  readonly stretch: Stretch;
}

interface Inside {
  readonly subtitles: EmbeddedSubtitles;
  /** Who asked last: the file is read for them. */
  reader: ReadingViewer;
}

/** Subtitle files, and films, of which the text is kept. */
const KEPT = 32;

export class FilmSubtitles {
  readonly #parts: FilmSubtitlesParts;
  /** By torrent and file, the longest unused first. */
  readonly #beside = new Map<string, SharedTask<readonly Cue[]>>();
  readonly #inside = new Map<string, Inside>();

  constructor(parts: FilmSubtitlesParts) {
    this.#parts = parts;
  }

  list({ file, facts }: SubtitledFilm): ListedSubtitle[] {
    return subtitlesOf(facts, file, this.#parts.listFiles(file.torrent));
  }

  /** Those that can be had as text while the film plays. Rejects what the reading of the file rejects. */
  async playable(film: SubtitledFilm, reader: ReadingViewer, signal: AbortSignal): Promise<ListedSubtitle[]> {
    const listed = this.list(film).filter(isText);
    const answers = await Promise.all(
      listed.map(async (one) => {
        if (one.kind === "sidecar") return true;
        const track = this.#insideOf(film, reader).track(one.track);
        if (track === null) return false;
        return this.#parts.isComplete(film.file) || (await track.isReadableInWindows(signal));
      }),
    );
    return listed.filter((_, i) => answers[i] === true);
  }

  /**
   * The cues of a stretch; of the whole film as far as they are known, while it is incomplete. Rejects
   * unsupported_media for what cannot be shown as text, not_ready for what can be when the film is complete, and what
   * the reading of the file rejects.
   */
  async cues(film: SubtitledFilm, subtitle: ListedSubtitle, asked: CuesAsked): Promise<readonly Cue[]> {
    if (subtitle.kind === "sidecar") return await this.#besideOf(film, subtitle.sidecar, asked);
    const track = this.#insideOf(film, asked.reader).track(subtitle.track);
    if (track === null) throw new TorrxError("unsupported_media", "these subtitles cannot be shown as text");
    if (asked.stretch === null && !this.#parts.isComplete(film.file)) return track.known.cues;
    const { fromSec, toSec } = asked.stretch ?? { fromSec: 0, toSec: Number.POSITIVE_INFINITY };
    return await track.cues(fromSec, toSec, asked.signal);
  }

  /** The torrent is gone. */
  forget(torrent: string): void {
    for (const key of [...this.#beside.keys()]) if (key.startsWith(torrent)) this.#beside.delete(key);
    for (const key of [...this.#inside.keys()]) if (key.startsWith(torrent)) this.#close(key);
  }

  close(): void {
    for (const key of [...this.#inside.keys()]) this.#close(key);
  }

  #close(key: string): void {
    this.#inside.get(key)?.subtitles.close();
    this.#inside.delete(key);
  }

  async #besideOf({ file }: SubtitledFilm, sidecar: Sidecar, asked: CuesAsked): Promise<readonly Cue[]> {
    const key = `${file.torrent} ${sidecar.fileIndex}`;
    const known = this.#beside.get(key);
    const task =
      known === undefined || known.isGivenUp ? this.#read(key, sidecar, { file, ...asked }) : known;
    touch(this.#beside, key, task);
    const oldest = oldestOf(this.#beside);
    if (oldest !== null) this.#beside.delete(oldest);
    return await task.wait(asked.signal);
  }

  #read(
    key: string,
    { fileIndex, lengthBytes, format, language }: Sidecar,
    { file, reader }: { file: MediaFile; reader: ReadingViewer },
  ): SharedTask<readonly Cue[]> {
    return new SharedTask(this.#parts.clock, async (signal) => {
      const input = this.#parts.inputs.open({ torrent: file.torrent, file: fileIndex }, reader);
      try {
        const bytes = await fileSource(input, lengthBytes).read(0, lengthBytes, signal);
        return parseSubtitles(bytes, format, language);
      } catch (error) {
        this.#beside.delete(key);
        throw error;
      } finally {
        input.close();
      }
    });
  }

  #insideOf(film: SubtitledFilm, reader: ReadingViewer): EmbeddedSubtitles {
    const key = `${film.file.torrent} ${film.file.file}`;
    const inside = this.#inside.get(key) ?? this.#begin(film, reader);
    inside.reader = reader;
    touch(this.#inside, key, inside);
    const oldest = oldestOf(this.#inside);
    if (oldest !== null) this.#close(oldest);
    return inside.subtitles;
  }

  #begin({ file, facts }: SubtitledFilm, reader: ReadingViewer): Inside {
    const { inputs, isComplete, programs } = this.#parts;
    const openInput = () => inputs.open(file, inside.reader);
    const { lengthBytes } = file;
    const inside: Inside = {
      reader,
      subtitles: new EmbeddedSubtitles({
        container: facts.index.container,
        programs,
        openInput,
        isComplete: () => isComplete(file),
        source: {
          lengthBytes,
          async read(atBytes, wantedBytes, signal) {
            const input = openInput();
            try {
              return await fileSource(input, lengthBytes).read(atBytes, wantedBytes, signal);
            } finally {
              input.close();
            }
          },
        },
      }),
    };
    return inside;
  }
}

/** It is the most recently used from now on. */
function touch<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key);
  map.set(key, value);
}

/** What there is one too many of. */
function oldestOf(map: ReadonlyMap<string, unknown>): string | null {
  const [oldest] = map.keys();
  return map.size > KEPT && oldest !== undefined ? oldest : null;
}
