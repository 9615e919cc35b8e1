// The subtitles of films: which there are, and their text. A file beside the film is read whole, once; it is small, and
// all of it is there at once.

import type { Clock } from "../../base/clock.ts";
import { TorrxError } from "../../base/errors.ts";
import { type Cue, type ListedFile, parseSubtitles, type Sidecar } from "../../media/index.ts";
import { fileSource } from "./file-source.ts";
import type { InputPlace, LoopbackInputs, ReadingViewer } from "./loopback-inputs.ts";
import type { MediaFacts } from "./ports.ts";
import { SharedTask } from "./shared-task.ts";
import { type ListedSubtitle, subtitlesOf } from "./subtitle-list.ts";

export interface FilmSubtitlesParts {
  /** Of a torrent. */
  readonly listFiles: (torrent: InputPlace["torrent"]) => readonly ListedFile[];
  readonly inputs: Pick<LoopbackInputs, "open">;
  readonly clock: Clock;
}

/** Files whose cues are kept. */
const KEPT = 32;

export class FilmSubtitles {
  readonly #parts: FilmSubtitlesParts;
  /** By torrent and file, the longest unused first. */
  readonly #files = new Map<string, SharedTask<readonly Cue[]>>();

  constructor(parts: FilmSubtitlesParts) {
    this.#parts = parts;
  }

  list(film: InputPlace, facts: MediaFacts): ListedSubtitle[] {
    return subtitlesOf(facts, film, this.#parts.listFiles(film.torrent));
  }

  /** All that is known of them. Rejects unsupported_media for pictures, and what the reading of the file rejects. */
  async cues(
    film: InputPlace,
    subtitle: ListedSubtitle,
    { reader, signal }: { reader: ReadingViewer; signal: AbortSignal },
  ): Promise<readonly Cue[]> {
    if (subtitle.kind === "embedded") {
      throw new TorrxError("unsupported_media", "these subtitles cannot be shown as text");
    }
    const { sidecar } = subtitle;
    const key = `${film.torrent} ${sidecar.fileIndex}`;
    const known = this.#files.get(key);
    const task = known === undefined || known.isGivenUp ? this.#read(key, film, sidecar, reader) : known;
    this.#files.delete(key);
    this.#files.set(key, task);
    return await task.wait(signal);
  }

  /** The torrent is gone. */
  forget(torrent: string): void {
    for (const key of [...this.#files.keys()]) if (key.startsWith(torrent)) this.#files.delete(key);
  }

  #read(
    key: string,
    { torrent }: InputPlace,
    { fileIndex, lengthBytes, format, language }: Sidecar,
    reader: ReadingViewer,
  ): SharedTask<readonly Cue[]> {
    const oldest = this.#files.keys().next();
    if (this.#files.size >= KEPT && !oldest.done) this.#files.delete(oldest.value);
    return new SharedTask(this.#parts.clock, async (signal) => {
      const input = this.#parts.inputs.open({ torrent, file: fileIndex }, reader);
      try {
        const bytes = await fileSource(input, lengthBytes).read(0, lengthBytes, signal);
        return parseSubtitles(bytes, format, language);
      } catch (error) {
        this.#files.delete(key);
        throw error;
      } finally {
        input.close();
      }
    });
  }
}
