// B5 #3, #5: a full or failing disk stops one torrent's writing, loses nothing that was verified, and is tried again.
// B5 #27: commands that overlap with writes.

import { describe, expect, test } from "bun:test";
import { seededRandom } from "../../src/base/random.ts";
import type { FilePresence } from "../../src/store/ports.ts";
import { MemoryDisk, type Operation } from "../support/memory-disk.ts";
import {
  allPieces,
  type Bench,
  benchOf,
  download,
  feed,
  type MadeTorrent,
  makeTorrent,
  NEVER,
} from "../support/store-torrent.ts";

const KIB = 1024;
const SAVE = "/srv/downloads";

function torrentOf(seed = 1): MadeTorrent {
  return makeTorrent({
    pieceLengthBytes: 32 * KIB,
    seed,
    files: [
      { path: "a", lengthBytes: 100 * KIB },
      { path: "sub/b", lengthBytes: 10 * KIB },
      { path: "c", lengthBytes: 70 * KIB + 123 },
    ],
  });
}

function setUp(options: { seed?: number; presence?: FilePresence } = {}): { disk: MemoryDisk; made: Bench } {
  const disk = new MemoryDisk(seededRandom(options.seed ?? 1), ["/srv", SAVE]);
  const presence = options.presence ?? [true, true, true];
  return { disk, made: benchOf({ torrent: torrentOf(), disk, saveDirectory: SAVE, presence }) };
}

/** Fails the nth operation of this kind (from 0) and, if asked, every later one. */
function failing(op: Operation["op"], code: string, options: { nth?: number; isForEver?: boolean } = {}) {
  let count = 0;
  return (operation: Operation) => {
    if (operation.op !== op) return undefined;
    const at = count++;
    const nth = options.nth ?? 0;
    return at === nth || (options.isForEver && at > nth) ? code : undefined;
  };
}

async function faulted(made: Bench): Promise<void> {
  await made.events.until(() => made.events.faults.length > 0);
}

async function expectCompletable(made: Bench, disk: MemoryDisk): Promise<void> {
  await download(
    made,
    allPieces(made.torrent).filter((piece) => !made.store.have.has(piece)),
  );
  await made.store.close();
  for (const file of made.torrent.info.files) {
    expect(Buffer.compare(disk.contentOf(made.pathOf(file.index))!, made.torrent.fileBytes(file.index))).toBe(
      0,
    );
  }
  expect(made.events.last.isClean).toBe(true);
}

describe("a full disk", () => {
  test("is told once; the piece is needed again without blame; verified pieces are still read", async () => {
    const { disk, made } = setUp();
    await made.store.open(null, NEVER);
    await download(made, [0]);
    disk.spaceBytes = 40 * KIB;
    feed(made, 1);
    feed(made, 2);
    feed(made, 4);
    await faulted(made);
    await made.clock.settle();
    expect(made.events.faults).toEqual(["disk_full"]);
    expect(made.events.blamed).not.toContain(true);
    const needed = allPieces(made.torrent).filter((piece) => !made.store.have.has(piece));
    expect(made.events.corrupt.every((piece) => needed.includes(piece))).toBe(true);
    expect(made.store.assemblyBytes).toBe(0);
    expect(feed(made, 3)).toBe(false);
    expect(Buffer.compare(await made.store.read(0, 32 * KIB), made.torrent.bytes.subarray(0, 32 * KIB))).toBe(
      0,
    );
    await made.store.close();
  });

  test("is tried again only when space is back, and the download then completes", async () => {
    const { disk, made } = setUp();
    await made.store.open(null, NEVER);
    disk.spaceBytes = 50 * KIB;
    for (const piece of allPieces(made.torrent)) feed(made, piece);
    await faulted(made);
    await expect(made.store.retry()).rejects.toMatchObject({ code: "disk_full" });
    disk.spaceBytes = 1024 * KIB;
    await made.store.retry();
    await expectCompletable(made, disk);
  });

  test.each(["truncate", "mkdir", "open", "datasync", "syncdir"] as const)(
    "found by %s is a full disk too",
    async (op) => {
      const { disk, made } = setUp();
      await made.store.open(null, NEVER);
      disk.failOn = failing(op, "ENOSPC");
      feed(made, 0);
      await made.clock.settle();
      await made.store.commit();
      await faulted(made);
      expect(made.events.faults).toEqual(["disk_full"]);
      expect(made.store.have.count).toBe(0);
      disk.failOn = () => undefined;
      await made.store.retry();
      await expectCompletable(made, disk);
    },
  );

  test("at the first open is told, and a retry opens", async () => {
    const { disk, made } = setUp();
    disk.failOn = failing("stat", "ENOSPC");
    await made.store.open(null, NEVER);
    expect(made.events.faults).toEqual(["disk_full"]);
    await made.store.retry();
    await expectCompletable(made, disk);
  });

  test("while kept bytes move into a chosen file loses none of them", async () => {
    const { disk, made } = setUp({ presence: [true, false, false] });
    await made.store.open(null, NEVER);
    await download(made, [0, 1, 2, 3]);
    disk.failOn = failing("write", "ENOSPC", { nth: 1, isForEver: true });
    await made.store.setPresence([true, true, true]);
    expect(made.events.faults).toEqual(["disk_full"]);
    disk.failOn = () => undefined;
    await made.store.retry();
    expect(made.store.have.count).toBe(4);
    expect(made.events.corrupt).toEqual([]);
    await expectCompletable(made, disk);
  });
});

describe("a failing disk", () => {
  test("that refuses a write is a disk error; nothing is believed of the piece", async () => {
    const { disk, made } = setUp();
    await made.store.open(null, NEVER);
    disk.failOn = failing("write", "EIO");
    feed(made, 0);
    await faulted(made);
    expect(made.events.faults).toEqual(["disk_error"]);
    expect(made.store.have.count).toBe(0);
    await made.store.retry();
    await expectCompletable(made, disk);
  });

  test("that fails a sync loses what was written since the last commit and is never believed later", async () => {
    const { disk, made } = setUp();
    await made.store.open(null, NEVER);
    await download(made, [0, 1]);
    await made.store.commit();
    await download(made, [2, 3]);
    disk.failOn = failing("datasync", "EIO");
    await made.store.commit();
    expect(made.events.faults).toEqual(["disk_error"]);
    expect(allPieces(made.torrent).filter((piece) => made.store.have.has(piece))).toEqual([0, 1]);
    expect(made.events.corrupt.toSorted()).toEqual([2, 3]);
    expect(made.events.last).toMatchObject({ unsure: [], isClean: false });
    await made.store.commit();
    expect(made.events.last.verified).toEqual(made.store.have.toBytes());
    const next = benchOf({
      torrent: made.torrent,
      disk: disk.powerCut(seededRandom(3)),
      saveDirectory: SAVE,
    });
    await next.store.open(made.events.last, NEVER);
    expect(next.store.have.count).toBe(2);
  });

  test("that fails a read loses the piece, serves nothing and does not stop the torrent", async () => {
    const { disk, made } = setUp();
    await made.store.open(null, NEVER);
    await download(made, [0, 1]);
    disk.failOn = failing("read", "EIO", { isForEver: true });
    await expect(made.store.read(32 * KIB, 10)).rejects.toMatchObject({ code: "not_ready" });
    expect(made.store.have.has(1)).toBe(false);
    expect(made.events).toMatchObject({ corrupt: [1], blamed: [false], faults: [] });
    disk.failOn = () => undefined;
    await expectCompletable(made, disk);
  });

  test("that is short of file handles loses nothing", async () => {
    const { disk, made } = setUp();
    await made.store.open(null, NEVER);
    await download(made, [0, 1]);
    disk.failOn = failing("read", "EMFILE");
    await expect(made.store.read(32 * KIB, 10)).rejects.toMatchObject({ code: "busy" });
    expect(made.store.have.has(1)).toBe(true);
    await made.store.close();
  });

  test("a file that is removed while it is written costs its pieces, not the truth", async () => {
    const { disk, made } = setUp();
    await made.store.open(null, NEVER);
    await download(made, [0, 1, 4]);
    await disk.removeFile(made.pathOf(0));
    await made.store.commit();
    expect(made.events.faults).toEqual(["disk_error"]);
    await made.store.retry();
    expect([0, 1].map((piece) => made.store.have.has(piece))).toEqual([false, false]);
    await expectCompletable(made, disk);
  });
});

describe("commits", () => {
  test("come 5 s after the first write, in order: files, then folders, then the record", async () => {
    const { disk, made } = setUp();
    await made.store.open(null, NEVER);
    await download(made, [3]);
    await made.clock.advanceSettled(600);
    expect(made.events.last).toMatchObject({ unsure: [3], verified: new Uint8Array(1) });
    const from = disk.operations.length;
    await made.clock.advanceSettled(4_500);
    expect(made.events.last).toMatchObject({ unsure: [], verified: made.store.have.toBytes() });
    const syncs = disk.operations.slice(from).filter(({ op }) => op === "datasync" || op === "syncdir");
    expect(syncs.map(({ op, path }) => `${op} ${path}`)).toEqual([
      "datasync /srv/downloads/Show/a",
      "datasync /srv/downloads/Show/sub/b",
      "datasync /srv/downloads/Show/c",
      "syncdir /srv/downloads/Show/sub",
      "syncdir /srv/downloads/Show",
      "syncdir /srv/downloads",
    ]);
    const states = made.events.states.length;
    await made.clock.advanceSettled(60_000);
    expect(made.events.states.length).toBe(states);
    await made.store.close();
  });

  test("come at once after 64 MiB", async () => {
    const torrent = makeTorrent({
      pieceLengthBytes: 4096 * KIB,
      files: [{ path: "a", lengthBytes: 17 * 4096 * KIB }],
    });
    const disk = new MemoryDisk(seededRandom(1), ["/srv", SAVE]);
    const made = benchOf({ torrent, disk, saveDirectory: SAVE });
    await made.store.open(null, NEVER);
    await download(made, allPieces(torrent).slice(0, 16));
    await made.clock.advanceSettled(1);
    expect(disk.operations.filter(({ op }) => op === "datasync").length).toBe(1);
    await made.store.close();
  });

  test("hand out the same arrays while nothing in them changed", async () => {
    const { made } = setUp();
    const seen: unknown[][] = [];
    made.events.onResume = (state) => void seen.push([state.verified, state.stamps]);
    await made.store.open(null, NEVER);
    await download(made, [0]);
    await made.clock.advanceSettled(600);
    await download(made, [1]);
    await made.clock.advanceSettled(600);
    const [before, after] = seen.slice(-2);
    expect(after?.[0]).toBe(before?.[0]);
    expect(after?.[1]).toBe(before?.[1]);
    await made.store.close();
  });
});

describe("commands that overlap with writes", () => {
  type Command = (made: Bench) => Promise<unknown>;
  const commands: Record<string, Command> = {
    close: ({ store }) => store.close(),
    removeData: ({ store }) => store.removeData(),
    recheck: ({ store }) => store.recheck(NEVER),
    setPresence: ({ store }) => store.setPresence([true, true, true]),
    commit: ({ store }) => store.commit(),
    retry: ({ store }) => store.retry(),
    read: ({ store }) => store.read(0, 32 * KIB),
  };
  const names = Object.keys(commands);
  const pairs = names.flatMap((first) => names.map((second) => [first, second] as const));

  test.each(pairs)("%s, then %s: no late write, no wrong piece, everything ends", async (first, second) => {
    for (let seed = 1; seed <= 12; seed++) {
      const random = seededRandom(seed);
      const { disk, made } = setUp({ seed, presence: [true, false, true] });
      await made.store.open(null, NEVER);
      await download(made, [3]);
      const turns = async () => {
        for (let turn = random.below(40); turn > 0; turn--) await Promise.resolve();
      };
      for (const piece of allPieces(made.torrent)) feed(made, piece);
      await turns();
      const running = [commands[first]!(made)];
      await turns();
      for (const piece of allPieces(made.torrent)) feed(made, piece);
      running.push(commands[second]!(made));
      await Promise.allSettled(running);
      const isRemoved = first === "removeData" || second === "removeData";
      if (!isRemoved) await made.store.close();
      await made.clock.advanceSettled(60_000);
      expect(made.clock.pendingTimers, `seed ${seed}`).toBe(0);
      expect(made.store.assemblyBytes, `seed ${seed}`).toBe(0);
      if (isRemoved) expect(disk.paths(), `seed ${seed}`).toEqual(["/", "/srv", SAVE]);
      else await expectTrue(made, disk, seed);
    }
  });

  /** What the last record says is what lies on disk. */
  async function expectTrue(made: Bench, disk: MemoryDisk, seed: number): Promise<void> {
    const before = disk.operations.length;
    const next = benchOf({ torrent: made.torrent, disk, saveDirectory: SAVE, presence: [true, true, true] });
    await next.store.open(made.events.last, NEVER);
    for (const piece of allPieces(made.torrent)) {
      if (!next.store.have.has(piece)) continue;
      const start = made.torrent.geometry.pieceStart(piece);
      const length = made.torrent.geometry.pieceLength(piece);
      const truth = made.torrent.bytes.subarray(start, start + length);
      expect(
        Buffer.compare(await next.store.read(start, length), truth),
        `seed ${seed}: piece ${piece}`,
      ).toBe(0);
    }
    expect(disk.operations.length).toBeGreaterThan(before);
    await next.store.close();
  }
});
