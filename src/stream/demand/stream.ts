// One stream: a viewer of one file, with the connections that it has open. Its demand is the sum of their positions:
// the main reader gets the window, the others only what they wait for.

import type { ByteRange } from "../../base/byte-range.ts";
import type { OpenReader, ReaderDemand, ReaderId } from "../ports.ts";
import { RecentBytes } from "../recent-bytes.ts";
import { DrainRate } from "./drain-rate.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
/** A reader of less than this is a probe: it is given its bytes and nothing ahead of them. */
const PROBE_BYTES = 64 * KIB;
/** A shorter range is no promise that the player goes on behind it. */
const SHORT_RANGE_BYTES = MIB;
const MERGE_BYTES = 2 * MIB;
const SIDE_AHEAD_BYTES = 2 * MIB;
const GRACE_BYTES = 512 * KIB;

export interface StreamedFile {
  /** Where the file lies in the torrent. */
  readonly range: ByteRange;
  readonly pieceLengthBytes: number;
}

export class Reader {
  readonly id: ReaderId;
  readonly startBytes: number;
  readonly endBytes: number;
  atBytes: number;
  takenBytes = 0;
  /** The position that the last change told. */
  toldBytes: number;
  /** When its demand ends although it is closed; null while it is open. */
  graceUntilMs: number | null = null;
  readonly #recent: RecentBytes;

  constructor(request: OpenReader, nowMs: number) {
    this.id = request.reader;
    this.startBytes = request.startBytes;
    this.endBytes = request.endBytes;
    this.atBytes = request.startBytes;
    this.toldBytes = request.startBytes;
    this.#recent = new RecentBytes(nowMs);
  }

  get isOpen(): boolean {
    return this.graceUntilMs === null;
  }

  get isProbe(): boolean {
    return this.endBytes - this.startBytes < PROBE_BYTES;
  }

  get isFinished(): boolean {
    return this.atBytes >= this.endBytes;
  }

  advance(atBytes: number, nowMs: number): number {
    const bytes = Math.max(0, Math.min(atBytes, this.endBytes) - this.atBytes);
    this.#recent.add(bytes, nowMs);
    this.atBytes += bytes;
    this.takenBytes += bytes;
    return bytes;
  }

  recentBytes(nowMs: number): number {
    return this.#recent.at(nowMs);
  }
}

export class Stream {
  readonly id: number;
  readonly opened: OpenReader;
  readonly file: StreamedFile;
  readonly startedAtMs: number;
  readonly readers = new Map<ReaderId, Reader>();
  /** Byte of the file that the viewer is given next. */
  positionBytes: number;
  emptySinceMs: number | null = null;
  readonly #drain: DrainRate;
  /** While it last took something: a pause does not make what is buffered last longer. */
  takingBytesPerSec: number;

  constructor(id: number, opened: OpenReader, file: StreamedFile, times: { nowMs: number; wallMs: number }) {
    this.id = id;
    this.opened = opened;
    this.file = file;
    this.startedAtMs = times.wallMs;
    this.positionBytes = opened.startBytes;
    this.#drain = new DrainRate(file.range.end - file.range.start, times.nowMs);
    this.takingBytesPerSec = this.#drain.bytesPerSec(times.nowMs);
  }

  get openCount(): number {
    let count = 0;
    for (const reader of this.readers.values()) if (reader.isOpen) count++;
    return count;
  }

  bytesPerSec(nowMs: number): number {
    return this.#drain.bytesPerSec(nowMs);
  }

  advance(reader: Reader, atBytes: number, nowMs: number): void {
    this.#drain.taken(reader.advance(atBytes, nowMs), nowMs);
    this.takingBytesPerSec = this.#drain.bytesPerSec(nowMs);
    if (this.mainReader(nowMs) === reader) this.positionBytes = reader.atBytes;
  }

  /** The reader that plays: it took most of late; before any took anything, the newest. */
  mainReader(nowMs: number): Reader | null {
    let main: Reader | null = null;
    for (const reader of this.readers.values()) {
      if (main === null || rank(reader, nowMs) >= rank(main, nowMs)) main = reader;
    }
    return main;
  }

  demands(options: { nowMs: number; aheadBytes: number; index: readonly ByteRange[] }): ReaderDemand[] {
    const main = this.mainReader(options.nowMs);
    const demands: ReaderDemand[] = [];
    if (main !== null) this.#push(demands, main, { ...options, isMain: true });
    const others = [...this.readers.values()].filter((reader) => reader !== main);
    for (const reader of others.sort((a, b) => a.atBytes - b.atBytes)) {
      this.#push(demands, reader, { ...options, index: [], isMain: false });
    }
    return demands;
  }

  #push(
    demands: ReaderDemand[],
    reader: Reader,
    options: { nowMs: number; aheadBytes: number; index: readonly ByteRange[]; isMain: boolean },
  ): void {
    const { start, end } = this.file.range;
    const readBytes = start + reader.atBytes;
    const fileEnd = this.#endOf(reader);
    if (readBytes >= fileEnd) return;
    const isCovered = demands.some(
      (demand) =>
        readBytes >= demand.readBytes &&
        readBytes - demand.readBytes < MERGE_BYTES &&
        demand.file.end === end,
    );
    if (isCovered && reader.isOpen) return;
    demands.push({
      stream: reader.id,
      readBytes,
      file: { start, end: fileEnd },
      bytesPerSec: this.bytesPerSec(options.nowMs),
      index: options.index.map((range) => ({ start: start + range.start, end: start + range.end })),
      aheadBytes: this.#aheadOf(reader, options),
    });
  }

  /** One past the last byte of the torrent that may be fetched for the reader. */
  #endOf(reader: Reader): number {
    const { start, end } = this.file.range;
    const isShort = reader.endBytes - reader.startBytes < SHORT_RANGE_BYTES;
    if (isShort) return start + reader.endBytes;
    if (!reader.isOpen && !reader.isFinished) return Math.min(end, start + reader.atBytes + GRACE_BYTES);
    return end;
  }

  #aheadOf(reader: Reader, options: { aheadBytes: number; isMain: boolean }): number {
    if (reader.isProbe || (!reader.isOpen && !reader.isFinished)) return 0;
    return options.isMain ? options.aheadBytes : Math.min(SIDE_AHEAD_BYTES, options.aheadBytes);
  }
}

function rank(reader: Reader, nowMs: number): number {
  return reader.isOpen ? reader.recentBytes(nowMs) : -1;
}
