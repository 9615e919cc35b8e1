import { describe, expect, test } from "bun:test";
import { FakeSegmentDisk, systemFault } from "./fake-segment-disk.ts";
import { content, expectAll, fill, numbered, present, rig } from "./segment-rig.ts";

describe("a fault of the disk", () => {
  test.each(["ENOSPC", "EIO", "EROFS", "ENOENT", "EDQUOT"])(
    "%s while writing leaves the viewer with memory, and the disk in peace for half a minute",
    async (code) => {
      const { store, disk, clock } = await rig();
      disk.faults.set("write", systemFault(code));
      await fill(store, "a", 0, 40);
      expect(disk.writes).toBe(1);
      expect(store.stats).toMatchObject({ diskBytes: 0, diskFaults: 1 });
      await expectAll(store, numbered("a", 32, 40));
      disk.faults.clear();
      await fill(store, "a", 40, 50);
      expect(disk.writes).toBe(1);
      clock.advance(30_000);
      await fill(store, "a", 50, 60);
      expect(store.stats.diskBytes).toBeGreaterThan(0);
      await expectAll(store, numbered("a", 52, 60));
    },
  );

  test("of free space that cannot be told is one too", async () => {
    const { store, disk } = await rig();
    disk.faults.set("freeBytes", systemFault("EIO"));
    await fill(store, "a", 0, 40);
    expect(disk.writes).toBe(0);
    await expectAll(store, numbered("a", 32, 40));
  });

  test("while opening makes the segment one that has to be made again", async () => {
    const { store, disk } = await rig();
    await fill(store, "a", 0, 10);
    disk.files.clear();
    expect(store.has("a/0")).toBe(true);
    expect(await store.open("a/0")).toBeNull();
    expect(store.has("a/0")).toBe(false);
    await store.put("a/0", content("a/0"));
    await expectAll(store, ["a/0", ...numbered("a", 4, 10)]);
  });

  test("while reading ends that answer as busy, and the next finds none", async () => {
    const { store, disk } = await rig();
    await fill(store, "a", 0, 10);
    const handle = (await store.open("a/0"))!;
    disk.faults.set("read", systemFault("EIO"));
    expect(await handle.read(0, 10).catch((error) => [error.code, error.retryAfterSec])).toEqual(["busy", 1]);
    handle.release();
    expect(await store.get("a/1")).toBeNull();
    expect(present(store, ["a/0", "a/1", "a/2"])).toEqual(["a/2"]);
    await store.settled();
    expect(disk.openFiles).toBe(0);
    expect(disk.files.size).toBe(2);
  });

  test("while removing or closing reaches nobody", async () => {
    const { store, disk } = await rig();
    disk.faults.set("remove", systemFault("EIO"));
    await fill(store, "a", 0, 60);
    await expectAll(store, numbered("a", 54, 60));
    expect(store.stats.diskFaults).toBeGreaterThan(0);
  });

  test("at the start leaves a store of memory that empties the folder before it writes there", async () => {
    const disk = new FakeSegmentDisk();
    disk.files.set("left-over", new Uint8Array(5));
    disk.faults.set("empty", systemFault("EACCES"));
    const { store, clock } = await rig({ disk });
    await fill(store, "a", 0, 20);
    expect([...disk.files.keys()]).toEqual(["left-over"]);
    disk.faults.clear();
    clock.advance(30_000);
    await fill(store, "a", 20, 30);
    expect(disk.files.has("left-over")).toBe(false);
    expect(disk.files.size).toBeGreaterThan(0);
  });
});
