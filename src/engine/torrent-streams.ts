// The viewers of one torrent: their readers, what they demand of the scheduler, and where the container's index lies.
// A new or moved reader turns the scheduler at once; ordinary progress is folded into the next update.

import type { Timer } from "../base/clock.ts";
import { describeError, TorrxError } from "../base/errors.ts";
import type { Geometry, TorrentFile } from "../metainfo/index.ts";
import type { TorrentStore } from "../store/index.ts";
import { locateIndex } from "../stream/demand/index.ts";
import type { OpenReader, ReaderId } from "../stream/ports.ts";
import { ReaderDesk } from "./reader-desk.ts";
import type { Shared } from "./shared.ts";

/** Enough for MP4's first boxes and Matroska's SeekHead. */
const HEAD_BYTES = 64 * 1024;
const PROGRESS_UPDATE_MS = 50;

export interface StreamsOwner {
  readonly store: TorrentStore;
  readonly geometry: Geometry;
  /** Demands have changed: run the scheduler now. */
  demandsChanged(change: "moved" | "readers"): void;
}

export class TorrentStreams {
  readonly desk: ReaderDesk;
  readonly #owner: StreamsOwner;
  readonly #shared: Shared;
  readonly #files = new Map<ReaderId, TorrentFile>();
  readonly #indexed = new Set<number>();
  #updateTimer: Timer | null = null;

  constructor(owner: StreamsOwner, shared: Shared) {
    this.#owner = owner;
    this.#shared = shared;
    this.desk = new ReaderDesk(owner.geometry, () => owner.store.have);
  }

  open(request: OpenReader, file: TorrentFile): ReaderId {
    const reader = this.#shared.streams.open(request, this.#owner.geometry.fileRange(file));
    this.#files.set(reader, file);
    this.#owner.demandsChanged("readers");
    this.#findIndex(file);
    return reader;
  }

  async readableUntil(reader: ReaderId, atBytes: number): Promise<number> {
    const file = this.#fileOf(reader);
    if (atBytes < 0 || atBytes >= file.lengthBytes) throw new TorrxError("internal", "read outside the file");
    this.#shared.streams.wants(reader, atBytes);
    return await this.desk.wait(reader, file, atBytes);
  }

  advance(reader: ReaderId, atBytes: number): void {
    if (!this.#files.has(reader)) return;
    this.#shared.streams.advance(reader, atBytes);
    if (this.#updateTimer !== null) return;
    this.#updateTimer = this.#shared.deps.clock.after(PROGRESS_UPDATE_MS, () => {
      this.#updateTimer = null;
      this.#owner.demandsChanged("moved");
    });
  }

  close(reader: ReaderId): void {
    if (!this.#files.delete(reader)) return;
    this.desk.close(reader);
    this.#shared.streams.close(reader);
    this.#owner.demandsChanged("readers");
  }

  /** The piece is readable: wake who waits for it, and look for indexes that its bytes may tell of. */
  pieceVerified(piece: number): void {
    this.desk.pieceVerified(piece);
    for (const file of new Set(this.#files.values())) {
      const { first, end } = this.#owner.geometry.piecesOf(headOf(file));
      if (piece >= first && piece < end) this.#findIndex(file);
    }
  }

  closeAll(error: TorrxError): void {
    this.#updateTimer?.cancel();
    this.desk.closeAll(error);
    for (const reader of this.#files.keys()) this.#shared.streams.close(reader);
    this.#files.clear();
  }

  #fileOf(reader: ReaderId): TorrentFile {
    const file = this.#files.get(reader);
    if (file === undefined) throw new TorrxError("not_found", "the stream was closed");
    return file;
  }

  #findIndex(file: TorrentFile): void {
    if (this.#indexed.has(file.index)) return;
    const head = headOf(file);
    const lengthBytes = head.end - head.start;
    if (lengthBytes === 0 || this.desk.verifiedUntil(file, 0) < lengthBytes) return;
    this.#indexed.add(file.index);
    this.#owner.store.read(head.start, lengthBytes).then(
      (bytes) => this.#indexFound(file, bytes),
      (error: unknown) => {
        this.#indexed.delete(file.index);
        this.#shared.deps.log.warn("the head of a file could not be read", { error: describeError(error) });
      },
    );
  }

  #indexFound(file: TorrentFile, head: Uint8Array): void {
    const ranges = locateIndex(head, file.lengthBytes) ?? [];
    const inTorrent = ranges.map((range) => ({
      start: file.offsetBytes + range.start,
      end: file.offsetBytes + range.end,
    }));
    this.#shared.streams.setIndex(file.offsetBytes, inTorrent);
    this.#owner.demandsChanged("readers");
  }
}

function headOf(file: TorrentFile): { start: number; end: number } {
  return { start: file.offsetBytes, end: file.offsetBytes + Math.min(file.lengthBytes, HEAD_BYTES) };
}
