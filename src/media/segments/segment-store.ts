// Finished segments of all renditions, for all viewers. They come into memory; before that is full, those that are
// needed last go to the temporary folder, and from there, when that is full, away. Both have hard caps; only what is
// being served and the newest one may stand above that of memory.
// Losing a segment is never an error: whoever finds none has it made again. So no fault of the disk reaches a viewer.

import type { Clock, Timer } from "../../base/clock.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Log } from "../../base/log.ts";
import type { Random } from "../../base/random.ts";
import { fileHandle, memoryHandle } from "./handles.ts";
import type { NeededIn, SegmentDisk, SegmentHandle, SegmentStoreStats } from "./ports.ts";
import { SegmentIndex } from "./segment-index.ts";
import { Shelf, StoredSegment } from "./shelf.ts";
import { type DiskLimits, SpillDisk } from "./spill-disk.ts";

export interface SegmentLimits extends DiskLimits {
  /** The most that segments take in memory. */
  readonly memoryBytes: number;
}

export interface SegmentStoreOptions {
  readonly disk: SegmentDisk;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Without one nobody is known to need anything, and the least recently used goes first. */
  readonly neededIn?: NeededIn;
  readonly limits?: Partial<SegmentLimits>;
}

/** Spilling begins here, so that there is room for what comes while the disk writes … */
const SPILL_FROM = 0.75;
/** … and from here on whoever puts is asked to wait for it, but not for a disk that hangs. */
const TIGHT_FROM = 0.875;
const PUT_MS = 1_000;
/** A segment that is new has a request on its way, whatever is known of the viewers' places. */
const FRESH_MS = 5_000;
/** A disk that hangs does not hold up the end of the process. */
const CLOSE_MS = 2_000;
const NAME_PREFIX_BYTES = 8;

/** A store whose folder is empty. Never rejects: without a usable folder it keeps to memory. */
export async function openSegmentStore(options: SegmentStoreOptions): Promise<SegmentStore> {
  const store = new SegmentStore(options);
  await store.start();
  return store;
}

/** A key is the rendition, "/", and the number of the segment or "init". */
export class SegmentStore {
  readonly #clock: Clock;
  readonly #neededIn: NeededIn;
  readonly #limits: SegmentLimits;
  readonly #disk: SpillDisk;
  readonly #index = new SegmentIndex();
  readonly #inMemory = new Shelf();
  readonly #onDisk = new Shelf();
  #newest: StoredSegment | null = null;
  #spilling: Promise<void> | null = null;
  #evictions = 0;
  #spills = 0;
  #isClosed = false;

  constructor({ disk, clock, random, log, neededIn, limits }: SegmentStoreOptions) {
    this.#clock = clock;
    this.#neededIn = neededIn ?? (() => Number.POSITIVE_INFINITY);
    this.#limits = { ...LIMITS.hls, ...limits };
    const namePrefix = Buffer.from(random.bytes(NAME_PREFIX_BYTES)).toString("hex");
    this.#disk = new SpillDisk({ disk, clock, log, limits: this.#limits, namePrefix });
  }

  get stats(): SegmentStoreStats {
    return {
      segments: this.#index.size,
      memoryBytes: this.#inMemory.bytes,
      diskBytes: this.#onDisk.bytes,
      evictions: this.#evictions,
      spills: this.#spills,
      diskFaults: this.#disk.faults,
    };
  }

  start(): Promise<void> {
    return this.#disk.empty();
  }

  has(key: string): boolean {
    return this.#index.get(key) !== undefined;
  }

  /**
   * Takes the bytes over; they can be opened at once. Of a key that is there already the first bytes stay. Settles when
   * there is room for more: who goes on without waiting has his segments evicted.
   */
  async put(key: string, bytes: Uint8Array): Promise<void> {
    if (this.#isClosed || this.#index.get(key) !== undefined) return;
    this.#add(key, bytes);
    const isTight = this.#inMemory.bytes > this.#limits.memoryBytes * TIGHT_FROM;
    if (isTight && this.#spilling !== null) await this.#within(PUT_MS, this.#spilling);
  }

  /** For serving; to be released. Null where it is to be made (again). */
  async open(key: string): Promise<SegmentHandle | null> {
    const segment = this.#index.get(key);
    if (segment === undefined) return null;
    segment.readers++;
    this.#touch(segment);
    const onRelease = () => this.#release(segment);
    if (segment.bytes !== null) return memoryHandle(segment.bytes, onRelease);
    const { lengthBytes } = segment;
    const file = segment.file === null ? null : await this.#disk.open(segment.file, lengthBytes);
    if (file === null) {
      this.#forget(segment);
      onRelease();
      return null;
    }
    return fileHandle({
      file,
      lengthBytes,
      onLost: (error) => {
        this.#disk.lost(error);
        this.#forget(segment);
      },
      onRelease: () => {
        this.#disk.leave(file);
        onRelease();
      },
    });
  }

  /** All of a segment, not to be written to. */
  async get(key: string): Promise<Uint8Array | null> {
    const handle = await this.open(key);
    if (handle === null) return null;
    try {
      return handle.bytes ?? (await handle.read(0, handle.lengthBytes));
    } catch {
      // It is logged and forgotten by now.
      return null;
    } finally {
      handle.release();
    }
  }

  /** Forgets the rendition of this name and all below it ("hash/0" and "hash/0/v0"). What is being served stays readable. */
  dropRendition(name: string): void {
    for (const rendition of this.#index.renditions) {
      if (rendition !== name && !rendition.startsWith(`${name}/`)) continue;
      for (const segment of this.#index.of(rendition)) this.#forget(segment);
    }
  }

  /** Lets go of what is not worth keeping any more: the viewers' places have changed. */
  sweep(): void {
    for (const rendition of this.#index.renditions) this.#dropWorthless(rendition);
  }

  /** When nothing is on its way to or from the disk. */
  async settled(): Promise<void> {
    while (this.#spilling !== null) await this.#spilling;
    await this.#disk.settled();
  }

  /** Forgets all and empties the folder. Handles that are out stay readable. Idempotent. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const rendition of this.#index.renditions) this.dropRendition(rendition);
    const emptied = this.settled().then(() => this.#disk.empty());
    await this.#within(CLOSE_MS, emptied);
  }

  async #within(ms: number, work: Promise<void>): Promise<void> {
    let timer: Timer | undefined;
    const patience = new Promise<void>((resolve) => {
      timer = this.#clock.after(ms, resolve);
    });
    await Promise.race([work, patience]);
    timer?.cancel();
  }

  #add(key: string, bytes: Uint8Array): void {
    const segment = new StoredSegment(key, ownBytes(bytes), this.#clock.nowMs());
    this.#index.add(segment);
    this.#inMemory.add(segment);
    this.#newest = segment;
    this.#touch(segment);
    this.#dropWorthless(segment.rendition);
    this.#makeRoom();
  }

  /** The init segment is as much in use as any segment behind it. */
  #touch(segment: StoredSegment): void {
    for (const used of [this.#index.get(`${segment.rendition}/init`), segment]) {
      if (used === undefined) continue;
      this.#inMemory.touch(used);
      this.#onDisk.touch(used);
    }
  }

  #release(segment: StoredSegment): void {
    segment.readers--;
    this.#letGo(segment);
    this.#makeRoom();
  }

  #dropWorthless(rendition: string): void {
    const freshSinceMs = this.#clock.nowMs() - FRESH_MS;
    for (const segment of this.#index.of(rendition)) {
      if (segment.putAtMs > freshSinceMs || segment.isInUse) continue;
      if (this.#neededIn(rendition, segment.segment) === null) this.#evict(segment);
    }
  }

  #makeRoom(): void {
    this.#shrinkMemory();
    if (this.#isOverMark()) this.#spilling ??= this.#spill();
  }

  #shrinkMemory(): void {
    while (this.#inMemory.bytes > this.#limits.memoryBytes) {
      const victim = this.#inMemory.victim(this.#neededIn, this.#newest);
      if (victim === null) return;
      this.#evict(victim);
    }
  }

  #isOverMark(): boolean {
    return !this.#isClosed && this.#inMemory.bytes > this.#limits.memoryBytes * SPILL_FROM;
  }

  /** One at a time. Ends where nothing can be spilled; the next put or release tries again. */
  async #spill(): Promise<void> {
    try {
      let isGoing = true;
      while (isGoing && this.#isOverMark()) {
        const victim = this.#inMemory.victim(this.#neededIn);
        isGoing = victim !== null && (await this.#moveToDisk(victim));
      }
    } finally {
      this.#spilling = null;
      // What could not be written is no longer held by the writing.
      this.#shrinkMemory();
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

  #shrinkDisk(toBytes: number): void {
    while (this.#onDisk.bytes > toBytes) {
      const victim = this.#onDisk.victim(this.#neededIn);
      if (victim === null) return;
      this.#evict(victim);
    }
  }

  #evict(segment: StoredSegment): void {
    this.#evictions++;
    this.#forget(segment);
  }

  #forget(segment: StoredSegment): void {
    if (segment.isForgotten) return;
    segment.isForgotten = true;
    this.#index.remove(segment);
    if (this.#newest === segment) this.#newest = null;
    this.#letGo(segment);
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

/** A view of a large buffer would keep all of that alive, uncounted. */
function ownBytes(bytes: Uint8Array): Uint8Array {
  return bytes.length * 2 < bytes.buffer.byteLength ? bytes.slice() : bytes;
}
