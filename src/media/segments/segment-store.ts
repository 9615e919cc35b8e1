// Finished segments of all renditions, for all viewers. Losing one is never an error: whoever finds none has it made
// again. So no fault of the disk reaches a viewer.

import type { Clock, Timer } from "../../base/clock.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Log } from "../../base/log.ts";
import type { Random } from "../../base/random.ts";
import { fileHandle, memoryHandle } from "./handles.ts";
import type { NeededIn, SegmentDisk, SegmentHandle, SegmentStoreStats } from "./ports.ts";
import { SegmentIndex } from "./segment-index.ts";
import { SegmentRoom } from "./segment-room.ts";
import { StoredSegment } from "./shelf.ts";
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

/** A disk that hangs does not hold up whoever puts … */
const PUT_MS = 1_000;
/** … nor the end of the process. */
const CLOSE_MS = 2_000;
/** A segment that is new has a request on its way, whatever is known of the viewers' places. */
const FRESH_MS = 5_000;
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
  readonly #disk: SpillDisk;
  readonly #room: SegmentRoom;
  readonly #index = new SegmentIndex();
  #evictions = 0;
  #isClosed = false;

  constructor({ disk, clock, random, log, neededIn, limits }: SegmentStoreOptions) {
    this.#clock = clock;
    this.#neededIn = neededIn ?? (() => Number.POSITIVE_INFINITY);
    const allLimits = { ...LIMITS.hls, ...limits };
    const namePrefix = Buffer.from(random.bytes(NAME_PREFIX_BYTES)).toString("hex");
    this.#disk = new SpillDisk({ disk, clock, log, limits: allLimits, namePrefix });
    this.#room = new SegmentRoom({
      disk: this.#disk,
      neededIn: this.#neededIn,
      memoryBytes: allLimits.memoryBytes,
      onEvict: (segment) => this.#evict(segment),
    });
  }

  get stats(): SegmentStoreStats {
    return {
      segments: this.#index.size,
      memoryBytes: this.#room.memoryBytes,
      diskBytes: this.#room.diskBytes,
      evictions: this.#evictions,
      spills: this.#room.spills,
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
    const relief = this.#room.relief;
    if (relief !== null) await this.#within(PUT_MS, relief);
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
  settled(): Promise<void> {
    return this.#room.settled();
  }

  /** Forgets all and empties the folder. Handles that are out stay readable. Idempotent. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#room.close();
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
    this.#dropWorthless(segment.rendition);
    this.#room.add(segment);
    this.#touch(segment);
  }

  /** The init segment is as much in use as any segment behind it. */
  #touch(segment: StoredSegment): void {
    const init = this.#index.get(`${segment.rendition}/init`);
    if (init !== undefined) this.#room.touch(init);
    this.#room.touch(segment);
  }

  #release(segment: StoredSegment): void {
    segment.readers--;
    this.#room.release(segment);
  }

  #dropWorthless(rendition: string): void {
    const freshSinceMs = this.#clock.nowMs() - FRESH_MS;
    for (const segment of this.#index.of(rendition)) {
      if (segment.putAtMs > freshSinceMs || segment.isInUse) continue;
      if (this.#neededIn(rendition, segment.segment) === null) this.#evict(segment);
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
    this.#room.drop(segment);
  }
}

/** A view of a large buffer would keep all of that alive, uncounted. */
function ownBytes(bytes: Uint8Array): Uint8Array {
  return bytes.length * 2 < bytes.buffer.byteLength ? bytes.slice() : bytes;
}
