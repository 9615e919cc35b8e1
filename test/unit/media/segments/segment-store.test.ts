import { describe, expect, test } from "bun:test";
import type { NeededIn } from "../../../../src/media/segments/ports.ts";
import { FakeSegmentDisk } from "./fake-segment-disk.ts";
import {
  closeGate,
  content,
  expectAll,
  fill,
  GIB,
  KIB,
  LIMITS,
  numbered,
  present,
  rig,
} from "./segment-rig.ts";

describe("a segment", () => {
  test("can be opened as soon as it is put, and what was never put is not there", async () => {
    const { store } = await rig();
    void store.put("a/v0/0", content("a/v0/0"));
    const handle = await store.open("a/v0/0");
    expect(handle!.bytes).toEqual(content("a/v0/0"));
    expect(await handle!.read(10, 5)).toEqual(content("a/v0/0").subarray(10, 15));
    handle!.release();
    expect(await store.open("a/v0/1")).toBeNull();
    expect(await store.get("a/v0/1")).toBeNull();
    expect(store.has("a/v0/1")).toBe(false);
  });

  test("put twice is kept once", async () => {
    const { store } = await rig();
    await store.put("a/0", content("a/0"));
    await store.put("a/0", content("other"));
    expect(store.stats).toMatchObject({ segments: 1, memoryBytes: KIB });
    await expectAll(store, ["a/0"]);
  });

  test("that is a small part of a large buffer does not keep that alive", async () => {
    const { store } = await rig();
    const large = new Uint8Array(100 * KIB);
    await store.put("a/0", large.subarray(5, 5 + KIB));
    expect((await store.get("a/0"))!.buffer.byteLength).toBe(KIB);
  });
});

describe("memory", () => {
  test("spills what was used least lately to disk before it is full, and all of it is still there", async () => {
    const { store, disk } = await rig();
    await fill(store, "a", 0, 20);
    expect(store.stats).toMatchObject({
      segments: 20,
      memoryBytes: 6 * KIB,
      diskBytes: 14 * KIB,
      evictions: 0,
    });
    expect(store.stats.spills).toBe(14);
    expect(disk.usedBytes).toBe(14 * KIB);
    await expectAll(store, numbered("a", 0, 20));
    expect(disk.openFiles).toBe(0);
  });

  test("never stands above its cap while the disk is slow", async () => {
    const { store, disk, clock } = await rig();
    const gate = closeGate(disk);
    for (let n = 0; n < 50; n++) {
      void store.put(`a/${n}`, content(`a/${n}`));
      expect(store.stats.memoryBytes).toBeLessThanOrEqual(LIMITS.memoryBytes);
    }
    await clock.settle();
    expect(disk.writes).toBe(1);
    gate.open();
    await store.settled();
    expect(store.stats.memoryBytes).toBeLessThanOrEqual(LIMITS.memoryBytes);
    // The one that was being written, and the newest.
    await expectAll(store, ["a/0", ...numbered("a", 44, 50)]);
  });

  test("that runs full makes whoever puts wait for the disk, but not for one that hangs", async () => {
    const { store, disk, clock } = await rig();
    const gate = closeGate(disk);
    for (let n = 0; n < 7; n++) await store.put(`a/${n}`, content(`a/${n}`));
    let done = 0;
    const waiting = [7, 8].map((n) => store.put(`a/${n}`, content(`a/${n}`)).then(() => done++));
    await clock.settle();
    expect(done).toBe(0);
    await clock.advanceSettled(1_000);
    expect(done).toBe(2);
    const last = store.put("a/9", content("a/9"));
    gate.open();
    await Promise.all([...waiting, last]);
    expect(clock.pendingTimers).toBe(0);
  });

  test("keeps the newest even where it alone is larger than all of memory", async () => {
    const { store, disk } = await rig({ limits: { diskBytes: 0 } });
    await store.put("a/0", content("a/0", 100 * KIB));
    await store.settled();
    expect((await store.get("a/0"))!.length).toBe(100 * KIB);
    await store.put("a/1", content("a/1"));
    await store.settled();
    expect(present(store, ["a/0", "a/1"])).toEqual(["a/1"]);
    expect(disk.files.size).toBe(0);
  });

  test("is not taken from what is being served: it goes when it is released", async () => {
    const { store } = await rig({ limits: { diskBytes: 0 } });
    await fill(store, "a", 0, 4);
    const served = (await store.open("a/0"))!;
    await fill(store, "a", 4, 40);
    expect(store.has("a/0")).toBe(true);
    expect(served.bytes).toEqual(content("a/0"));
    served.release();
    served.release();
    await fill(store, "a", 40, 60);
    expect(store.has("a/0")).toBe(false);
    expect(store.stats.memoryBytes).toBeLessThanOrEqual(LIMITS.memoryBytes);
  });

  test("full of what is being served is over its cap by that alone, and back under it afterwards", async () => {
    const { store } = await rig({ limits: { diskBytes: 0 } });
    const served = [];
    for (let n = 0; n < 20; n++) {
      await store.put(`a/${n}`, content(`a/${n}`));
      served.push((await store.open(`a/${n}`))!);
    }
    expect(store.stats.memoryBytes).toBe(20 * KIB);
    for (const handle of served) handle.release();
    expect(store.stats.memoryBytes).toBeLessThanOrEqual(LIMITS.memoryBytes);
  });

  test("that was once full of what is being served spills again when it is released", async () => {
    const { store } = await rig();
    const served = [];
    for (let n = 0; n < 20; n++) {
      void store.put(`a/${n}`, content(`a/${n}`));
      served.push((await store.open(`a/${n}`))!);
    }
    await store.settled();
    for (const handle of served) handle.release();
    await store.settled();
    await fill(store, "a", 20, 30);
    expect(store.stats).toMatchObject({ memoryBytes: 6 * KIB });
    expect(store.stats.diskBytes).toBeGreaterThan(8 * KIB);
    await expectAll(store, numbered("a", 20, 30));
  });
});

describe("the disk", () => {
  test("has a cap: what was used least lately goes away, and the folder never holds more", async () => {
    const { store, disk } = await rig();
    await fill(store, "a", 0, 60);
    expect(store.stats.diskBytes).toBe(16 * KIB);
    expect(disk.usedBytes).toBe(16 * KIB);
    expect(disk.peakBytes).toBeLessThanOrEqual(16 * KIB);
    expect(store.stats.evictions).toBe(60 - 22);
    expect(present(store, numbered("a", 0, 60))).toEqual(numbered("a", 38, 60));
    await expectAll(store, numbered("a", 38, 60));
  });

  test("is used by a tenth of what would be free at most", async () => {
    const disk = new FakeSegmentDisk();
    disk.totalBytes = GIB + 20 * KIB;
    const { store } = await rig({ disk, limits: { diskShare: (5 * KIB) / (GIB + 20 * KIB) } });
    await fill(store, "a", 0, 60);
    expect(store.stats.diskBytes).toBe(5 * KIB);
  });

  test("is left alone when it is short, and gets back what segments hold of it", async () => {
    const { store, disk } = await rig();
    await fill(store, "a", 0, 20);
    disk.totalBytes = GIB;
    await fill(store, "a", 20, 40);
    expect(disk.files.size).toBe(0);
    expect(store.stats).toMatchObject({ diskBytes: 0, diskFaults: 0 });
    expect(store.stats.memoryBytes).toBeLessThanOrEqual(LIMITS.memoryBytes);
    await expectAll(store, numbered("a", 34, 40));
    disk.totalBytes = 100 * GIB;
    await fill(store, "a", 40, 60);
    expect(disk.files.size).toBeGreaterThan(8);
  });

  test("is never written to where that would leave too little free", async () => {
    const disk = new FakeSegmentDisk();
    disk.totalBytes = GIB + 3 * KIB;
    const { store } = await rig({ disk });
    await fill(store, "a", 0, 40);
    expect(disk.peakBytes).toBe(3 * KIB);
  });

  test("keeps the file of what is being served from it until it is released", async () => {
    const { store, disk } = await rig();
    await fill(store, "a", 0, 10);
    const served = (await store.open("a/0"))!;
    expect(served.bytes).toBeNull();
    await fill(store, "a", 10, 60);
    expect(store.has("a/0")).toBe(true);
    expect(await served.read(1, 7)).toEqual(content("a/0").subarray(1, 8));
    served.release();
    await fill(store, "a", 60, 90);
    expect(store.has("a/0")).toBe(false);
    expect(disk.openFiles).toBe(0);
    expect(disk.usedBytes).toBe(store.stats.diskBytes);
  });

  test("that is written to while the segment is served or dropped ends with the right file or none", async () => {
    const { store, disk, clock } = await rig();
    const gate = closeGate(disk);
    for (let n = 0; n < 7; n++) await store.put(`a/${n}`, content(`a/${n}`));
    const served = (await store.open("a/0"))!;
    await clock.settle();
    expect(disk.writes).toBe(1);
    store.dropRendition("a");
    gate.open();
    await store.settled();
    expect(served.bytes).toEqual(content("a/0"));
    expect(disk.files.size).toBe(1);
    served.release();
    await store.settled();
    expect(disk.files.size).toBe(0);
    expect(store.stats).toMatchObject({ segments: 0, memoryBytes: 0, diskBytes: 0 });
  });
});

describe("a rendition", () => {
  test("is dropped with all that is below its name, and nothing else", async () => {
    const { store, disk } = await rig({ limits: { diskBytes: 100 * KIB } });
    for (const rendition of ["h/0/a1/x", "h/0/a1/y", "h/0/a10/x", "h/0/a1"])
      await fill(store, rendition, 0, 5);
    store.dropRendition("h/0/a1");
    expect(store.stats.segments).toBe(5);
    await expectAll(store, numbered("h/0/a10/x", 0, 5));
    store.dropRendition("h/0");
    await store.settled();
    expect(store.stats).toMatchObject({ segments: 0, memoryBytes: 0, diskBytes: 0, evictions: 0 });
    expect(disk.files.size).toBe(0);
  });

  test("in use keeps its init segment as long as any of its segments", async () => {
    const { store } = await rig();
    await store.put("a/init", content("a/init"));
    await fill(store, "a", 0, 200);
    expect(store.has("a/0")).toBe(false);
    await expectAll(store, ["a/init", "a/199"]);
    await fill(store, "b", 0, 60);
    expect(present(store, ["a/init", "a/199"])).toEqual([]);
  });
});

describe("what is known of the viewers' places", () => {
  test("decides what goes first: what nobody will need, then what is needed last", async () => {
    // Somebody is at segment 10; each is a second.
    const neededIn: NeededIn = (_, n) => (n === "init" ? 0 : n >= 10 ? n - 10 : Number.POSITIVE_INFINITY);
    const { store } = await rig({ neededIn, limits: { diskBytes: 0 } });
    await fill(store, "a", 5, 30);
    expect(present(store, numbered("a", 5, 30))).toEqual([...numbered("a", 10, 17), "a/29"]);
  });

  test("counts whatever the order in which they came", async () => {
    const neededIn: NeededIn = (_, n) => (n === "init" ? 0 : n);
    const { store } = await rig({ neededIn, limits: { diskBytes: 0 } });
    await fill(store, "a", 20, 24);
    await fill(store, "a", 0, 6);
    expect(present(store, numbered("a", 0, 30))).toEqual([...numbered("a", 0, 6), "a/20", "a/21"]);
  });

  test("lets go of what is not worth keeping, once a request for it has had time to come", async () => {
    let place = 0;
    const neededIn: NeededIn = (_, n) => (n === "init" || Math.abs(n - place) > 2 ? null : 1);
    const { store, clock } = await rig({ neededIn });
    await fill(store, "a", 0, 3);
    await fill(store, "b", 0, 3);
    place = 50;
    await fill(store, "a", 50, 51);
    expect(store.stats.segments).toBe(7);
    clock.advance(5_001);
    await fill(store, "a", 51, 52);
    expect(present(store, numbered("a", 0, 60))).toEqual(["a/50", "a/51"]);
    expect(present(store, numbered("b", 0, 3)).length).toBe(3);
    store.sweep();
    expect(store.stats).toMatchObject({ segments: 2, evictions: 6 });
  });

  test("never takes a segment from under the one who is served it", async () => {
    const { store, clock } = await rig({ neededIn: () => null });
    await fill(store, "a", 0, 2);
    const handle = (await store.open("a/0"))!;
    clock.advance(10_000);
    store.sweep();
    expect(present(store, ["a/0", "a/1"])).toEqual(["a/0"]);
    handle.release();
    store.sweep();
    expect(store.stats.segments).toBe(0);
  });
});

describe("the end", () => {
  test("empties the folder at start and at close; what is open is served to its end", async () => {
    const disk = new FakeSegmentDisk();
    disk.files.set("left-over", new Uint8Array(5));
    const { store } = await rig({ disk });
    expect(disk.files.size).toBe(0);
    await fill(store, "a", 0, 20);
    const [onDisk, inMemory] = [(await store.open("a/0"))!, (await store.open("a/19"))!];
    await store.close();
    await store.close();
    expect(disk.files.size).toBe(0);
    expect(disk.emptied).toBe(2);
    expect(await onDisk.read(0, KIB)).toEqual(content("a/0"));
    expect(inMemory.bytes).toEqual(content("a/19"));
    onDisk.release();
    inMemory.release();
    await store.settled();
    expect(store.stats).toMatchObject({ segments: 0, memoryBytes: 0, diskBytes: 0 });
    expect(disk.openFiles).toBe(0);
    await store.put("a/0", content("a/0"));
    expect(await store.open("a/0")).toBeNull();
  });

  test("does not wait for a disk that hangs", async () => {
    const { store, disk, clock } = await rig();
    disk.gate = new Promise(() => undefined);
    for (let n = 0; n < 8; n++) void store.put(`a/${n}`, content(`a/${n}`));
    const closed = store.close();
    await clock.advanceSettled(2_000);
    await closed;
    expect(clock.pendingTimers).toBe(0);
  });
});
