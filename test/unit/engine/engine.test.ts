// Whole engines against each other, in memory: what they download, in what order, and what they leave behind.

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  EngineWorld,
  specOf,
  type TestEngine,
  type TestTorrent,
  testTorrent,
} from "../../support/engine-world.ts";

let world: EngineWorld;

beforeEach(() => {
  world = new EngineWorld();
});

afterEach(async () => {
  await world.stop();
  expect(world.net.openSockets).toBe(0);
  expect(world.net.listeners).toBe(0);
  expect(world.clock.pendingTimers).toBe(0);
});

/** Whether viewers may be given this byte of the torrent. */
function isShown({ memory }: TestEngine, torrent: TestTorrent, atBytes: number): boolean {
  const pieceBytes = 32 * 1024;
  return memory.torrents.get(torrent.id)?.have.has(Math.floor(atBytes / pieceBytes)) === true;
}

async function untilComplete({ engine }: TestEngine, torrent: TestTorrent): Promise<void> {
  await world.until(async () => (await engine.stats(torrent.id)).progress === 1, "complete");
}

function expectFiles({ disk }: TestEngine, torrent: TestTorrent): void {
  for (const file of torrent.files) {
    expect(Bun.hash(disk.contentOf(`/data/Show/${file.name}`) ?? "")).toBe(Bun.hash(file.bytes));
  }
}

let lastReader = 0;

function reader(torrent: TestTorrent, file: number, startBytes: number) {
  const endBytes = torrent.files[file]!.bytes.length;
  return {
    reader: ++lastReader,
    torrent: torrent.id,
    file,
    viewer: "v",
    clientAddress: "192.0.2.1",
    startBytes,
    endBytes,
  };
}

describe("two engines", () => {
  test("a torrent of several files arrives complete and exact, and is told of once", async () => {
    const torrent = testTorrent([100_000, 7, 250_000, 65_536]);
    const seeder = await world.seeder("10.0.0.1", torrent);
    const leecher = await world.engine("10.0.0.2");
    await leecher.engine.add(specOf(torrent, { peers: [seeder.address] }));
    await untilComplete(leecher, torrent);
    expectFiles(leecher, torrent);
    expect(leecher.events.filter((event) => event.type === "completed")).toHaveLength(1);
    const stats = await leecher.engine.stats(torrent.id);
    expect(stats.status).toBe("seeding");
    expect(stats.downloadedBytes).toBe(100_000 + 7 + 250_000 + 65_536);
  });

  test("peers that a running torrent is told of are dialled at once", async () => {
    const torrent = testTorrent([100_000]);
    const seeder = await world.seeder("10.0.0.1", torrent);
    const leecher = await world.engine("10.0.0.2");
    await leecher.engine.add(specOf(torrent));
    await world.clock.advanceSettled(1_500);
    await leecher.engine.change(torrent.id, { peers: [seeder.address] });
    await world.until(async () => (await leecher.engine.peers(torrent.id)).length > 0, "connected", 200);
  });

  test("a reader at the end of a file gets its bytes before the rest is there", async () => {
    const torrent = testTorrent([2_000_000]);
    const seeder = await world.seeder("10.0.0.1", torrent, { maxUploadSpeed: 100_000 });
    const leecher = await world.engine("10.0.0.2");
    await leecher.engine.add(specOf(torrent, { peers: [seeder.address] }));
    await world.until(async () => (await leecher.engine.peers(torrent.id)).length > 0, "connected");
    const startBytes = 1_990_000;
    const asked = reader(torrent, 0, startBytes);
    await leecher.engine.openReader(asked);
    await world.until(() => isShown(leecher, torrent, startBytes), "the end can be read", 15_000);
    expect((await leecher.engine.stats(torrent.id)).progress).toBeLessThan(0.9);
    leecher.engine.closeReader(asked.reader);
  });

  test("paused in the middle and resumed, it downloads no block twice and ends exact", async () => {
    const torrent = testTorrent([1_000_000], { pieceBytes: 256 * 1024 });
    const seeder = await world.seeder("10.0.0.1", torrent, { maxUploadSpeed: 200_000 });
    const leecher = await world.engine("10.0.0.2");
    await leecher.engine.add(specOf(torrent, { peers: [seeder.address] }));
    await world.until(
      async () => (await leecher.engine.stats(torrent.id)).downloadedBytes > 400_000,
      "some of it",
    );
    await leecher.engine.change(torrent.id, { isPaused: true });
    await world.until(() => world.net.openSockets === 0, "no connection is left");
    expect((await leecher.engine.stats(torrent.id)).status).toBe("paused");
    expect(await leecher.engine.peers(torrent.id)).toEqual([]);
    await leecher.engine.change(torrent.id, { isPaused: false });
    await untilComplete(leecher, torrent);
    expectFiles(leecher, torrent);
    expect((await leecher.engine.stats(torrent.id)).downloadedBytes).toBe(1_000_000);
  });

  test("removed while it runs and is watched, it leaves no socket, reader or file behind", async () => {
    const torrent = testTorrent([1_000_000]);
    const seeder = await world.seeder("10.0.0.1", torrent, { maxUploadSpeed: 100_000 });
    const leecher = await world.engine("10.0.0.2");
    await leecher.engine.add(specOf(torrent, { peers: [seeder.address] }));
    await world.until(async () => (await leecher.engine.stats(torrent.id)).progress > 0.1, "some of it");
    const asked = reader(torrent, 0, 990_000);
    await leecher.engine.openReader(asked);
    let isRemoved = false;
    const removed = leecher.engine.remove(torrent.id, { deleteFiles: true }).then(() => {
      isRemoved = true;
    });
    expect(leecher.memory.torrents.get(torrent.id)?.isClosed).toBe(true);
    await world.until(() => isRemoved, "removed", 4_000);
    await removed;
    leecher.engine.closeReader(asked.reader);
    expect(await leecher.engine.streams()).toEqual([]);
    expect(leecher.disk.paths().filter((path) => path.includes("mkv"))).toEqual([]);
    await world.until(() => world.net.openSockets === 0, "no connection is left");
    await expect(leecher.engine.stats(torrent.id)).rejects.toMatchObject({ code: "not_found" });
  });

  test("a recheck shows viewers nothing from its start on and what it found at its end", async () => {
    const torrent = testTorrent([300_000]);
    const seeder = await world.seeder("10.0.0.1", torrent);
    const asked = reader(torrent, 0, 0);
    await seeder.engine.openReader(asked);
    expect(isShown(seeder, torrent, 200_000)).toBe(true);
    await seeder.engine.recheck(torrent.id);
    expect(isShown(seeder, torrent, 200_000)).toBe(false);
    await world.until(async () => (await seeder.engine.stats(torrent.id)).status === "checking", "a check");
    await world.until(() => isShown(seeder, torrent, 200_000), "it is shown again");
    seeder.engine.closeReader(asked.reader);
  });

  test("a seed of a complete torrent stays while a file that was not selected is watched", async () => {
    const torrent = testTorrent([64 * 1024, 2_000_000]);
    const seeder = await world.seeder("10.0.0.1", torrent, { maxUploadSpeed: 50_000 });
    const leecher = await world.engine("10.0.0.2");
    const files = [
      { isSelected: true, priority: "normal" as const },
      { isSelected: false, priority: "normal" as const },
    ];
    await leecher.engine.add(specOf(torrent, { peers: [seeder.address], files }));
    await untilComplete(leecher, torrent);
    const asked = reader(torrent, 1, 0);
    await leecher.engine.openReader(asked);
    await world.clock.advanceSettled(25_000);
    expect(await leecher.engine.peers(torrent.id)).toHaveLength(1);
    leecher.engine.closeReader(asked.reader);
  });
});

describe("faults", () => {
  test("a full disk stops the torrent; when space is back it goes on by itself and ends exact", async () => {
    const torrent = testTorrent([600_000]);
    const seeder = await world.seeder("10.0.0.1", torrent);
    const leecher = await world.engine("10.0.0.2");
    leecher.disk.spaceBytes = 200_000;
    await leecher.engine.add(specOf(torrent, { peers: [seeder.address] }));
    await world.until(async () => (await leecher.engine.stats(torrent.id)).fault === "disk_full", "full");
    const before = (await leecher.engine.stats(torrent.id)).downloadedBytes;
    await world.clock.advanceSettled(30_000);
    const stats = await leecher.engine.stats(torrent.id);
    expect(stats.status).toBe("error");
    expect(stats.downloadedBytes - before).toBeLessThanOrEqual(64 * 1024);
    leecher.disk.spaceBytes = Number.POSITIVE_INFINITY;
    await untilComplete(leecher, torrent);
    expectFiles(leecher, torrent);
  });

  test("a disk error that is still there when the user resumes stays an error and downloads nothing", async () => {
    const torrent = testTorrent([600_000]);
    const seeder = await world.seeder("10.0.0.1", torrent);
    const leecher = await world.engine("10.0.0.2");
    leecher.disk.failOn = ({ op, path }) => (op === "write" && path.includes("mkv") ? "EIO" : undefined);
    await leecher.engine.add(specOf(torrent, { peers: [seeder.address] }));
    await world.until(
      async () => (await leecher.engine.stats(torrent.id)).fault === "disk_error",
      "an error",
    );
    await leecher.engine.change(torrent.id, { isPaused: false });
    await world.until(async () => (await leecher.engine.stats(torrent.id)).fault === "disk_error", "again");
    const id = leecher.engine.openReader(reader(torrent, 0, 0));
    await expect(id).rejects.toMatchObject({ code: "internal" });
    leecher.disk.failOn = () => undefined;
    await leecher.engine.change(torrent.id, { isPaused: false });
    await untilComplete(leecher, torrent);
    expectFiles(leecher, torrent);
  });

  test("a pause holds at once while a recheck hangs, and the recheck is made to its end", async () => {
    const torrent = testTorrent([300_000]);
    const { engine, disk } = await world.seeder("10.0.0.1", torrent);
    const gate = Promise.withResolvers<void>();
    const open = disk.open.bind(disk);
    disk.open = async (path, options) => {
      await gate.promise;
      return await open(path, options);
    };
    await engine.recheck(torrent.id);
    await world.until(async () => (await engine.stats(torrent.id)).status === "checking", "a check");
    const before = disk.operations.length;
    await engine.change(torrent.id, { isPaused: true });
    gate.resolve();
    await world.until(
      async () => (await engine.stats(torrent.id)).status === "completed",
      "paused and whole",
    );
    const reads = disk.operations.slice(before).filter(({ op }) => op === "read");
    expect(reads.reduce((sum, { lengthBytes }) => sum + lengthBytes, 0)).toBeGreaterThanOrEqual(300_000);
  });

  test("a torrent is removed at once though a check of it hangs behind another command", async () => {
    const torrent = testTorrent([300_000]);
    const { engine, disk } = await world.seeder("10.0.0.1", torrent);
    const gate = Promise.withResolvers<void>();
    const open = disk.open.bind(disk);
    disk.open = async (path, options) => {
      await gate.promise;
      return await open(path, options);
    };
    await engine.recheck(torrent.id);
    await world.until(async () => (await engine.stats(torrent.id)).status === "checking", "a check");
    await engine.recheck(torrent.id);
    await engine.change(torrent.id, { files: [{ isSelected: true, priority: "high" }] });
    let isRemoved = false;
    const removed = engine.remove(torrent.id, { deleteFiles: true }).then(() => {
      isRemoved = true;
    });
    gate.resolve();
    await world.until(() => isRemoved, "removed", 1_000);
    await removed;
    expect(disk.paths().filter((path) => path.includes("mkv"))).toEqual([]);
  });
});

describe("magnets", () => {
  test("metadata comes from a peer, and after it is confirmed the files do", async () => {
    const torrent = testTorrent([200_000, 100_000]);
    const seeder = await world.seeder("10.0.0.1", torrent);
    const leecher = await world.engine("10.0.0.2");
    await leecher.engine.add(specOf(torrent, { infoBytes: null, peers: [seeder.address] }));
    expect((await leecher.engine.stats(torrent.id)).status).toBe("metadata");
    await world.until(() => leecher.events.some((event) => event.type === "metadata"), "metadata");
    const told = leecher.events.find((event) => event.type === "metadata")!;
    expect(Buffer.from(told.infoBytes).equals(Buffer.from(torrent.infoBytes))).toBe(true);
    expect(leecher.disk.paths().filter((path) => path.includes("mkv"))).toEqual([]);
    await leecher.engine.confirmMetadata(torrent.id, { diskName: "Show", files: [] });
    await untilComplete(leecher, torrent);
    expectFiles(leecher, torrent);
  });

  test("a private torrent asks no DHT and dials no peer of its magnet", async () => {
    const torrent = testTorrent([100_000], { isPrivate: true });
    const leecher = await world.engine("10.0.0.2");
    await leecher.engine.add(specOf(torrent, { peers: [{ host: "10.0.0.1", port: 40_001 }] }));
    await leecher.engine.change(torrent.id, { peers: [{ host: "10.0.0.3", port: 40_001 }] });
    await world.clock.advanceSettled(20_000);
    await leecher.engine.reannounce(torrent.id);
    expect(world.net.dials).toEqual([]);
    expect(leecher.dht.lookups).toEqual([]);
    expect(leecher.dht.announces).toEqual([]);
  });

  test("a magnet that turns out private drops the peers that only a magnet named, and searches no more", async () => {
    const torrent = testTorrent([100_000], { isPrivate: true });
    const seeder = await world.seeder("10.0.0.1", torrent);
    const leecher = await world.engine("10.0.0.2");
    await leecher.engine.add(specOf(torrent, { infoBytes: null, peers: [seeder.address] }));
    await world.until(() => leecher.events.some((event) => event.type === "metadata"), "metadata");
    await leecher.engine.confirmMetadata(torrent.id, { diskName: "Show", files: [] });
    const asked = leecher.dht.lookups.length;
    const dialled = world.net.dials.length;
    await world.clock.advanceSettled(60_000);
    await leecher.engine.reannounce(torrent.id);
    expect(await leecher.engine.peers(torrent.id)).toEqual([]);
    expect(leecher.dht.lookups.length).toBe(asked);
    expect(world.net.dials.length).toBe(dialled);
  });
});

describe("many torrents", () => {
  test("a slow tick over 1,000 idle torrents is cheap, and all of them can be removed", async () => {
    const { engine } = await world.engine("10.0.0.2");
    const torrents = Array.from({ length: 1_000 }, (_, index) => testTorrent([20_000], { seed: index + 1 }));
    for (const [index, torrent] of torrents.entries()) {
      const isMagnet = index % 3 === 1;
      const change = { diskName: `Show ${index}`, isPaused: index % 3 === 0 };
      await engine.add(specOf(torrent, isMagnet ? { ...change, infoBytes: null } : change));
    }
    await world.clock.advanceSettled(2_000);
    const startMs = performance.now();
    for (let second = 0; second < 5; second++) await world.clock.advanceSettled(1_000);
    const perSecondMs = (performance.now() - startMs) / 5;
    console.log(`1,000 idle torrents: ${perSecondMs.toFixed(1)} ms of work per second`);
    expect(perSecondMs).toBeLessThan(250);
    let isDone = false;
    const all = torrents.map(({ id }) => engine.remove(id, { deleteFiles: false }));
    const removed = Promise.all(all).then(() => {
      isDone = true;
    });
    await world.until(() => isDone, "all removed");
    await removed;
    expect(await engine.totals()).toMatchObject({ peers: 0 });
  });
});
