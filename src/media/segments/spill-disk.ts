// The part of the store that is on disk. Nothing here fails to its caller: a disk that is short, gone or broken means
// that a segment is not kept, and what cannot be read back is made again.

import type { Clock } from "../../base/clock.ts";
import { describeError, systemCodeOf } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import type { SegmentDisk, SegmentFile } from "./ports.ts";

/** How long a disk that failed is left alone. */
const REST_MS = 30_000;

export interface DiskLimits {
  /** The most that segments take on disk. */
  readonly diskBytes: number;
  /** … and of what would be free without them. */
  readonly diskShare: number;
  /** Less than this is never left free. */
  readonly diskFreeBytes: number;
}

export interface SpillDiskOptions {
  readonly disk: SegmentDisk;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits: DiskLimits;
  /** Names of this store's files begin with it: no two stores share a name. */
  readonly namePrefix: string;
}

export class SpillDisk {
  readonly #disk: SegmentDisk;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #limits: DiskLimits;
  readonly #namePrefix: string;
  readonly #unfinished = new Set<Promise<void>>();
  #isEmptied = false;
  #restUntilMs = Number.NEGATIVE_INFINITY;
  #written = 0;
  #faults = 0;

  constructor({ disk, clock, log, limits, namePrefix }: SpillDiskOptions) {
    this.#disk = disk;
    this.#clock = clock;
    this.#log = log;
    this.#limits = limits;
    this.#namePrefix = namePrefix;
  }

  get faults(): number {
    return this.#faults;
  }

  /** What cannot be emptied now is tried again before anything is written. */
  async empty(): Promise<void> {
    this.#isEmptied = false;
    try {
      await this.#disk.empty();
      this.#isEmptied = true;
    } catch (error) {
      this.#rest(error, "the folder for HLS segments cannot be used; they stay in memory");
    }
  }

  /** What segments that take `usedBytes` now may take on disk, 0 or less where nothing; null where it is to rest. */
  async capacity(usedBytes: number): Promise<number | null> {
    if (this.#isResting) return null;
    if (!this.#isEmptied) await this.empty();
    if (this.#isResting) return null;
    try {
      const freeBytes = await this.#disk.freeBytes();
      const { diskBytes, diskShare, diskFreeBytes } = this.#limits;
      // Where others have filled the disk this falls below what is used: segments give back what they hold of it.
      const withoutUs = freeBytes + usedBytes;
      return Math.min(diskBytes, diskShare * withoutUs, withoutUs - diskFreeBytes);
    } catch (error) {
      this.#rest(error, "the disk of HLS segments does not answer");
      return null;
    }
  }

  /** The name of the file that now holds the bytes, or null. */
  async write(bytes: Uint8Array): Promise<string | null> {
    const name = `${this.#namePrefix}-${this.#written++}`;
    try {
      await this.#disk.write(name, bytes);
      return name;
    } catch (error) {
      this.#rest(error, "an HLS segment could not be written");
      return null;
    }
  }

  /** Null where it is lost. */
  async open(name: string, lengthBytes: number): Promise<SegmentFile | null> {
    try {
      return await this.#disk.open(name, lengthBytes);
    } catch (error) {
      this.lost(error);
      return null;
    }
  }

  /** A segment on disk turned out to be unreadable. */
  lost(error: unknown): void {
    this.#faults++;
    this.#log.warn("an HLS segment is lost on disk; it is made again", factsOf(error));
  }

  remove(name: string): void {
    this.#finish(this.#disk.remove(name), "an HLS segment could not be removed");
  }

  leave(file: SegmentFile): void {
    this.#finish(file.close(), "the file of an HLS segment could not be closed");
  }

  /** When all removals so far are done. */
  async settled(): Promise<void> {
    await Promise.all(this.#unfinished);
  }

  #finish(work: Promise<void>, complaint: string): void {
    const ended = work
      .catch((error: unknown) => this.#rest(error, complaint))
      .finally(() => this.#unfinished.delete(ended));
    this.#unfinished.add(ended);
  }

  get #isResting(): boolean {
    return this.#clock.nowMs() < this.#restUntilMs;
  }

  #rest(error: unknown, message: string): void {
    this.#faults++;
    this.#restUntilMs = this.#clock.nowMs() + REST_MS;
    this.#log.warn(message, factsOf(error));
  }
}

function factsOf(error: unknown): { readonly cause: string } {
  return { cause: systemCodeOf(error) ?? describeError(error) };
}
