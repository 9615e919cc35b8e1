// One native window and what is remembered of it. Invariant: one reader at a time, because a window knows one waiting
// place only.

import type {
  FileToken,
  TorrentToken,
  WindowChunk,
  WindowShape,
  WindowState,
} from "../../../native/index.ts";
import type { WindowMemory } from "./window-memory.ts";

export interface WindowPlace {
  readonly torrent: TorrentToken;
  readonly fileStartBytes: number;
  readonly fileLengthBytes: number;
  readonly onWake: () => void;
}

/** What windows have done by now, also those that are closed. */
export interface Tally {
  readonly hits: number;
  readonly misses: number;
}

interface Origin {
  readonly torrent: TorrentToken;
  readonly shape: WindowShape;
}

export class StreamWindow {
  readonly torrent: TorrentToken;
  readonly #memory: WindowMemory;
  readonly #token: number;
  #shape: WindowShape;
  /** Where it was read last; null before the first read. */
  #atBytes: number | null = null;

  private constructor(memory: WindowMemory, token: number, { torrent, shape }: Origin) {
    this.torrent = torrent;
    this.#memory = memory;
    this.#token = token;
    this.#shape = shape;
    memory.shapeWindow(token, shape);
  }

  /** null where the torrent has been closed. */
  static open(
    memory: WindowMemory,
    place: WindowPlace,
    { shape, source }: { shape: WindowShape; source: FileToken | null },
  ): StreamWindow | null {
    const token = memory.openWindow(place);
    if (token === 0) return null;
    const window = new StreamWindow(memory, token, { torrent: place.torrent, shape });
    if (source !== null) window.setSource(source);
    return window;
  }

  /** Whether a read at `atBytes` would leave most of what it holds where it is. */
  reaches(atBytes: number): boolean {
    if (this.#atBytes === null) return true;
    const { behindBytes, aheadBytes } = this.#shape;
    return atBytes >= this.#atBytes - behindBytes && atBytes < this.#atBytes + aheadBytes;
  }

  setSource(file: FileToken): void {
    this.#memory.setWindowSource(this.#token, file);
  }

  reshape(shape: WindowShape): void {
    this.#shape = shape;
    this.#memory.shapeWindow(this.#token, shape);
  }

  read(atBytes: number, maxBytes: number): WindowChunk | WindowState {
    this.#atBytes = atBytes;
    return this.#memory.readWindow(this.#token, atBytes, maxBytes);
  }

  /** Also after close(). */
  unpin(pin: number): void {
    this.#memory.unpin(this.#token, pin);
  }

  figures() {
    return this.#memory.windowFigures(this.#token);
  }

  /** What it did in its life: afterwards it is not known any more. */
  close(): Tally {
    const { hits, misses } = this.figures();
    this.#memory.closeWindow(this.#token);
    return { hits, misses };
  }
}
