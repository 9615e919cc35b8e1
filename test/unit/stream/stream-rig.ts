// Streams on memory, file, engine and clock that a test controls.

import type { InfoHash } from "../../../src/base/brand.ts";
import { TorrxError } from "../../../src/base/errors.ts";
import type { OpenReader, ReadableSource } from "../../../src/stream/ports.ts";
import { type FileBytes, openWindowReader, StreamWindows } from "../../../src/stream/reader/index.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { FakeWindowMemory } from "../../support/fake-window-memory.ts";

export const MIB = 1024 * 1024;
export const TORRENT = "a".repeat(40) as InfoHash;
export const LENGTH = 64 * MIB;
export const SIZES = { ramBufferBytes: 40 * MIB, ramTotalBytes: 100 * MIB, bufferAheadPercent: 80 };
export const ARENA_BYTES = 7 * MIB;

export const CONTENT = new Uint8Array(LENGTH);
for (let at = 0; at < LENGTH; at++) CONTENT[at] = (at * 31) ^ (at >> 8) ^ (at >> 16);

/** An engine that answers when the test says so, and remembers what it was told. */
export class FakeSource implements ReadableSource {
  readonly told: string[] = [];
  /** Null: answers at once. */
  answer: PromiseWithResolvers<void> | null = null;

  openReader({ reader, startBytes, endBytes }: OpenReader): Promise<void> {
    this.told.push(`open ${reader} ${startBytes}-${endBytes}`);
    return this.answer?.promise ?? Promise.resolve();
  }

  advanceReader(reader: number, atBytes: number): void {
    this.told.push(`at ${reader} ${atBytes}`);
  }

  closeReader(reader: number): void {
    this.told.push(`close ${reader}`);
  }
}

/** The disk: what is at each path, and how many openings of it are still open. */
export class FakeFiles {
  readonly identities = new Map<string, string>([["/film", "1"]]);
  readonly failures = new Map<string, TorrxError>();
  isOpen = 0;
  looks = 0;

  readonly open = async (path: string) => {
    this.looks++;
    await Promise.resolve();
    const failure = this.failures.get(path);
    if (failure !== undefined) throw failure;
    const identity = this.identities.get(path);
    if (identity === undefined) return null;
    this.isOpen++;
    return {
      fd: 3,
      identity,
      close: () => {
        this.isOpen--;
        return Promise.resolve();
      },
    };
  };
}

export interface Wanted {
  readonly at?: number;
  readonly end?: number;
  readonly viewer?: string;
  readonly file?: number;
  readonly torrent?: InfoHash;
  readonly isBegun?: boolean;
  readonly signal?: AbortSignal;
}

export class StreamRig {
  readonly memory = new FakeWindowMemory(CONTENT);
  readonly clock = new FakeClock();
  readonly source = new FakeSource();
  readonly files = new FakeFiles();
  readonly windows: StreamWindows;

  constructor() {
    this.memory.openTorrent(TORRENT);
    this.windows = new StreamWindows({
      memory: this.memory,
      clock: this.clock,
      openFile: this.files.open,
      arenaBytes: ARENA_BYTES,
      sizes: SIZES,
    });
  }

  read(wanted: Wanted = {}): FileBytes {
    return openWindowReader({
      windows: this.windows,
      source: this.source,
      request: {
        torrent: wanted.torrent ?? TORRENT,
        file: wanted.file ?? 0,
        viewer: wanted.viewer ?? "v",
        clientAddress: "127.0.0.1",
        startBytes: wanted.at ?? 0,
        endBytes: wanted.end ?? LENGTH,
      },
      file: { path: "/film", isBegun: wanted.isBegun ?? false, lengthBytes: LENGTH, startBytes: 0 },
      signal: wanted.signal ?? new AbortController().signal,
    });
  }

  /** Windows that are open, largest first. */
  get sizes(): number[] {
    return this.memory.open.map(({ shape }) => shape.aheadBytes + shape.behindBytes).sort((a, b) => b - a);
  }
}

/** Takes `bytes` at least. */
export async function take(reader: FileBytes, bytes: number): Promise<void> {
  for (let taken = 0; taken < bytes; ) {
    const chunk = await reader.next();
    if (chunk === null) throw new Error("the reader ended early");
    taken += chunk.length;
  }
}

/** What the promise has come to once everything that is ready has run; "pending" where it waits. */
export async function outcomeOf(promise: Promise<unknown>): Promise<unknown> {
  const settled = promise.then(
    (value) => value,
    (error: unknown) => (error instanceof TorrxError ? error.code : error),
  );
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
  return await Promise.race([settled, Promise.resolve("pending")]);
}
