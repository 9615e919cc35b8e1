// B4 #22: not enough space is known before the start.

import { describe, expect, test } from "bun:test";
import { Bitfield } from "../../../src/base/bitfield.ts";
import { seededRandom } from "../../../src/base/random.ts";
import { freeSpaceShortfall, missingBytes } from "../../../src/store/index.ts";
import { MemoryDisk } from "../../support/memory-disk.ts";
import { makeTorrent } from "../../support/store-torrent.ts";

const KIB = 1024;
const { info } = makeTorrent({
  pieceLengthBytes: 32 * KIB,
  files: [
    { path: "a", lengthBytes: 40 * KIB },
    { path: "b", lengthBytes: 40 * KIB },
    { path: "c", lengthBytes: 20 * KIB },
  ],
});

describe("space that is missing", () => {
  test("counts each missing piece of the files that are to exist once", () => {
    expect(missingBytes({ info, presence: [true, true, true], have: null })).toBe(100 * KIB);
    expect(missingBytes({ info, presence: [true, false, false], have: null })).toBe(64 * KIB);
    expect(missingBytes({ info, presence: [false, false, true], have: null })).toBe(36 * KIB);
    expect(missingBytes({ info, presence: [false, false, false], have: null })).toBe(0);
    const have = new Bitfield(info.pieceCount);
    have.add(1);
    expect(missingBytes({ info, presence: [true, true, false], have })).toBe(64 * KIB);
  });

  test("is zero where there is room, also when the folder is still to be made", async () => {
    const disk = new MemoryDisk(seededRandom(1), ["/srv"]);
    const place = { saveDirectory: "/srv/new/folder", diskName: null };
    const presence = [true, true, true];
    disk.spaceBytes = 102 * KIB;
    expect(await freeSpaceShortfall({ info, place, presence, have: null, disk })).toBe(0);
    disk.spaceBytes = 60 * KIB;
    expect(await freeSpaceShortfall({ info, place, presence, have: null, disk })).toBeGreaterThanOrEqual(
      40 * KIB,
    );
  });

  test("is known for a torrent of 100 TB without touching anything", async () => {
    const huge = {
      ...info,
      totalBytes: 1e14,
      pieceLengthBytes: 2 ** 27,
      pieceCount: Math.ceil(1e14 / 2 ** 27),
    };
    const files = [{ ...info.files[0]!, lengthBytes: 1e14 }];
    const disk = new MemoryDisk(seededRandom(1), ["/srv"]);
    disk.spaceBytes = 1e12;
    const question = { place: { saveDirectory: "/srv", diskName: null }, presence: [true], have: null, disk };
    expect(await freeSpaceShortfall({ info: { ...huge, files }, ...question })).toBeGreaterThan(9.8e13);
    expect(disk.paths()).toEqual(["/", "/srv"]);
  });
});
