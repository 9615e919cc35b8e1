// Where segments lie: in memory first; before that is full, those that are needed last move to disk, and from there, when
// that is full, away. Memory never holds more than its cap but for what is in use and for the newest, which somebody
// waits for.

import type { NeededIn } from "./ports.ts";
import { Shelf, type StoredSegment } from "./shelf.ts";
import type { SpillDisk } from "./spill-disk.ts";

/** Spilling begins here, so that there is room for what comes while the disk writes … */
const SPILL_FROM = 0.75;
/** … and from here on whoever puts has to wait for it. */
const TIGHT_FROM = 0.875;

export interface SegmentRoomOptions {
  readonly disk: SpillDisk;
  readonly neededIn: NeededIn;
  readonly memoryBytes: number;
  /** There is no room for it any more: it is to be forgotten. */
  readonly onEvict: (segment: StoredSegment) => void;
}

export class SegmentRoom {
  readonly #disk: SpillDisk;
  readonly #neededIn: NeededIn;
  readonly #memoryCapBytes: number;
  readonly #onEvict: (segment: StoredSegment) => void;
  readonly #inMemory = new Shelf();
  readonly #onDisk = new Shelf();
  #newest: StoredSegment | null = null;
  #spilling: Promise<void> | null = null;
  #spills = 0;
  #isClosed = false;

  constructor({ disk, neededIn, memoryBytes, onEvict }: SegmentRoomOptions) {
    this.#disk = disk;
    this.#neededIn = neededIn;
    this.#memoryCapBytes = memoryBytes;
    this.#onEvict = onEvict;
  }

  get memoryBytes(): number {
    return this.#inMemory.bytes;
  }

  get diskBytes(): number {
    return this.#onDisk.bytes;
  }

  get spills(): number {
    return this.#spills;
  }

  /** What whoever brings segments has to wait for before the next one; null for nothing. */
  get relief(): Promise<void> | null {
    return this.#inMemory.bytes > this.#memoryCapBytes * TIGHT_FROM ? this.#spilling : null;
  }

  add(segment: StoredSegment): void {
    this.#newest = segment;
    this.#inMemory.add(segment);
    this.#makeRoom();
  }

  touch(segment: StoredSegment): void {
    this.#inMemory.touch(segment);
    this.#onDisk.touch(segment);
  }

  /** Somebody has stopped using it. */
  release(segment: StoredSegment): void {
    this.#letGo(segment);
    this.#makeRoom();
  }

  /** It is forgotten from now on. */
  drop(segment: StoredSegment): void {
    if (this.#newest === segment) this.#newest = null;
    this.#letGo(segment);
  }

  /** When nothing is on its way to or from the disk. */
  async settled(): Promise<void> {
    while (this.#spilling !== null) await this.#spilling;
    await this.#disk.settled();
  }

  /** Nothing is written from now on. */
  close(): void {
    this.#isClosed = true;
  }

  #makeRoom(): void {
    this.#shrinkMemory();
    if (!this.#isOverMark()) return;
    this.#spilling ??= this.#spill().finally(() => {
      this.#spilling = null;
      // What could not be written is no longer held by the writing.
      this.#shrinkMemory();
    });
  }

  #isOverMark(): boolean {
    return !this.#isClosed && this.#inMemory.bytes > this.#memoryCapBytes * SPILL_FROM;
  }

  #shrinkMemory(): void {
    while (this.#inMemory.bytes > this.#memoryCapBytes) {
      const victim = this.#inMemory.victim(this.#neededIn, this.#newest);
      if (victim === null) return;
      this.#onEvict(victim);
    }
  }

  #shrinkDisk(toBytes: number): void {
    while (this.#onDisk.bytes > toBytes) {
      const victim = this.#onDisk.victim(this.#neededIn);
      if (victim === null) return;
      this.#onEvict(victim);
    }
  }

  /** One at a time. Ends where nothing can be spilled; the next that is added or released tries again. */
  async #spill(): Promise<void> {
    let isGoing = true;
    while (isGoing && this.#isOverMark()) {
      const victim = this.#inMemory.victim(this.#neededIn);
      isGoing = victim !== null && (await this.#moveToDisk(victim));
    }
  }

  async #moveToDisk(segment: StoredSegment): Promise<boolean> {
    segment.isSpilling = true;
    const file = await this.#writeOut(segment);
    segment.isSpilling = false;
    if (file !== null) {
      segment.file = file;
      this.#onDisk.add(segment);
      this.#spills++;
    }
    this.#letGo(segment);
    return file !== null;
  }

  async #writeOut({ bytes, lengthBytes }: StoredSegment): Promise<string | null> {
    const capacityBytes = await this.#disk.capacity(this.#onDisk.bytes);
    if (capacityBytes === null || bytes === null) return null;
    const fits = lengthBytes <= capacityBytes;
    this.#shrinkDisk(fits ? capacityBytes - lengthBytes : capacityBytes);
    if (!fits || this.#onDisk.bytes + lengthBytes > capacityBytes) return null;
    await this.#disk.settled();
    return this.#disk.write(bytes);
  }

  /** Gives up the memory of what is on disk, and all of what is forgotten, once nobody holds it. */
  #letGo(segment: StoredSegment): void {
    if (segment.isInUse) return;
    if (segment.isForgotten || segment.file !== null) {
      this.#inMemory.remove(segment);
      segment.bytes = null;
    }
    if (!segment.isForgotten || segment.file === null) return;
    this.#onDisk.remove(segment);
    this.#disk.remove(segment.file);
    segment.file = null;
  }
}
