// B5 #2: the rare moments, one by one. Bytes of boundary pieces on the move into a file that was chosen, syncs that
// fail while something is written, pieces lost and written again.

import { describe, expect, test } from "bun:test";
import { seededRandom } from "../../src/base/random.ts";
import { MemoryDisk } from "../support/memory-disk.ts";
import { wronglyBelieved } from "../support/store-oracle.ts";
import {
  allPieces,
  type Bench,
  benchOf,
  download,
  feed,
  makeTorrent,
  NEVER,
} from "../support/store-torrent.ts";

const KIB = 1024;
const SAVE = "/srv/downloads";
const PARTS_PATH = "/srv/aside.parts";
const torrent = makeTorrent({
  pieceLengthBytes: 32 * KIB,
  files: [
    { path: "a", lengthBytes: 100 * KIB },
    { path: "sub/b", lengthBytes: 10 * KIB },
    { path: "c", lengthBytes: 70 * KIB + 123 },
  ],
});

function setUp(
  seed: number,
  presence: readonly boolean[] = [true, true, true],
): { disk: MemoryDisk; made: Bench } {
  const disk = new MemoryDisk(seededRandom(seed), ["/srv", SAVE]);
  return { disk, made: benchOf({ torrent, disk, saveDirectory: SAVE, presence, partsPath: PARTS_PATH }) };
}

test("a chosen file whose bytes could not be moved into it is not given out for reading", async () => {
  const { disk, made } = setUp(1, [true, false, true]);
  await made.store.open(null, NEVER);
  await download(made, allPieces(torrent));
  const chosen = torrent.info.files[1]!.index;
  disk.failOn = ({ op, path }) => (op === "write" && path.endsWith("/b") ? "ENOSPC" : undefined);
  await made.store.setPresence([true, true, true]);
  expect(made.events.faults).toEqual(["disk_full"]);
  await expect(made.store.makeFile(chosen)).rejects.toMatchObject({ code: "disk_full" });
  await made.store.makeFile(torrent.info.files[0]!.index);
  disk.failOn = () => undefined;
  await made.store.retry();
  await made.store.setPresence([true, true, true]);
  await made.store.makeFile(chosen);
  await made.store.close();
});

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await Promise.resolve();
}

/** Every state that was handed out so far is true of what is on disk after a cut now. */
async function expectNoWrongBelief(
  made: Bench,
  after: MemoryDisk,
  presence: readonly boolean[],
  label: string,
) {
  for (const [at, state] of made.events.states.slice(-3).entries()) {
    const wrong = await wronglyBelieved({
      torrent,
      disk: after,
      state,
      presence,
      saveDirectory: SAVE,
      partsPath: PARTS_PATH,
    });
    expect(wrong, `${label}, state ${at}`).toEqual([]);
  }
}

describe("bytes on the move into a chosen file", () => {
  test.each(["kill", "powerCut"] as const)("survive a %s at any turn", async (end) => {
    const all = [true, true, true];
    for (let turn = 0; turn < 240; turn++) {
      const { disk, made } = setUp(turn % 7, [true, false, false]);
      await made.store.open(null, NEVER);
      await download(made, [0, 1, 2, 3]);
      await made.store.commit();
      made.store.setPresence(all).catch(() => undefined);
      for (let passed = 0; passed < turn; passed++) {
        await turns(1);
        made.clock.advance(100);
        if (passed % 11 === turn % 11) made.store.commit().catch(() => undefined);
      }
      const after = disk[end](seededRandom(turn));
      await expectNoWrongBelief(made, after, all, `turn ${turn}`);
      const next = benchOf({
        torrent,
        disk: after,
        saveDirectory: SAVE,
        presence: all,
        partsPath: PARTS_PATH,
      });
      await next.store.open(made.events.last, NEVER);
      expect(next.store.have.count, `turn ${turn}: nothing is lost`).toBe(4);
    }
  });

  test("stay recorded as unsure when the disk fails in the middle and a commit follows", async () => {
    for (let write = 0; write < 3; write++) {
      const { disk, made } = setUp(write, [true, false, false]);
      await made.store.open(null, NEVER);
      await download(made, [0, 1, 2, 3]);
      await made.store.commit();
      let left = write;
      disk.failOn = ({ op }) => (op === "write" && left-- === 0 ? "EIO" : undefined);
      await made.store.setPresence([true, true, true]);
      await made.store.commit();
      await made.store.close();
      const after = disk.kill(seededRandom(1));
      await expectNoWrongBelief(made, after, [true, true, true], `write ${write}`);
    }
  });
});

describe("a sync that fails", () => {
  test("while a piece is being written: that piece is not had", async () => {
    let hits = 0;
    for (let seed = 0; seed < 60; seed++) {
      const { disk, made } = setUp(seed);
      await made.store.open(null, NEVER);
      await download(made, [0]);
      disk.failOn = ({ op }) => (op === "datasync" ? "EIO" : undefined);
      feed(made, 1);
      await turns(seed % 20);
      await made.store.commit();
      await made.clock.settle();
      hits += made.events.verified.includes(1) ? 0 : 1;
      expect(made.store.have.count, `seed ${seed}`).toBe(0);
    }
    expect(hits).toBeGreaterThan(0);
  });

  test("leaves bytes in the page cache that a check finds, and that are written again before they are believed", async () => {
    const { disk, made } = setUp(1);
    await made.store.open(null, NEVER);
    await download(made, [0]);
    await made.store.commit();
    await download(made, [1]);
    disk.failOn = ({ op }) => (op === "datasync" ? "EIO" : undefined);
    await made.store.commit();
    disk.failOn = () => undefined;
    await made.store.recheck(NEVER);
    expect(made.store.have.count).toBe(2);
    expect(made.events.last.verified).toEqual(made.store.have.toBytes());
    for (let seed = 0; seed < 8; seed++) {
      const after = disk.powerCut(seededRandom(seed));
      await expectNoWrongBelief(made, after, [true, true, true], `seed ${seed}`);
    }
  });
});

describe("a file that vanished while idle", () => {
  test("costs all its pieces once it is made anew", async () => {
    const { disk, made } = setUp(1);
    await made.store.open(null, NEVER);
    await download(made, [0, 1, 2]);
    await made.clock.advanceSettled(200_000);
    await disk.removeFile(made.pathOf(0));
    await expect(made.store.read(0, 10)).rejects.toMatchObject({ code: "not_ready" });
    expect(made.events.corrupt).toEqual([0]);
    await download(made, [0]);
    expect(allPieces(torrent).filter((piece) => made.store.have.has(piece))).toEqual([0]);
    expect(made.events.corrupt.toSorted()).toEqual([0, 1, 2]);
    await made.store.close();
  });
});

describe("a check that is under way", () => {
  test("records nothing, whatever commits are asked for, until it is through", async () => {
    const { disk, made } = setUp(1);
    await made.store.open(null, NEVER);
    await download(made, allPieces(torrent));
    await made.store.close();
    const next = benchOf({ torrent, disk, saveDirectory: SAVE, partsPath: PARTS_PATH });
    const opening = next.store.open(null, NEVER);
    let isOpen = false;
    const opened = opening.then(() => {
      isOpen = true;
    });
    while (!isOpen && next.store.have.count === 0) {
      expect(next.events.states).toEqual([]);
      next.store.commit().catch(() => undefined);
      await turns(1);
    }
    await opened;
    expect(next.events.last.verified).toEqual(made.store.have.toBytes());
    await next.store.close();
  });
});
