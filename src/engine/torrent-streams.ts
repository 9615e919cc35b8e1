// The viewers of one torrent: their readers, what they demand of the scheduler, and where the container's index lies.
// A new or moved reader turns the scheduler at once; ordinary progress is folded into the next update. No byte comes by
// here: the HTTP side takes them from its windows.

import type { Bitfield } from "../base/bitfield.ts";
import type { InfoHash } from "../base/brand.ts";
import type { Timer } from "../base/clock.ts";
import { describeError } from "../base/errors.ts";
import type { Geometry, TorrentFile } from "../metainfo/index.ts";
import type { TorrentStore } from "../store/index.ts";
import { locateIndex } from "../stream/demand/index.ts";
import type { OpenReader, ReaderId } from "../stream/ports.ts";
import type { Shared } from "./shared.ts";

/** Enough for MP4's first boxes and Matroska's SeekHead. */
const HEAD_BYTES = 64 * 1024;
/** Where the first look did not suffice; after this the index is not looked for. */
const LONG_HEAD_BYTES = 256 * 1024;
const PROGRESS_UPDATE_MS = 20;
/** One look never scans a whole film. */
const LOOK_AHEAD_PIECES = 512;

export interface StreamsOwner {
  readonly torrent: InfoHash;
  readonly store: TorrentStore;
  /** The pieces that readers may be given. */
  have(): Bitfield;
  readonly geometry: Geometry;
  /** Demands have changed: run the scheduler now. */
  demandsChanged(change: "moved" | "readers"): void;
}

export class TorrentStreams {
  readonly #owner: StreamsOwner;
  readonly #shared: Shared;
  readonly #files = new Map<ReaderId, TorrentFile>();
  /** Files whose head is being read. */
  readonly #searching = new Set<number>();
  /** Files whose first look at the head was too short. */
  readonly #shortHeads = new Set<number>();
  #updateTimer: Timer | null = null;
  #isClosed = false;

  constructor(owner: StreamsOwner, shared: Shared) {
    this.#owner = owner;
    this.#shared = shared;
  }

  open(request: OpenReader, file: TorrentFile): void {
    const { geometry } = this.#owner;
    this.#shared.streams.open(request, {
      range: geometry.fileRange(file),
      pieceLengthBytes: geometry.pieceLengthBytes,
    });
    this.#files.set(request.reader, file);
    this.#update("readers");
    this.#findIndex(file);
  }

  /** One past the last verified byte of `file` that follows `atBytes`; `atBytes` itself where there is none. */
  verifiedUntil(file: TorrentFile, atBytes: number): number {
    const { geometry } = this.#owner;
    const have = this.#owner.have();
    const first = geometry.pieceAt(file.offsetBytes + atBytes);
    const last = Math.min(geometry.pieceCount, first + LOOK_AHEAD_PIECES);
    let piece = first;
    while (piece < last && have.has(piece)) piece++;
    return piece === first
      ? atBytes
      : Math.min(file.lengthBytes, geometry.pieceStart(piece) - file.offsetBytes);
  }

  advance(reader: ReaderId, atBytes: number): void {
    this.#shared.streams.advance(reader, atBytes);
  }

  close(reader: ReaderId): void {
    if (!this.#files.delete(reader)) return;
    this.#shared.streams.close(reader);
    this.#update("readers");
  }

  /** The registry noted a change; progress of playheads is folded into one update. */
  noted(): void {
    if (this.#isClosed) return;
    this.#updateTimer ??= this.#shared.deps.clock.after(PROGRESS_UPDATE_MS, () => this.#update("moved"));
  }

  #update(change: "moved" | "readers"): void {
    this.#updateTimer?.cancel();
    this.#updateTimer = null;
    this.#owner.demandsChanged(change);
  }

  /** The piece is readable: its bytes may tell where indexes are. */
  pieceVerified(piece: number): void {
    for (const file of new Set(this.#files.values())) {
      const { first, end } = this.#owner.geometry.piecesOf(headOf(file));
      if (piece >= first && piece < end) this.#findIndex(file);
    }
  }

  /** After a check: what is had was found out anew. */
  haveChanged(): void {
    for (const file of new Set(this.#files.values())) this.#findIndex(file);
  }

  /** For good. */
  closeAll(): void {
    this.#isClosed = true;
    this.#updateTimer?.cancel();
    for (const reader of this.#files.keys()) this.#shared.streams.close(reader);
    this.#files.clear();
  }

  #findIndex(file: TorrentFile): void {
    const { streams, deps } = this.#shared;
    if (this.#searching.has(file.index) || streams.hasIndex(this.#owner.torrent, file.index)) return;
    const verifiedBytes = this.verifiedUntil(file, 0);
    const wantedBytes = this.#shortHeads.has(file.index) ? LONG_HEAD_BYTES : HEAD_BYTES;
    const lengthBytes = Math.min(file.lengthBytes, wantedBytes);
    if (lengthBytes === 0 || verifiedBytes < lengthBytes) return;
    this.#searching.add(file.index);
    this.#owner.store.read(file.offsetBytes, lengthBytes).then(
      (head) => this.#headRead(file, head),
      (error: unknown) => {
        this.#searching.delete(file.index);
        if (this.#isClosed) return;
        deps.log.warn("the head of a file could not be read", { error: describeError(error) });
      },
    );
  }

  #headRead(file: TorrentFile, head: Uint8Array): void {
    this.#searching.delete(file.index);
    if (this.#isClosed) return;
    const ranges = locateIndex(head, file.lengthBytes);
    if (ranges === null && !this.#shortHeads.has(file.index)) {
      this.#shortHeads.add(file.index);
      this.#findIndex(file);
      return;
    }
    this.#shared.streams.setIndex(this.#owner.torrent, file.index, ranges ?? []);
    this.#update("readers");
  }
}

function headOf(file: TorrentFile): { start: number; end: number } {
  return { start: file.offsetBytes, end: file.offsetBytes + Math.min(file.lengthBytes, LONG_HEAD_BYTES) };
}
