// Window memory whose bytes appear when a test says so. Every torrent in it has the same bytes; each pin must be given
// back exactly once.

import type { NativeFigures, WindowPlace, WindowShape, WindowState } from "../../native/index.ts";
import type { WindowMemory } from "../../src/stream/reader/index.ts";

export interface FakeWindow {
  readonly place: WindowPlace;
  shape: WindowShape;
  source: number;
  isOpen: boolean;
  /** The places that it was read at. */
  readonly reads: number[];
  waitingAt: number | null;
}

type Fault = Exclude<WindowState, "waiting" | "gone">;

export class FakeWindowMemory implements WindowMemory {
  readonly bytes: Uint8Array;
  readonly torrents = new Map<string, number>();
  readonly windows = new Map<number, FakeWindow>();
  readonly pins = new Set<number>();
  readonly files = new Set<number>();
  capacityBytes = 0;
  fault: Fault | null = null;
  #have: [number, number][] = [];
  #last = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get open(): FakeWindow[] {
    return [...this.windows.values()].filter((window) => window.isOpen);
  }

  openTorrent(infoHash: string): void {
    this.torrents.set(infoHash, ++this.#last);
  }

  closeTorrent(infoHash: string): void {
    this.torrents.delete(infoHash);
    this.wakeAll();
  }

  /** These bytes are verified from now on. */
  have(startBytes: number, endBytes: number): void {
    this.#have.push([startBytes, endBytes]);
    for (const window of this.open) {
      if (window.waitingAt !== null && this.#endOfRun(window.waitingAt) !== null) this.#wake(window);
    }
  }

  fail(fault: Fault): void {
    this.fault = fault;
    this.wakeAll();
  }

  wakeAll(): void {
    for (const window of this.open) if (window.waitingAt !== null) this.#wake(window);
  }

  setCapacity(bytes: number): void {
    this.capacityBytes = bytes;
  }

  adoptFile(_fd: number): number {
    this.files.add(++this.#last);
    return this.#last;
  }

  releaseFile(file: number): void {
    if (!this.files.delete(file)) throw new Error("a file was released twice");
  }

  findTorrent(infoHash: string): number {
    return this.torrents.get(infoHash) ?? 0;
  }

  openWindow(place: WindowPlace): number {
    const shape = { behindBytes: 0, aheadBytes: 0, readAheadBytes: 0 };
    this.windows.set(++this.#last, { place, shape, source: 0, isOpen: true, reads: [], waitingAt: null });
    return this.#last;
  }

  setWindowSource(window: number, file: number): void {
    this.#get(window).source = file;
  }

  shapeWindow(window: number, shape: WindowShape): void {
    this.#get(window).shape = shape;
  }

  readWindow(token: number, atBytes: number, maxBytes: number) {
    const window = this.#get(token);
    window.waitingAt = null;
    window.reads.push(atBytes);
    if (![...this.torrents.values()].includes(window.place.torrent)) return "gone" as const;
    const end = this.#endOfRun(atBytes);
    if (end === null) {
      if (this.fault !== null) return this.fault;
      window.waitingAt = atBytes;
      return "waiting" as const;
    }
    this.pins.add(++this.#last);
    return { bytes: this.bytes.subarray(atBytes, Math.min(end, atBytes + maxBytes)), pin: this.#last };
  }

  unpin(_window: number, pin: number): void {
    if (!this.pins.delete(pin)) throw new Error("a pin was given back twice");
  }

  windowFigures(window: number) {
    const { shape, reads } = this.#get(window);
    const { aheadBytes, behindBytes } = shape;
    const bytes = aheadBytes + behindBytes;
    return { bytes, aheadBytes, behindBytes, hits: reads.length, misses: 1, diskReads: 0 };
  }

  closeWindow(window: number): void {
    this.#get(window).isOpen = false;
  }

  figures(): NativeFigures {
    const windowBytes = this.open.reduce((sum, { shape }) => sum + shape.aheadBytes + shape.behindBytes, 0);
    const none = { slabBytes: 0, residentBytes: 0, pinnedBytes: 0, diskReads: 0, diskReadBytes: 0 };
    return { ...none, arenaBytes: 5, windowBytes, pieces: 0, windows: this.open.length, torrents: 0 };
  }

  #get(token: number): FakeWindow {
    const window = this.windows.get(token);
    if (window === undefined || !window.isOpen) throw new Error("a window was used after its end");
    return window;
  }

  #wake(window: FakeWindow): void {
    window.waitingAt = null;
    window.place.onWake();
  }

  #endOfRun(atBytes: number): number | null {
    for (const [start, end] of this.#have) if (start <= atBytes && atBytes < end) return end;
    return null;
  }
}
