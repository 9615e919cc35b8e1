import { beforeEach, describe, expect, test } from "bun:test";
import type { InfoHash } from "../../../src/base/brand.ts";
import { TorrxError } from "../../../src/base/errors.ts";
import { LIMITS } from "../../../src/base/limits.ts";
import { ARENA_BYTES, LENGTH, MIB, outcomeOf, SIZES, StreamRig, TORRENT, take } from "./stream-rig.ts";

const SIDE_BYTES = 2 * MIB;
/** For what keeps to its bounds by itself. */
const SLACK_BYTES = 256 * MIB;
let rig: StreamRig;

beforeEach(() => {
  rig = new StreamRig();
  rig.memory.have(0, LENGTH);
});

describe("the life of a stream", () => {
  test("its window outlives its last connection by 60 s, and a connection in between keeps it", async () => {
    const first = rig.read();
    await take(first, 1);
    first.close();
    rig.clock.advance(59_999);
    const second = rig.read({ at: 5 });
    await take(second, 1);
    expect(rig.memory.windows.size).toBe(1);
    rig.clock.advance(120_000);
    expect(rig.memory.open).toHaveLength(1);
    second.close();
    rig.clock.advance(59_999);
    expect(rig.memory.open).toHaveLength(1);
    rig.clock.advance(1);
    expect(rig.memory.open).toHaveLength(0);
    expect(rig.memory.files.size).toBe(0);
    expect(rig.windows.usage().streams).toEqual([]);
    expect(rig.clock.pendingTimers).toBe(0);
  });

  test("that the engine refused ends with its connection, and takes nothing from others", async () => {
    const [first, second] = [rig.read(), rig.read({ viewer: "w" })];
    for (const reader of [first, second]) await take(reader, 1);
    const sizes = [...rig.sizes];
    rig.source.answer = Promise.withResolvers();
    const refused = rig.read({ viewer: "x", torrent: "c".repeat(40) as InfoHash });
    const pull = refused.next();
    rig.source.answer.reject(new TorrxError("busy", "too many streams"));
    expect(await outcomeOf(pull)).toBe("busy");
    refused.close();
    expect(rig.windows.usage().streams).toHaveLength(2);
    expect(rig.sizes).toEqual(sizes);
    expect(rig.clock.pendingTimers).toBe(0);
  });

  test("a removed torrent's memory is free at once, and its readers are told not_found", async () => {
    const other = "b".repeat(40) as InfoHash;
    rig.memory.openTorrent(other);
    const [reader, stays] = [rig.read(), rig.read({ torrent: other })];
    await Promise.all([take(reader, 1), take(stays, 1)]);
    rig.windows.removeTorrent(TORRENT);
    expect(rig.memory.open).toHaveLength(1);
    expect(await outcomeOf(reader.next())).toBe("not_found");
    reader.close();
    await take(stays, 1);
    stays.close();
    expect(rig.clock.pendingTimers).toBe(1);
  });

  test("closing ends every stream and leaves nothing behind", async () => {
    const [reader, lingers] = [rig.read(), rig.read({ viewer: "w" })];
    await Promise.all([take(reader, 1), take(lingers, 1)]);
    lingers.close();
    rig.windows.close();
    expect(rig.memory.open).toHaveLength(0);
    expect(await outcomeOf(reader.next())).toBe("not_found");
    expect(rig.memory.pins.size).toBe(0);
    expect(rig.clock.pendingTimers).toBe(0);
  });

  test("more viewers than the house serves end the oldest stream without a connection", async () => {
    const stays = rig.read({ viewer: "stays" });
    await take(stays, 1);
    for (let n = 1; n < LIMITS.http.streams; n++) {
      const reader = rig.read({ viewer: `v${n}` });
      await take(reader, 1);
      reader.close();
    }
    const viewers = () => rig.windows.usage().streams.map(({ viewer }) => viewer);
    expect(viewers()).toHaveLength(LIMITS.http.streams);
    const oneMore = rig.read({ viewer: "one more" });
    await take(oneMore, 1);
    oneMore.close();
    expect(viewers()).toHaveLength(LIMITS.http.streams);
    expect(viewers()).toContain("stays");
    expect(viewers()).not.toContain("v1");
    stays.close();
    rig.windows.close();
    expect(rig.clock.pendingTimers).toBe(0);
  });
});

describe("the budget", () => {
  test("windows fill their streams' shares, and the total when there are more", async () => {
    const readers = [rig.read({ viewer: "0" })];
    await take(readers[0]!, 1);
    const chunk = 256 * 1024;
    expect(rig.sizes).toEqual([SIZES.ramBufferBytes - chunk]);
    expect(rig.windows.usage().sharedBytes).toBeNull();
    for (const viewer of ["1", "2", "3"]) {
      const reader = rig.read({ viewer });
      await take(reader, 1);
      readers.push(reader);
    }
    expect(rig.sizes).toEqual([0, 1, 2, 3].map(() => 25 * MIB - chunk));
    expect(rig.windows.usage()).toMatchObject({ sharedBytes: 25 * MIB, capBytes: 107 * MIB });
    for (const reader of readers.slice(1)) reader.close();
    rig.clock.advance(60_000);
    expect(rig.sizes).toEqual([SIZES.ramBufferBytes - chunk]);
    expect(rig.windows.usage().sharedBytes).toBeNull();
  });

  test("new sizes reshape every window at once and set the capacity; no stream breaks", async () => {
    const [one, two] = [rig.read({ viewer: "1" }), rig.read({ viewer: "2" })];
    await Promise.all([take(one, 1), take(two, 1)]);
    expect(rig.memory.capacityBytes).toBe(SIZES.ramTotalBytes + ARENA_BYTES + SLACK_BYTES);
    rig.windows.resize({ ramBufferBytes: 16 * MIB, ramTotalBytes: 20 * MIB, bufferAheadPercent: 50 });
    expect(rig.memory.capacityBytes).toBe(20 * MIB + ARENA_BYTES + SLACK_BYTES);
    for (const { shape } of rig.memory.open) {
      expect(shape.aheadBytes).toBe(shape.behindBytes);
      expect(shape.aheadBytes + shape.behindBytes + 256 * 1024).toBe(10 * MIB);
    }
    await Promise.all([take(one, 3 * MIB), take(two, 3 * MIB)]);
  });

  test("used is what windows and pieces take, counted by the memory itself", async () => {
    await take(rig.read(), 1);
    expect(rig.windows.usage().usedBytes).toBe(rig.sizes[0]! + 5);
  });
});

describe("which connection has the main window", () => {
  test("connections near the playhead and a rewind inside the window use the one there is", async () => {
    const first = rig.read({ at: 20 * MIB });
    await take(first, 4 * MIB);
    first.close();
    const rewound = rig.read({ at: 18 * MIB });
    await take(rewound, 1);
    expect(rig.memory.windows.size).toBe(1);
  });

  test("a probe elsewhere gets a small window out of the stream's share, given back when it ends", async () => {
    const player = rig.read();
    await take(player, 4 * MIB);
    const [main] = rig.memory.open;
    const probe = rig.read({ at: 60 * MIB });
    await take(probe, 1);
    expect(rig.sizes).toEqual([40 * MIB - SIDE_BYTES - 512 * 1024, SIDE_BYTES]);
    expect(main!.reads.every((at) => at < 5 * MIB)).toBe(true);
    await take(player, 1);
    probe.close();
    expect(rig.sizes).toEqual([40 * MIB - 256 * 1024]);
    player.close();
    const alone = rig.read({ at: 60 * MIB });
    await take(alone, 65_536);
    alone.close();
    expect(main!.reads.every((at) => at < 5 * MIB)).toBe(true);
    const back = rig.read({ at: 4 * MIB });
    await take(back, 1);
    expect(main!.reads.at(-1)).toBe(4 * MIB);
  });

  test("before any took anything the newest has it; then who took most of late, if clearly more", async () => {
    const head = rig.read();
    const tail = rig.read({ at: 60 * MIB, end: 60 * MIB + 1 });
    await take(tail, 1);
    await take(head, 8 * MIB);
    const [main] = rig.memory.open;
    expect(main!.reads[0]).toBe(60 * MIB);
    // It moved there once the head had taken enough to count as playing.
    expect(main!.reads.at(-1)!).toBeGreaterThan(MIB);
    const rival = rig.read({ at: 30 * MIB });
    await take(rival, 12 * MIB);
    expect(main!.reads.some((at) => at >= 30 * MIB && at < 43 * MIB)).toBe(false);
    await take(rival, 7 * MIB);
    expect(main!.reads.at(-1)!).toBeGreaterThan(45 * MIB);
  });

  test("a seek far away rebuilds the window there once the connection plays, and the small one goes", async () => {
    const first = rig.read();
    await take(first, 4 * MIB);
    first.close();
    const sought = rig.read({ at: 50 * MIB });
    await take(sought, 256 * 1024);
    expect(rig.memory.open).toHaveLength(2);
    await take(sought, 2 * MIB);
    expect(rig.memory.open).toHaveLength(1);
    expect(rig.memory.open[0]!.reads.at(-1)!).toBeGreaterThan(50 * MIB);
  });

  test("who waits in the main window when another takes it goes on waiting in its own", async () => {
    rig = new StreamRig();
    const old = rig.read();
    const pull = old.next();
    expect(await outcomeOf(pull)).toBe("pending");
    const rival = rig.read({ at: MIB });
    rig.memory.have(MIB, 20 * MIB);
    await take(rival, 4 * MIB);
    expect(await outcomeOf(pull)).toBe("pending");
    expect(rig.memory.open).toHaveLength(2);
    rig.memory.have(0, MIB);
    expect(await outcomeOf(pull)).toHaveLength(256 * 1024);
  });

  test("hits and misses of closed windows stay in the stream's count", async () => {
    const player = rig.read();
    await take(player, 1);
    const probe = rig.read({ at: 60 * MIB });
    await take(probe, 1);
    const before = rig.windows.usage().streams[0]!;
    probe.close();
    const after = rig.windows.usage().streams[0]!;
    expect([after.hits, after.misses]).toEqual([before.hits, before.misses]);
    expect(after).toMatchObject({ torrent: TORRENT, file: 0, viewer: "v", misses: 2 });
  });
});
