// Who watches what, and what must therefore be fetched. A stream is (viewer, torrent, file) and outlives its
// connections; demand comes from open connections only, so a viewer who went away leaves none. No timers of its own:
// the engine calls expire() on its tick.

import type { InfoHash } from "../../base/brand.ts";
import type { ByteRange } from "../../base/byte-range.ts";
import type { Clock } from "../../base/clock.ts";
import type { BufferSizes, OpenReader, ReaderDemand, ReaderId } from "../ports.ts";
import { shareOf } from "../share.ts";
import { Reader, Stream, type StreamedFile } from "./stream.ts";

const LINGER_MS = 60_000;
/** Enough for a player that closes and opens again to seek. */
const PAUSED_LINGER_MS = 500;
/** A player that closes one connection to open the next goes on where it was more often than not: until then. */
const PROBE_GRACE_MS = 250;
/** A reader that took more than this was playing, and its close is a seek or a stop. */
const PROBE_TAKEN_BYTES = 1024 * 1024;
const TELL_BYTES = 256 * 1024;

export interface StreamState {
  readonly id: number;
  readonly torrent: InfoHash;
  readonly file: number;
  readonly viewer: string;
  readonly clientAddress: string;
  readonly positionBytes: number;
  readonly bytesPerSec: number;
  /** Open connections; 0 while the stream lingers. */
  readonly readers: number;
  readonly startedAtMs: number;
}

export class StreamRegistry {
  readonly #clock: Clock;
  readonly #lingerMs: number;
  readonly #onChange: (torrent: InfoHash) => void;
  readonly #streams = new Map<string, Stream>();
  readonly #byReader = new Map<ReaderId, Stream>();
  readonly #paused = new Set<InfoHash>();
  readonly #indexes = new Map<string, readonly ByteRange[]>();
  #nextId = 1;
  #buffer: BufferSizes;

  /** `onChange` is called whenever demandsOf(torrent) may have changed; it may come often and should only take note. */
  constructor(options: {
    clock: Clock;
    buffer: BufferSizes;
    lingerMs?: number;
    onChange: (torrent: InfoHash) => void;
  }) {
    this.#clock = options.clock;
    this.#lingerMs = options.lingerMs ?? LINGER_MS;
    this.#onChange = options.onChange;
    this.#buffer = options.buffer;
  }

  setBuffer(buffer: BufferSizes): void {
    this.#buffer = buffer;
    for (const torrent of new Set([...this.#streams.values()].map((stream) => stream.opened.torrent))) {
      this.#onChange(torrent);
    }
  }

  /** What is fetched ahead of each playhead: as much as its window can hold when all share the total equally. */
  get aheadBytes(): number {
    const shareBytes = shareOf(this.#buffer, this.#streams.size);
    return Math.floor((shareBytes * this.#buffer.bufferAheadPercent) / 100);
  }

  get streamCount(): number {
    return this.#streams.size;
  }

  streamsOfAddress(clientAddress: string): number {
    return this.streams().filter((stream) => stream.clientAddress === clientAddress).length;
  }

  /** Whether the request is for a stream that exists already, so that no limit applies to it. */
  isKnown(request: OpenReader): boolean {
    return this.#streams.has(keyOf(request));
  }

  open(request: OpenReader, file: StreamedFile): void {
    const nowMs = this.#clock.nowMs();
    const key = keyOf(request);
    let stream = this.#streams.get(key);
    if (stream === undefined) {
      stream = new Stream(this.#nextId++, request, file, { nowMs, wallMs: this.#clock.wallMs() });
      this.#streams.set(key, stream);
    }
    this.#endGrace(stream);
    const reader = new Reader(request, nowMs);
    stream.readers.set(reader.id, reader);
    stream.emptySinceMs = null;
    if (stream.openCount === 1) stream.positionBytes = request.startBytes;
    this.#byReader.set(reader.id, stream);
    this.#onChange(request.torrent);
  }

  has(reader: ReaderId): boolean {
    return this.#byReader.get(reader)?.readers.get(reader)?.isOpen === true;
  }

  /** The reader has been given everything before `atBytes` of the file. Backward or past its end is clamped. */
  advance(id: ReaderId, atBytes: number): void {
    const stream = this.#byReader.get(id);
    const reader = stream?.readers.get(id);
    if (stream === undefined || reader === undefined || !reader.isOpen) return;
    stream.advance(reader, atBytes, this.#clock.nowMs());
    const { pieceLengthBytes, range } = stream.file;
    const pieceOf = (at: number) => Math.floor((range.start + at) / pieceLengthBytes);
    const isOtherPiece = pieceOf(reader.toldBytes) !== pieceOf(reader.atBytes);
    if (!isOtherPiece && reader.atBytes - reader.toldBytes < TELL_BYTES) return;
    reader.toldBytes = reader.atBytes;
    this.#onChange(stream.opened.torrent);
  }

  /** Withdraws the reader's demand, at once or, for a probe that is its stream's only reader, a moment later. */
  close(id: ReaderId): void {
    const stream = this.#byReader.get(id);
    const reader = stream?.readers.get(id);
    if (stream === undefined || reader === undefined || !reader.isOpen) return;
    const nowMs = this.#clock.nowMs();
    const wasAlone = stream.openCount === 1;
    const mayComeBack = reader.isFinished || reader.takenBytes < PROBE_TAKEN_BYTES;
    if (wasAlone && mayComeBack) reader.graceUntilMs = nowMs + PROBE_GRACE_MS;
    else this.#forget(stream, id);
    if (wasAlone) stream.emptySinceMs = nowMs;
    this.#onChange(stream.opened.torrent);
  }

  streams(): StreamState[] {
    return [...this.#streams.values()].map((stream) => ({
      id: stream.id,
      torrent: stream.opened.torrent,
      file: stream.opened.file,
      viewer: stream.opened.viewer,
      clientAddress: stream.opened.clientAddress,
      positionBytes: stream.positionBytes,
      bytesPerSec: stream.takingBytesPerSec,
      readers: stream.openCount,
      startedAtMs: stream.startedAtMs,
    }));
  }

  demandsOf(torrent: InfoHash): ReaderDemand[] {
    const nowMs = this.#clock.nowMs();
    const { aheadBytes } = this;
    const demands: ReaderDemand[] = [];
    for (const stream of this.#streams.values()) {
      if (stream.opened.torrent !== torrent) continue;
      const index = this.#indexes.get(fileKey(torrent, stream.opened.file)) ?? [];
      demands.push(...stream.demands({ nowMs, aheadBytes, index }));
    }
    return demands;
  }

  /** Where the container's index lies, in bytes of the file; wanted soon by every stream of it. */
  setIndex(torrent: InfoHash, file: number, ranges: readonly ByteRange[]): void {
    this.#indexes.set(fileKey(torrent, file), ranges);
    this.#onChange(torrent);
  }

  hasIndex(torrent: InfoHash, file: number): boolean {
    return this.#indexes.has(fileKey(torrent, file));
  }

  /** Ends what has outlived its time: the demand of closed probes, streams without a reader. */
  expire(nowMs: number): void {
    for (const [key, stream] of this.#streams) {
      for (const reader of stream.readers.values()) {
        if (reader.graceUntilMs === null || reader.graceUntilMs > nowMs) continue;
        this.#forget(stream, reader.id);
        this.#onChange(stream.opened.torrent);
      }
      if (stream.emptySinceMs !== null && nowMs - stream.emptySinceMs >= this.#lingerOf(stream)) {
        this.#streams.delete(key);
      }
    }
  }

  /** The torrent was paused: streams without a connection end now, the others, and those to come, soon after their last one. */
  pause(torrent: InfoHash): void {
    this.#paused.add(torrent);
    for (const [key, stream] of this.#streams) {
      if (stream.opened.torrent !== torrent) continue;
      if (stream.openCount > 0) continue;
      for (const id of [...stream.readers.keys()]) this.#forget(stream, id);
      this.#streams.delete(key);
    }
    this.#onChange(torrent);
  }

  resume(torrent: InfoHash): void {
    this.#paused.delete(torrent);
  }

  removeTorrent(torrent: InfoHash): void {
    this.#paused.delete(torrent);
    for (const [key, stream] of this.#streams) {
      if (stream.opened.torrent !== torrent) continue;
      for (const id of [...stream.readers.keys()]) this.#forget(stream, id);
      this.#streams.delete(key);
    }
    for (const key of [...this.#indexes.keys()]) if (key.startsWith(torrent)) this.#indexes.delete(key);
    this.#onChange(torrent);
  }

  #lingerOf(stream: Stream): number {
    return this.#paused.has(stream.opened.torrent) ? PAUSED_LINGER_MS : this.#lingerMs;
  }

  /** The viewer has come back: what it wants now must not wait behind what it wanted before. */
  #endGrace(stream: Stream): void {
    for (const reader of stream.readers.values()) if (!reader.isOpen) this.#forget(stream, reader.id);
  }

  #forget(stream: Stream, id: ReaderId): void {
    stream.readers.delete(id);
    this.#byReader.delete(id);
  }
}

function keyOf({ torrent, file, viewer }: OpenReader): string {
  return `${fileKey(torrent, file)}:${viewer}`;
}

function fileKey(torrent: InfoHash, file: number): string {
  return `${torrent}:${file}`;
}
