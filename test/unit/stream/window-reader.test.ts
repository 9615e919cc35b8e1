import { beforeEach, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import type { InfoHash } from "../../../src/base/brand.ts";
import { TorrxError } from "../../../src/base/errors.ts";
import type { FileBytes } from "../../../src/stream/reader/index.ts";
import { SourceFile } from "../../../src/stream/reader/source-file.ts";
import { CONTENT, LENGTH, MIB, outcomeOf, StreamRig, TORRENT, take } from "./stream-rig.ts";

const CHUNK_BYTES = 256 * 1024;
let rig: StreamRig;

beforeEach(() => {
  rig = new StreamRig();
});

async function digestOf(reader: FileBytes): Promise<string> {
  const hash = createHash("sha256");
  for (let chunk = await reader.next(); chunk !== null; chunk = await reader.next()) hash.update(chunk);
  return hash.digest("hex");
}

const expected = (start: number, end: number) =>
  createHash("sha256").update(CONTENT.subarray(start, end)).digest("hex");

describe("the bytes of a connection", () => {
  test("are exactly those of its range, whatever the pieces that they come in", async () => {
    for (let at = 0; at < LENGTH; at += 777_777) rig.memory.have(at, at + 777_777);
    for (const [at, end] of [
      [0, 1],
      [LENGTH - 1, LENGTH],
      [65_535, 65_537],
      [1_234_567, 7_654_321],
      [LENGTH - 3 * MIB, LENGTH],
    ] as const) {
      const reader = rig.read({ at, end });
      expect(await digestOf(reader), `${at}-${end}`).toBe(expected(at, end));
      reader.close();
    }
    expect(rig.memory.pins.size).toBe(0);
  });

  test("come in chunks of at most 256 KiB, and each stays pinned until the next is asked for", async () => {
    rig.memory.have(0, LENGTH);
    const reader = rig.read();
    expect((await reader.next())?.length).toBe(CHUNK_BYTES);
    expect(rig.memory.pins.size).toBe(1);
    const [pin] = rig.memory.pins;
    await reader.next();
    expect(rig.memory.pins.size).toBe(1);
    expect(rig.memory.pins.has(pin!)).toBe(false);
    reader.close();
    expect(rig.memory.pins.size).toBe(0);
    reader.close();
    expect(await reader.next()).toBeNull();
  });

  test("that are in memory do not wait for the engine, nor for the disk", async () => {
    rig.memory.have(0, MIB);
    rig.source.answer = Promise.withResolvers();
    const first = rig.read();
    expect(await first.next()).toHaveLength(CHUNK_BYTES);
    expect(rig.source.told).toEqual([`open 1 0-${LENGTH}`]);
    // What lies in the file's place now may be another's.
    expect(rig.files.looks).toBe(0);
    rig.source.answer.resolve();
    await first.next();
    expect(rig.files.looks).toBe(1);
  });

  test("are told as taken only when more is asked for; a reader's number is never used again", async () => {
    rig.memory.have(0, MIB);
    const reader = rig.read({ at: 100, end: 300 });
    await reader.next();
    expect(rig.source.told).toEqual(["open 1 100-300"]);
    expect(await reader.next()).toBeNull();
    reader.close();
    rig.read({ at: 5, end: 6 }).close();
    expect(rig.source.told).toEqual(["open 1 100-300", "at 1 300", "close 1", "open 2 5-6", "close 2"]);
  });
});

describe("a wait for bytes", () => {
  test("ends when they are verified, and hands out none before", async () => {
    const reader = rig.read();
    const pull = reader.next();
    expect(await outcomeOf(pull)).toBe("pending");
    rig.memory.have(5, 10);
    rig.memory.wakeAll();
    expect(await outcomeOf(pull)).toBe("pending");
    rig.memory.have(0, 5);
    expect(await pull).toEqual(CONTENT.subarray(0, 5));
  });

  test("ends when the client goes, and withdraws the demand at once", async () => {
    const gone = new AbortController();
    const reader = rig.read({ signal: gone.signal });
    const pull = reader.next();
    expect(await outcomeOf(pull)).toBe("pending");
    gone.abort();
    expect(rig.source.told.at(-1)).toBe("close 1");
    expect(await outcomeOf(pull)).toBeNull();
    expect(await reader.next()).toBeNull();
  });

  test("ends with what the engine says", async () => {
    for (const code of ["not_found", "busy", "disk_full", "internal"] as const) {
      rig.source.answer = Promise.withResolvers();
      const reader = rig.read();
      const pull = reader.next();
      expect(await outcomeOf(pull)).toBe("pending");
      rig.source.answer.reject(new TorrxError(code, "x"));
      expect(await outcomeOf(pull)).toBe(code);
      reader.close();
    }
  });

  test("ends with the torrent's fault, but what is verified is still handed out", async () => {
    const codes = { disk_full: "disk_full", disk_error: "internal", data_conflict: "internal" } as const;
    for (const fault of ["disk_full", "disk_error", "data_conflict"] as const) {
      rig = new StreamRig();
      rig.memory.have(0, 10);
      const reader = rig.read();
      expect(await reader.next()).toHaveLength(10);
      const pull = reader.next();
      expect(await outcomeOf(pull)).toBe("pending");
      rig.memory.fail(fault);
      expect(await outcomeOf(pull)).toBe(codes[fault]);
      expect(await rig.read().next()).toHaveLength(10);
    }
  });

  test("is nobody's any more once the reader is closed, in whatever state", async () => {
    rig.source.answer = Promise.withResolvers();
    const waiting = rig.read();
    const pull = waiting.next();
    waiting.close();
    expect(await outcomeOf(pull)).toBeNull();
    rig.source.answer.reject(new TorrxError("internal", "too late"));
    const early = rig.read({ signal: AbortSignal.abort() });
    expect(await early.next()).toBeNull();
    expect(rig.source.told.slice(-2)).toEqual([`open 2 0-${LENGTH}`, "close 2"]);
    rig.memory.have(0, LENGTH);
    rig.source.answer = null;
    const held = rig.read();
    await held.next();
    const pulled = held.next();
    held.close();
    expect(await pulled).toBeNull();
    expect(rig.memory.pins.size).toBe(0);
    rig.windows.close();
    expect(rig.clock.pendingTimers).toBe(0);
    await outcomeOf(Promise.resolve());
    expect(rig.files.isOpen).toBe(0);
    expect(rig.memory.files.size).toBe(0);
  });
});

describe("a torrent that is not open yet", () => {
  const other = "c".repeat(40) as InfoHash;

  test("is waited for until the engine has opened it", async () => {
    rig.memory.have(0, LENGTH);
    rig.source.answer = Promise.withResolvers();
    const reader = rig.read({ torrent: other });
    const pull = reader.next();
    expect(await outcomeOf(pull)).toBe("pending");
    rig.memory.openTorrent(other);
    rig.source.answer.resolve();
    expect(await outcomeOf(pull)).toHaveLength(CHUNK_BYTES);
  });

  test("is not found where the engine has opened none", async () => {
    expect(await outcomeOf(rig.read({ torrent: other }).next())).toBe("not_found");
  });

  test("that was closed and opened again goes on in a new window", async () => {
    rig.memory.have(0, LENGTH);
    const reader = rig.read();
    await reader.next();
    rig.memory.closeTorrent(TORRENT);
    rig.memory.openTorrent(TORRENT);
    expect(await outcomeOf(reader.next())).toHaveLength(CHUNK_BYTES);
    expect(rig.memory.open).toHaveLength(1);
    rig.memory.closeTorrent(TORRENT);
    expect(await outcomeOf(reader.next())).toBe("not_found");
  });
});

describe("the file that windows are filled from", () => {
  const sourcesOf = () => rig.memory.open.map(({ source }) => source);

  test("is not looked for before the engine has said that it is the torrent's", async () => {
    rig.source.answer = Promise.withResolvers();
    const pull = rig.read().next();
    rig.memory.wakeAll();
    expect(await outcomeOf(pull)).toBe("pending");
    expect([rig.files.looks, rig.memory.files.size]).toEqual([0, 0]);
    rig.source.answer.resolve();
    expect(await outcomeOf(pull)).toBe("pending");
    expect(sourcesOf()).toEqual([...rig.memory.files]);
  });

  test("is looked for anew for a torrent that was opened anew, and nothing is read of the old one", async () => {
    rig.memory.have(0, MIB);
    const reader = rig.read();
    await take(reader, MIB);
    const pull = reader.next();
    expect(await outcomeOf(pull)).toBe("pending");
    const [before] = rig.memory.files;
    rig.files.identities.set("/film", "2");
    rig.memory.openTorrent(TORRENT);
    rig.memory.wakeAll();
    expect(await outcomeOf(pull)).toBe("pending");
    expect(rig.memory.files.size).toBe(1);
    expect(rig.memory.files.has(before!)).toBe(false);
    expect(sourcesOf()).toEqual([...rig.memory.files]);
    rig.memory.have(MIB, 2 * MIB);
    expect(await outcomeOf(pull)).toHaveLength(CHUNK_BYTES);
  });

  test("is opened again where the torrent was opened anew during the look", async () => {
    const file = new SourceFile({
      memory: rig.memory,
      openFile: async (path) => {
        rig.memory.openTorrent(TORRENT);
        return await rig.files.open(path);
      },
      findTorrent: () => rig.memory.findTorrent(TORRENT),
      onOpen: () => undefined,
    });
    await file.look("/film");
    expect(file.tokenFor(rig.memory.findTorrent(TORRENT))).toBeNull();
    file.close();
  });

  test("is looked for again once the engine has answered, and whenever a wait may be over", async () => {
    rig.files.identities.clear();
    rig.source.answer = Promise.withResolvers();
    const pull = rig.read().next();
    expect(await outcomeOf(pull)).toBe("pending");
    rig.source.answer.resolve();
    expect(await outcomeOf(pull)).toBe("pending");
    expect(sourcesOf()).toEqual([0]);
    rig.files.identities.set("/film", "1");
    rig.memory.wakeAll();
    expect(await outcomeOf(pull)).toBe("pending");
    expect(sourcesOf()).toEqual([...rig.memory.files]);
    const { looks } = rig.files;
    rig.memory.wakeAll();
    expect(await outcomeOf(pull)).toBe("pending");
    expect(rig.files.looks).toBe(looks);
  });

  test("is not missed when it appears during a look", async () => {
    rig.files.identities.clear();
    const { open } = rig.files;
    const seen: PromiseWithResolvers<void>[] = [];
    const late = rig.read().next();
    expect(await outcomeOf(late)).toBe("pending");
    const slow = async (path: string) => {
      const found = await open(path);
      const gate = Promise.withResolvers<void>();
      seen.push(gate);
      await gate.promise;
      return found;
    };
    const file = new SourceFile({
      memory: rig.memory,
      openFile: slow,
      findTorrent: () => 1,
      onOpen: () => undefined,
    });
    const first = file.look("/film");
    expect(await outcomeOf(first)).toBe("pending");
    rig.files.identities.set("/film", "1");
    const [second, third] = [file.look("/film"), file.look("/film")];
    seen[0]?.resolve();
    expect(await outcomeOf(first)).toBe(false);
    seen[1]?.resolve();
    expect(await Promise.all([second, third])).toEqual([true, true]);
    expect(seen).toHaveLength(2);
    file.close();
  });

  test("is not_found when it is missing although some of it was written", async () => {
    rig.files.identities.clear();
    expect(await outcomeOf(rig.read({ isBegun: true }).next())).toBe("not_found");
  });

  test("fails as the disk does", async () => {
    rig.files.failures.set("/film", new TorrxError("busy", "too many"));
    expect(await outcomeOf(rig.read().next())).toBe("busy");
  });

  test("is the one that lies there now, for every window of the stream", async () => {
    rig.memory.have(0, LENGTH);
    const reader = rig.read();
    await take(reader, MIB);
    const probe = rig.read({ at: 60 * MIB });
    await take(probe, 1);
    const [before] = rig.memory.files;
    expect(sourcesOf()).toEqual([before!, before!]);
    rig.files.identities.set("/film", "2");
    const third = rig.read({ at: 10 });
    await take(third, 1);
    await outcomeOf(Promise.resolve());
    expect(rig.memory.files.size).toBe(1);
    expect(rig.memory.files.has(before!)).toBe(false);
    expect(new Set(sourcesOf())).toEqual(new Set(rig.memory.files));
    expect(rig.files.isOpen).toBe(0);
  });
});
