import { beforeEach, describe, expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../../../src/base/clock.ts";
import { silentLog } from "../../../../src/base/log.ts";
import { systemRandom } from "../../../../src/base/random.ts";
import { nodeSegmentDisk } from "../../../../src/media/segments/node-segment-disk.ts";
import type { SegmentDisk } from "../../../../src/media/segments/ports.ts";
import { openSegmentStore } from "../../../../src/media/segments/segment-store.ts";
import { smallDisk } from "../../../support/small-disk.ts";
import { useTempDirectories } from "../../../support/temp-directory.ts";

const tempDirectory = useTempDirectories();
const NAME = "0123456789abcdef-7";
const BYTES = new Uint8Array(100_000).map((_, i) => i % 251);
const MIB = 1024 * 1024;
let folder: string;
let disk: SegmentDisk;

beforeEach(() => {
  folder = join(tempDirectory(), "tmp", "hls");
  disk = nodeSegmentDisk(folder);
});

const isRoot = process.getuid?.() === 0;

describe("the folder", () => {
  test("is made for its owner alone, and so are its files", async () => {
    await disk.empty();
    await disk.write(NAME, BYTES);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(readdirSync(folder)).toEqual([`${NAME}.hls`]);
    expect(statSync(join(folder, `${NAME}.hls`)).mode & 0o777).toBe(0o600);
  });

  test("is emptied of an earlier process's files and of nothing else", async () => {
    mkdirSync(join(folder, `${NAME}.hls.d`), { recursive: true });
    const foreign = ["holiday.mp4", "0123456789abcdef-7.hls.bak", "x-1.hls", `${NAME}.hls.d`];
    for (const name of [...foreign.slice(0, 3), `${NAME}.hls`, "fedcba9876543210-12.part"]) {
      writeFileSync(join(folder, name), "x");
    }
    await disk.empty();
    expect(readdirSync(folder).sort()).toEqual(foreign.sort());
  });

  test("that was removed under the store is made anew", async () => {
    await disk.empty();
    rmSync(folder, { recursive: true });
    expect(await disk.freeBytes()).toBeGreaterThan(0);
    rmSync(folder, { recursive: true });
    await disk.write(NAME, BYTES);
    expect(existsSync(join(folder, `${NAME}.hls`))).toBe(true);
  });
});

describe("a file", () => {
  test("is read at any place, and never short", async () => {
    await disk.write(NAME, BYTES);
    const file = await disk.open(NAME, BYTES.length);
    expect(await file.read(0, BYTES.length)).toEqual(BYTES);
    expect(await file.read(77_000, 1_234)).toEqual(BYTES.subarray(77_000, 78_234));
    truncateSync(join(folder, `${NAME}.hls`), 50);
    expect(await file.read(40, 20).catch((error) => error.name)).toBe("ForeignFileError");
    await file.close();
  });

  test("that is another one, or none, is not opened", async () => {
    const refused = () =>
      disk.open(NAME, BYTES.length).then(
        () => "opened",
        (error) => error.code ?? error.name,
      );
    await disk.empty();
    expect(await refused()).toBe("ENOENT");
    const path = join(folder, `${NAME}.hls`);
    writeFileSync(path, "short");
    expect(await refused()).toBe("ForeignFileError");
    rmSync(path);
    writeFileSync(join(folder, "elsewhere"), BYTES);
    symlinkSync(join(folder, "elsewhere"), path);
    expect(await refused()).toBe("ELOOP");
    rmSync(path);
    expect(Bun.spawnSync(["mkfifo", path]).exitCode).toBe(0);
    expect(await refused()).toBe("ForeignFileError");
  });

  test("is removed, and one that is gone is none to remove", async () => {
    await disk.write(NAME, BYTES);
    await disk.remove(NAME);
    await disk.remove(NAME);
    rmSync(folder, { recursive: true });
    await disk.remove(NAME);
  });

  test("half-written leaves nothing behind", async () => {
    const other = join(folder, `${NAME}.hls`);
    mkdirSync(join(other, "in-the-way"), { recursive: true });
    expect(await disk.write(NAME, BYTES).catch((error) => error.code)).toBeString();
    expect(readdirSync(folder)).toEqual([`${NAME}.hls`]);
  });
});

const LIMITS = { memoryBytes: 4 * MIB, diskBytes: 64 * MIB, diskShare: 1, diskFreeBytes: 0 };

function openStore(limits: Partial<typeof LIMITS> = {}) {
  return openSegmentStore({
    disk,
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    limits: { ...LIMITS, ...limits },
  });
}

const segment = (n: number) => new Uint8Array(300_000).fill(n);

describe("a store on a real disk", () => {
  test("holds what memory does not, and leaves the folder empty", async () => {
    const store = await openStore();
    for (let n = 0; n < 60; n++) await store.put(`a/${n}`, segment(n));
    await store.settled();
    expect(store.stats).toMatchObject({ segments: 60, evictions: 0, diskFaults: 0 });
    expect(readdirSync(folder).length).toBe(store.stats.spills);
    for (let n = 0; n < 60; n++) expect((await store.get(`a/${n}`))![299_999]).toBe(n);
    await store.close();
    expect(readdirSync(folder)).toEqual([]);
  });

  test("whose folder is removed, or replaced by a file, makes segments again and goes on", async () => {
    const store = await openStore();
    for (let n = 0; n < 30; n++) await store.put(`a/${n}`, segment(n));
    await store.settled();
    rmSync(folder, { recursive: true });
    expect(await store.get("a/0")).toBeNull();
    expect((await store.get("a/29"))![0]).toBe(29);
    for (let n = 30; n < 60; n++) await store.put(`a/${n}`, segment(n));
    await store.settled();
    expect((await store.get("a/35"))![0]).toBe(35);
    renameSync(folder, `${folder}-gone`);
    writeFileSync(folder, "in the way");
    for (let n = 60; n < 90; n++) {
      await store.put(`a/${n}`, segment(n));
      expect((await store.get(`a/${n}`))![0]).toBe(n);
    }
    await store.close();
    expect(store.stats).toMatchObject({ segments: 0, memoryBytes: 0, diskBytes: 0 });
  });

  test.skipIf(!isRoot)(
    "that is full takes no more, serves what it has, and takes more when there is room",
    async () => {
      const small = await smallDisk(3 * MIB);
      try {
        disk = nodeSegmentDisk(join(small.outsidePath, "hls"));
        const store = await openStore({ diskBytes: 64 * MIB });
        for (let n = 0; n < 40; n++) {
          await store.put(`a/${n}`, segment(n));
          expect((await store.get(`a/${n}`))![0]).toBe(n);
        }
        await store.settled();
        // Room is asked for first, so that a full disk is met as one that is short, not as a failed write.
        expect(store.stats.diskBytes).toBeWithin(MIB, 3 * MIB);
        expect(store.stats.memoryBytes).toBeLessThanOrEqual(LIMITS.memoryBytes);
        small.fill();
        for (let n = 40; n < 60; n++) await store.put(`a/${n}`, segment(n));
        await store.settled();
        expect((await store.get("a/59"))![0]).toBe(59);
        small.free();
        const spills = store.stats.spills;
        for (let n = 60; n < 90; n++) await store.put(`a/${n}`, segment(n));
        await store.settled();
        expect(store.stats.spills).toBeGreaterThan(spills);
        await store.close();
        expect(readdirSync(join(small.outsidePath, "hls"))).toEqual([]);
      } finally {
        await small.unmount();
      }
    },
  );

  test.skipIf(!isRoot)(
    "whose space is taken between the question and the write loses no segment to it",
    async () => {
      const small = await smallDisk(2 * MIB);
      try {
        const real = nodeSegmentDisk(join(small.outsidePath, "hls"));
        disk = { ...real, freeBytes: () => Promise.resolve(1024 * MIB) };
        const store = await openStore();
        for (let n = 0; n < 40; n++) {
          await store.put(`a/${n}`, segment(n));
          expect((await store.get(`a/${n}`))![0]).toBe(n);
        }
        await store.settled();
        expect(store.stats.diskFaults).toBe(1);
        expect(readdirSync(join(small.outsidePath, "hls")).some((name) => name.endsWith(".part"))).toBe(
          false,
        );
        for (let n = 0; n < 4; n++) expect((await store.get(`a/${n}`))![299_999]).toBe(n);
        await store.close();
      } finally {
        await small.unmount();
      }
    },
  );
});
