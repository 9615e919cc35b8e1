// One stream: a viewer of one file, with its main window, and a small window for each connection that reads elsewhere,
// so that a look at the container's index does not throw the main one about. It lives on without connections; when
// it ends is its owner's business (stream-windows.ts).

import type { FileToken, TorrentToken, WindowChunk, WindowState } from "../../../native/index.ts";
import type { InfoHash } from "../../base/brand.ts";
import type { Clock } from "../../base/clock.ts";
import type { TorrxError } from "../../base/errors.ts";
import type { StreamBuffer } from "../ports.ts";
import { type StreamShapes, shapesOf } from "./budget.ts";
import type { OpenFile } from "./node-file.ts";
import { playerOf, Seat, type SeatEvents } from "./seat.ts";
import { SourceFile } from "./source-file.ts";
import { StreamWindow, type Tally } from "./stream-window.ts";
import type { WindowMemory } from "./window-memory.ts";

/** A connection far from the main window takes it over once it has taken this much: then it plays there. */
const TAKEOVER_BYTES = 1024 * 1024;

export interface StreamPlace {
  readonly torrent: InfoHash;
  readonly file: number;
  readonly viewer: string;
  /** Where the file begins in the torrent's bytes. */
  readonly fileStartBytes: number;
  readonly fileLengthBytes: number;
}

export interface StreamParts {
  readonly memory: WindowMemory;
  readonly clock: Clock;
  readonly openFile: OpenFile;
}

export interface StreamAllowance {
  readonly shareBytes: number;
  readonly aheadPercent: number;
}

/** Bytes that stay as they are until `release` is called. */
export interface ReadBytes {
  readonly bytes: Uint8Array;
  readonly release: () => void;
}

export type ReadFault = Exclude<WindowState, "waiting">;

export class ViewerStream {
  readonly place: StreamPlace;
  readonly file: SourceFile;
  readonly #parts: StreamParts;
  readonly #seats = new Set<Seat>();
  #allowance: StreamAllowance;
  #hasServed = false;
  #main: StreamWindow | null = null;
  /** Who reads the main window; null while nobody does. */
  #holder: Seat | null = null;
  /** Of windows that are closed. */
  #past: Tally = { hits: 0, misses: 0 };

  constructor(place: StreamPlace, allowance: StreamAllowance, parts: StreamParts) {
    this.place = place;
    this.#allowance = allowance;
    this.#parts = parts;
    this.file = new SourceFile({
      memory: parts.memory,
      openFile: parts.openFile,
      findTorrent: () => this.#findTorrent(),
      onOpen: (file, torrent) => this.#fileOpened(file, torrent),
    });
  }

  /** Windows that can be filled from memory only. */
  get lacksFile(): boolean {
    return this.file.tokenFor(this.#findTorrent()) === null;
  }

  get readers(): number {
    return this.#seats.size;
  }

  /** The engine has opened it for a connection, or one was given bytes: there is something to come back to. */
  get hasServed(): boolean {
    return this.#hasServed;
  }

  sit(events: SeatEvents): Seat {
    const seat = new Seat(events, this.#parts.clock.nowMs());
    this.#seats.add(seat);
    this.#reshape();
    return seat;
  }

  leave(seat: Seat): void {
    if (!this.#seats.delete(seat)) return;
    this.#hasServed ||= seat.isOpened || seat.takenBytes > 0;
    if (this.#holder === seat) this.#holder = null;
    this.#closeSide(seat);
    this.#reshape();
  }

  allow(allowance: StreamAllowance): void {
    this.#allowance = allowance;
    this.#reshape();
  }

  /** Never waits: "waiting" is followed by the seat's wake(). */
  read(seat: Seat, atBytes: number, maxBytes: number): ReadBytes | "waiting" | ReadFault {
    // The torrent may have been closed and opened again since the window was: one more try with a new window.
    for (let tries = 0; tries < 2; tries++) {
      const window = this.#windowFor(seat, atBytes);
      if (window === null) break;
      const got = window.read(atBytes, maxBytes);
      if (got !== "gone") return typeof got === "string" ? got : this.#handOut(seat, window, got);
      this.#drop(window);
    }
    return seat.isOpened ? "gone" : "waiting";
  }

  buffer(): StreamBuffer {
    const { torrent, file, viewer } = this.place;
    const sum = { bytes: 0, aheadBytes: 0, behindBytes: 0, ...this.#past };
    for (const window of this.#windows()) {
      const { bytes, hits, misses, aheadBytes, behindBytes } = window.figures();
      sum.bytes += bytes;
      sum.hits += hits;
      sum.misses += misses;
      // Those of the others say nothing about where the viewer plays.
      if (window === this.#main) Object.assign(sum, { aheadBytes, behindBytes });
    }
    return { torrent, file, viewer, ...sum };
  }

  /** Gives back all memory. Who still reads is told `error`. */
  end(error: TorrxError): void {
    for (const window of [...this.#windows()]) this.#drop(window);
    this.file.close();
    for (const seat of [...this.#seats]) {
      this.#seats.delete(seat);
      seat.events.fail(error);
    }
  }

  #handOut(seat: Seat, window: StreamWindow, { bytes, pin }: WindowChunk): ReadBytes {
    seat.took(bytes.length, this.#parts.clock.nowMs());
    return { bytes, release: () => window.unpin(pin) };
  }

  #windowFor(seat: Seat, atBytes: number): StreamWindow | null {
    if (!this.#mayReadMain(seat, atBytes)) return this.#sideOf(seat);
    this.#main ??= this.#open(() => this.#holder?.events.wake(), this.#shapes().main);
    if (this.#main !== null) this.#take(seat);
    return this.#main;
  }

  /** Its holder may until another takes it: nobody reads backwards, so it is never thrown about by its holder. */
  #mayReadMain(seat: Seat, atBytes: number): boolean {
    if (this.#holder === seat) return true;
    if (playerOf(this.#seats, this.#holder, this.#parts.clock.nowMs()) !== seat) return false;
    return this.#main === null || this.#main.reaches(atBytes) || seat.takenBytes >= TAKEOVER_BYTES;
  }

  /** Who read the main window until now may be waiting for it, and has to look again, in a window of its own. */
  #take(seat: Seat): void {
    if (this.#holder === seat) return;
    const before = this.#holder;
    this.#holder = seat;
    this.#closeSide(seat);
    this.#reshape();
    before?.events.wake();
  }

  #sideOf(seat: Seat): StreamWindow | null {
    if (seat.side !== null) return seat.side;
    seat.side = this.#open(() => seat.events.wake(), this.#shapes(1).side);
    if (seat.side !== null) this.#reshape();
    return seat.side;
  }

  #findTorrent(): TorrentToken {
    return this.#parts.memory.findTorrent(this.place.torrent);
  }

  #fileOpened(file: FileToken, torrent: TorrentToken): void {
    for (const window of this.#windows()) if (window.torrent === torrent) window.setSource(file);
    for (const seat of this.#seats) seat.events.wake();
  }

  #open(onWake: () => void, shape: StreamShapes["main"]): StreamWindow | null {
    const { memory } = this.#parts;
    const { fileStartBytes, fileLengthBytes } = this.place;
    const torrent = this.#findTorrent();
    if (torrent === 0) return null;
    const place = { torrent, fileStartBytes, fileLengthBytes, onWake };
    return StreamWindow.open(memory, place, { shape, source: this.file.tokenFor(torrent) });
  }

  #drop(window: StreamWindow): void {
    if (window === this.#main) {
      this.#remember(window.close());
      this.#main = null;
      this.#holder = null;
    }
    for (const seat of this.#seats) if (seat.side === window) this.#closeSide(seat);
  }

  #closeSide(seat: Seat): void {
    if (seat.side === null) return;
    this.#remember(seat.side.close());
    seat.side = null;
  }

  #remember({ hits, misses }: Tally): void {
    this.#past = { hits: this.#past.hits + hits, misses: this.#past.misses + misses };
  }

  #reshape(): void {
    const { main, side } = this.#shapes();
    this.#main?.reshape(main);
    for (const seat of this.#seats) seat.side?.reshape(side);
  }

  /** `more`: side windows that are about to be opened. */
  #shapes(more = 0): StreamShapes {
    let sides = more;
    for (const seat of this.#seats) if (seat.side !== null) sides++;
    return shapesOf({ ...this.#allowance, readers: this.#seats.size, sides });
  }

  *#windows(): Iterable<StreamWindow> {
    if (this.#main !== null) yield this.#main;
    for (const seat of this.#seats) if (seat.side !== null) yield seat.side;
  }
}
