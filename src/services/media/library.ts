// What each file is made of: its index of key frames and what ffprobe says of it. Found out once, by one reading for all
// who ask, and kept in the database; it goes with its torrent. A failure is remembered for a moment, so that a page that
// asks again and again starts no program each time.

import type { InfoHash } from "../../base/brand.ts";
import type { Clock } from "../../base/clock.ts";
import { describeError, TorrxError } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import type { DeferredWrites, JsonValue, MediaFileKey, MediaRepository } from "../../db/index.ts";
import { codecStringOf, type MediaIndex, type MediaProbe, SharedTask, withIndex } from "../../media/index.ts";
import { fileSource } from "./file-source.ts";
import { INDEX_READER, toIndexRow, tryIndexRow } from "./index-record.ts";
import type { LoopbackInputs, ReadingViewer } from "./loopback-inputs.ts";
import { Places } from "./places.ts";
import type { MediaFacts, MediaFile, MediaReading } from "./ports.ts";

export interface LibraryParts {
  readonly repository: Pick<MediaRepository, "index" | "putIndex" | "probe" | "putProbe">;
  readonly writes: Pick<DeferredWrites, "put">;
  readonly inputs: Pick<LoopbackInputs, "open" | "readBytesOf">;
  readonly isComplete: (file: MediaFile) => boolean;
  readonly reading: MediaReading;
  readonly clock: Clock;
  readonly log: Log;
}

/** To be raised whenever the probe tells more, or other things, than before. */
const PROBE_READER = 2;
const FAILURE_KEPT_MS = 10_000;
/** Facts kept in memory; an index of a long film takes some 100 KB. */
const KEPT = 64;
/** The index lies in the last piece more often than anywhere else. */
const TAIL_BYTES = 64 * 1024;
/** Files that are read at once: each is a program, and some of its viewer's connections. */
const READ_AT_ONCE = 3;
/** Of those that are on their way; apart, so that a film without peers is in the way of none that is there. */
const FETCHED_AT_ONCE = 6;

interface Failure {
  readonly error: unknown;
  readonly untilMs: number;
}

export class MediaLibrary {
  readonly #parts: LibraryParts;
  /** The longest unused first. */
  readonly #known = new Map<string, MediaFacts>();
  readonly #tasks = new Map<string, SharedTask<MediaFacts>>();
  readonly #failures = new Map<string, Failure>();
  /** Of files that are being read. */
  readonly #lastReadBytes = new Map<string, number>();
  readonly #readPlaces = new Places(READ_AT_ONCE);
  readonly #fetchPlaces = new Places(FETCHED_AT_ONCE);

  constructor(parts: LibraryParts) {
    this.#parts = parts;
  }

  /** What is known without reading the file. */
  known(file: MediaFile): MediaFacts | null {
    const key = keyOf(file);
    const facts = this.#known.get(key) ?? this.#stored(file);
    if (facts !== null) this.#keep(key, facts);
    return facts;
  }

  /** Reads the file where nothing is known of it, for `reader`. Rejects what the reading rejects, or the signal's reason. */
  facts(file: MediaFile, reader: ReadingViewer, signal: AbortSignal): Promise<MediaFacts> {
    const known = this.known(file);
    if (known !== null) return Promise.resolve(known);
    const key = keyOf(file);
    const failure = this.#failures.get(key);
    if (failure !== undefined && failure.untilMs > this.#parts.clock.nowMs())
      return Promise.reject(failure.error);
    return this.#taskFor(key, file, reader).wait(signal);
  }

  /** The torrent is gone. */
  forget(torrent: InfoHash): void {
    const isIts = (key: string) => key.startsWith(torrent);
    const gone = new TorrxError("not_found", "The torrent was removed.");
    for (const [key, task] of this.#tasks) if (isIts(key)) task.giveUp(gone);
    for (const key of [...this.#known.keys()].filter(isIts)) this.#known.delete(key);
    for (const key of [...this.#failures.keys()].filter(isIts)) this.#failures.delete(key);
  }

  close(): void {
    const end = new TorrxError("not_found", "The server stops.");
    for (const task of this.#tasks.values()) task.giveUp(end);
  }

  #taskFor(key: string, file: MediaFile, reader: ReadingViewer): SharedTask<MediaFacts> {
    const running = this.#tasks.get(key);
    if (running !== undefined && !running.isGivenUp) return running;
    const task = new SharedTask(this.#parts.clock, async (signal) => {
      try {
        const facts = await this.#readInTurn(file, reader, signal);
        this.#failures.delete(key);
        this.#keep(key, facts);
        return facts;
      } catch (error) {
        if (!signal.aborted) this.#remember(key, error);
        throw error;
      } finally {
        if (this.#tasks.get(key) === task) this.#tasks.delete(key);
      }
    });
    this.#tasks.set(key, task);
    return task;
  }

  #readInTurn(file: MediaFile, reader: ReadingViewer, signal: AbortSignal): Promise<MediaFacts> {
    const places = this.#parts.isComplete(file) ? this.#readPlaces : this.#fetchPlaces;
    return places.within(signal, () => this.#read(file, reader, signal));
  }

  async #read(file: MediaFile, reader: ReadingViewer, signal: AbortSignal): Promise<MediaFacts> {
    const input = this.#parts.inputs.open(file, reader);
    const { index, probe } = this.#storedParts(file);
    const over = new AbortController();
    const either = AbortSignal.any([signal, over.signal]);
    const readings = [
      index ?? this.#readIndex(file, input.url, either),
      probe ?? this.#parts.reading.probe(input.url, either, () => this.#isWaiting(file)),
    ] as const;
    try {
      const [foundIndex, foundProbe] = await Promise.all(readings);
      const facts = { index: foundIndex, probe: withIndex(foundProbe, foundIndex, codecStringOf) };
      if (!signal.aborted) this.#store(file, facts);
      return facts;
    } finally {
      // Where one has failed the other ends too, before its place is another's.
      over.abort();
      input.close();
      await Promise.allSettled(readings);
      this.#lastReadBytes.delete(keyOf(file));
    }
  }

  /** Nothing of an incomplete file has been read since the last look. */
  #isWaiting(file: MediaFile): boolean {
    const readBytes = this.#parts.inputs.readBytesOf(file);
    const isStill = readBytes === this.#lastReadBytes.get(keyOf(file));
    this.#lastReadBytes.set(keyOf(file), readBytes);
    return isStill && !this.#parts.isComplete(file);
  }

  async #readIndex(file: MediaFile, url: string, signal: AbortSignal): Promise<MediaIndex> {
    const source = fileSource({ url }, file.lengthBytes);
    const reading = new AbortController();
    const both = AbortSignal.any([signal, reading.signal]);
    // Asked for beside the head, so that the swarm brings both at once; what it is does not matter here.
    const tail = source.read(Math.max(0, file.lengthBytes - TAIL_BYTES), TAIL_BYTES, both);
    tail.catch((error: unknown) => {
      if (!both.aborted)
        this.#parts.log.debug("the end of a file was not read", { error: describeError(error) });
    });
    try {
      return await this.#parts.reading.readIndex(source, signal);
    } finally {
      reading.abort();
    }
  }

  #stored(file: MediaFile): MediaFacts | null {
    const { index, probe } = this.#storedParts(file);
    return index === null || probe === null ? null : { index, probe };
  }

  #storedParts({ torrent, file }: MediaFile): { index: MediaIndex | null; probe: MediaProbe | null } {
    const { repository } = this.#parts;
    const row = repository.index({ torrent, file, reader: INDEX_READER });
    const probe = repository.probe({ torrent, file, reader: PROBE_READER });
    return {
      index: row === undefined ? null : tryIndexRow(row),
      probe: probe === undefined ? null : (probe as MediaProbe),
    };
  }

  #store({ torrent, file }: MediaFile, { index, probe }: MediaFacts): void {
    const { repository, writes } = this.#parts;
    const key = (reader: number): MediaFileKey => ({ torrent, file, reader });
    writes.put(`media-${file}:${torrent}`, () => {
      repository.putIndex(key(INDEX_READER), toIndexRow(index));
      repository.putProbe(key(PROBE_READER), probe as unknown as JsonValue);
    });
  }

  #keep(key: string, facts: MediaFacts): void {
    this.#known.delete(key);
    this.#known.set(key, facts);
    const oldest = this.#known.keys().next();
    if (this.#known.size > KEPT && !oldest.done) this.#known.delete(oldest.value);
  }

  /** That there was no room says nothing of the file. */
  #remember(key: string, error: unknown): void {
    if (error instanceof TorrxError && error.code === "busy") return;
    this.#failures.set(key, { error, untilMs: this.#parts.clock.nowMs() + FAILURE_KEPT_MS });
    for (const [other, { untilMs }] of this.#failures) {
      if (untilMs <= this.#parts.clock.nowMs()) this.#failures.delete(other);
    }
  }
}

function keyOf({ torrent, file }: MediaFile): string {
  return `${torrent} ${file}`;
}
