// A disk in memory that does what it is told: runs short, fails, hangs, loses files.

import type { SegmentDisk, SegmentFile } from "../../../../src/media/segments/ports.ts";

const GIB = 1024 ** 3;

export function systemFault(code: string): Error {
  return Object.assign(new Error(`${code}: as the test wants it`), { code });
}

export class FakeSegmentDisk implements SegmentDisk {
  readonly files = new Map<string, Uint8Array>();
  /** Free space besides what the files take. */
  totalBytes = 100 * GIB;
  /** Thrown by the operations named. */
  readonly faults = new Map<"empty" | "write" | "open" | "read" | "remove" | "freeBytes", Error>();
  /** Set: writes wait for it. */
  gate: Promise<void> | null = null;
  writes = 0;
  openFiles = 0;
  emptied = 0;
  peakBytes = 0;

  get usedBytes(): number {
    return [...this.files.values()].reduce((sum, { length }) => sum + length, 0);
  }

  empty(): Promise<void> {
    return this.#do("empty", () => {
      this.emptied++;
      this.files.clear();
    });
  }

  async write(name: string, bytes: Uint8Array): Promise<void> {
    this.writes++;
    await this.gate;
    await this.#do("write", () => this.files.set(name, bytes.slice()));
    this.peakBytes = Math.max(this.peakBytes, this.usedBytes);
  }

  open(name: string, lengthBytes: number): Promise<SegmentFile> {
    return this.#do("open", () => {
      const bytes = this.files.get(name);
      if (bytes?.length !== lengthBytes) throw systemFault("ENOENT");
      this.openFiles++;
      return {
        read: (at, count) => this.#do("read", () => bytes.slice(at, at + count)),
        close: () => {
          this.openFiles--;
          return Promise.resolve();
        },
      };
    });
  }

  async remove(name: string): Promise<void> {
    // Slower than all that does not wait for it.
    await new Promise<void>((resolve) => setImmediate(resolve));
    await this.#do("remove", () => void this.files.delete(name));
  }

  freeBytes(): Promise<number> {
    return this.#do("freeBytes", () => this.totalBytes - this.usedBytes);
  }

  async #do<T>(operation: Parameters<typeof this.faults.get>[0], task: () => T): Promise<T> {
    await Promise.resolve();
    const fault = this.faults.get(operation);
    if (fault !== undefined) throw fault;
    return task();
  }
}
