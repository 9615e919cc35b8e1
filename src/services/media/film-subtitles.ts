// The subtitles of films: which there are, and their text. A file beside the film is read whole, once: it is small, and
// then all of it is there. What lies inside a film is read where the film is played, window by window.

import type { Clock } from "../../base/clock.ts";
import { describeError, TorrxError } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import {
  type Cue,
  type EmbeddedOptions,
  EmbeddedSubtitles,
  type ListedFile,
  type MediaPrograms,
  parseSubtitles,
  SharedTask,
  type Sidecar,
  type SubtitleTrack,
} from "../../media/index.ts";
import { fileSource } from "./file-source.ts";
import type { InputPlace, LoopbackInputs, ReadingViewer } from "./loopback-inputs.ts";
import type { MediaFacts, MediaFile } from "./ports.ts";
import { isText, type ListedSubtitle, numbered, sidecarsBeside } from "./subtitle-list.ts";

export interface FilmSubtitlesParts {
  /** Of a torrent. */
  readonly listFiles: (torrent: MediaFile["torrent"]) => readonly ListedFile[];
  readonly isComplete: (file: MediaFile) => boolean;
  readonly inputs: Pick<LoopbackInputs, "open">;
  readonly programs: MediaPrograms;
  readonly takePlace: EmbeddedOptions["takePlace"];
  readonly clock: Clock;
  readonly log: Log;
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

type Ending = { readonly code: "not_found"; readonly message: string };
const REMOVED: Ending = { code: "not_found", message: "The torrent was removed." };
const STOPPING: Ending = { code: "not_found", message: "The server stops." };

export class FilmSubtitles {
  readonly #parts: FilmSubtitlesParts;
  /** By torrent and file, the longest unused first. */
  readonly #beside = new Map<string, SharedTask<readonly Cue[]>>();
  readonly #inside = new Map<string, Inside>();
  readonly #sidecars = new Map<string, readonly Sidecar[]>();

  constructor(parts: FilmSubtitlesParts) {
    this.#parts = parts;
  }

  list({ file, facts }: SubtitledFilm): ListedSubtitle[] {
    return numbered(facts, this.#sidecarsOf(file));
  }

  /** The file that is waited for where one waits for these subtitles. */
  placeOf({ file }: SubtitledFilm, subtitle: ListedSubtitle): InputPlace {
    const isBeside = subtitle.kind === "sidecar";
    return { torrent: file.torrent, file: isBeside ? subtitle.sidecar.fileIndex : file.file };
  }

  /** Asked for with each part of a film's text, of a torrent that may have thousands of files. */
  #sidecarsOf(file: MediaFile): readonly Sidecar[] {
    const key = keyOf(file);
    const sidecars = this.#sidecars.get(key) ?? sidecarsBeside(file, this.#parts.listFiles(file.torrent));
    touch(this.#sidecars, key, sidecars);
    const oldest = oldestOf(this.#sidecars);
    if (oldest !== null) this.#sidecars.delete(oldest);
    return sidecars;
  }

  /** Those that can be had as text while the film plays. Rejects what the reading of the file rejects. */
  async playable(film: SubtitledFilm, reader: ReadingViewer, signal: AbortSignal): Promise<ListedSubtitle[]> {
    const listed = this.list(film).filter(isText);
    const answers = await Promise.all(
      listed.map(async (one) => {
        if (one.kind === "sidecar") return true;
        return await this.#canBePlayed(one.track, film, { reader, signal });
      }),
    );
    return listed.filter((_, i) => answers[i] === true);
  }

  /** A track that cannot be had now is left out, so that the film plays without it. Rejects the signal's reason. */
  async #canBePlayed(
    one: SubtitleTrack,
    film: SubtitledFilm,
    { reader, signal }: Omit<CuesAsked, "stretch">,
  ): Promise<boolean> {
    const track = this.#insideOf(film, reader).track(one);
    if (track === null) return false;
    if (this.#parts.isComplete(film.file)) return true;
    try {
      return await track.isReadableInWindows(signal);
    } catch (error) {
      signal.throwIfAborted();
      this.#parts.log.warn("subtitles are left out", { stream: one.stream, error: describeError(error) });
      return false;
    }
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
    for (const key of [...this.#beside.keys()]) if (key.startsWith(torrent)) this.#giveUp(key, REMOVED);
    for (const key of [...this.#inside.keys()]) if (key.startsWith(torrent)) this.#close(key);
    for (const key of [...this.#sidecars.keys()]) if (key.startsWith(torrent)) this.#sidecars.delete(key);
  }

  close(): void {
    for (const key of [...this.#beside.keys()]) this.#giveUp(key, STOPPING);
    for (const key of [...this.#inside.keys()]) this.#close(key);
  }

  #giveUp(key: string, { code, message }: Ending): void {
    this.#beside.get(key)?.giveUp(new TorrxError(code, message));
    this.#beside.delete(key);
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
    const task = new SharedTask(this.#parts.clock, async (signal) => {
      const input = this.#parts.inputs.open({ torrent: file.torrent, file: fileIndex }, reader);
      try {
        const bytes = await fileSource(input, lengthBytes).read(0, lengthBytes, signal);
        return parseSubtitles(bytes, format, language);
      } catch (error) {
        // Another may be at it by now.
        if (this.#beside.get(key) === task) this.#beside.delete(key);
        throw error;
      } finally {
        input.close();
      }
    });
    return task;
  }

  #insideOf(film: SubtitledFilm, reader: ReadingViewer): EmbeddedSubtitles {
    const key = keyOf(film.file);
    const inside = this.#inside.get(key) ?? this.#begin(film, reader);
    inside.reader = reader;
    touch(this.#inside, key, inside);
    const oldest = oldestOf(this.#inside);
    if (oldest !== null) this.#close(oldest);
    return inside.subtitles;
  }

  #begin({ file, facts }: SubtitledFilm, reader: ReadingViewer): Inside {
    const { inputs, isComplete, programs, takePlace, clock } = this.#parts;
    const openInput = () => inputs.open(file, inside.reader);
    const { lengthBytes } = file;
    const inside: Inside = {
      reader,
      subtitles: new EmbeddedSubtitles({
        container: facts.index.container,
        ...{ programs, takePlace, clock },
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

function keyOf({ torrent, file }: MediaFile): string {
  return `${torrent} ${file}`;
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
