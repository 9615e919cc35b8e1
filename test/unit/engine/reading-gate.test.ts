// When peers are read no further because the disk cannot keep up, and that they are again.

import { beforeEach, describe, expect, test } from "bun:test";
import { Bitfield } from "../../../src/base/bitfield.ts";
import { silentLog } from "../../../src/base/log.ts";
import { seededRandom } from "../../../src/base/random.ts";
import { RateLimits } from "../../../src/engine/rate-limits.ts";
import { ReadingGate } from "../../../src/engine/reading-gate.ts";
import { Transfer } from "../../../src/engine/transfer.ts";
import { AssemblyBudget, type TorrentStore } from "../../../src/store/index.ts";
import { EngineWorld, specOf, testTorrent } from "../../support/engine-world.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { geometryOf, MIB } from "../scheduler/torrent-shape.ts";
import { type FakeLink, fakePeer } from "./fake-peer.ts";

/** Takes its pieces out of the budget whole, as if every block had come. */
class SettlingStore {
  settlingBytes = 0;
  readonly heldBytes = 1;
  readonly #budget: AssemblyBudget;

  constructor(budget: AssemblyBudget) {
    this.#budget = budget;
  }

  giveUpStale(): void {
    // Nothing of it ever stands still.
  }

  /** MiB that wait for the disk from now on. */
  settle(mib: number): void {
    const change = mib * MIB - this.settlingBytes;
    this.settlingBytes += change;
    if (change > 0) {
      this.#budget.tryTake(this, change, true);
      this.#budget.sealed(change);
    } else {
      this.#budget.settled(-change);
      this.#budget.giveBack(-change);
    }
  }
}

describe("the gate of a torrent", () => {
  let budget: AssemblyBudget;
  beforeEach(() => {
    budget = new AssemblyBudget(64 * MIB);
  });

  function gateOf({ isWatched = false } = {}) {
    const store = new SettlingStore(budget);
    const { link } = fakePeer();
    const gate = new ReadingGate({ store, budget, isWatched: () => isWatched, links: () => [link] });
    gate.start();
    const told = async (settlingMib: number) => {
      store.settle(settlingMib);
      gate.look();
      await Promise.resolve();
      return link.take();
    };
    return { gate, store, link, told };
  }

  test("is shut while half of the memory waits for the disk, and opens by itself", async () => {
    const { gate, store, link, told } = gateOf();
    expect(await told(31)).toEqual([]);
    expect(await told(32)).toEqual(["pause-reading"]);
    expect(await told(40)).toEqual([]);
    store.settle(33);
    await Promise.resolve();
    expect(link.take()).toEqual([]);
    store.settle(31);
    await Promise.resolve();
    expect(link.take()).toEqual(["resume-reading"]);
    expect(gate.isShut).toBe(false);
  });

  test("is shut later where somebody watches", async () => {
    const { told } = gateOf({ isWatched: true });
    expect(await told(47)).toEqual([]);
    expect(await told(48)).toEqual(["pause-reading"]);
  });

  test("counts what waits in all torrents, but holds up none that waits for nothing itself", async () => {
    const [slow, idle] = [gateOf(), gateOf()];
    expect(await slow.told(40)).toEqual(["pause-reading"]);
    expect(await idle.told(0)).toEqual([]);
    expect(await idle.told(1)).toEqual(["pause-reading"]);
    idle.store.settle(0);
    await Promise.resolve();
    expect(idle.link.take()).toEqual(["resume-reading"]);
    expect(slow.gate.isShut).toBe(true);
  });

  test("is not shut by pieces that lack blocks, however many", async () => {
    const { told, store } = gateOf();
    budget.tryTake(store, 63 * MIB, true);
    expect(await told(1)).toEqual([]);
  });

  test("is opened by its end, and stays so", async () => {
    const { gate, told } = gateOf();
    await told(40);
    gate.stop();
    expect(await told(50)).toEqual(["resume-reading"]);
    gate.start();
    expect(await told(51)).toEqual(["pause-reading"]);
  });
});

describe("a transfer", () => {
  function setUp() {
    const clock = new FakeClock();
    const geometry = geometryOf(16 * MIB, MIB);
    const budget = new AssemblyBudget(64 * MIB);
    const settling = new SettlingStore(budget);
    const store = Object.assign(settling, { have: new Bitfield(geometry.pieceCount), assemblyBytes: 0 });
    const transfer = new Transfer({
      geometry,
      store: store as unknown as TorrentStore,
      limits: new RateLimits(clock).ofTorrent(0, 0),
      budget,
      clock,
      random: seededRandom(1),
      log: silentLog,
      onUploaded: () => undefined,
      onDownloaded: () => undefined,
      onLiar: () => undefined,
    });
    return { settling, budget, transfer };
  }

  const readingOf = (link: FakeLink) => link.take().filter((line) => line.endsWith("-reading"));

  test("does not read a peer that comes while its gate is shut, until it opens", async () => {
    const { settling, budget, transfer } = setUp();
    const early = fakePeer("198.51.100.1");
    transfer.addPeer(early.peer);
    budget.awaitFree();
    settling.settle(41);
    settling.settle(40);
    await Promise.resolve();
    expect(readingOf(early.link)).toEqual(["pause-reading"]);
    const late = fakePeer("198.51.100.2");
    transfer.addPeer(late.peer);
    expect(readingOf(late.link)).toEqual(["pause-reading"]);
    settling.settle(0);
    await Promise.resolve();
    for (const { link } of [early, late]) expect(readingOf(link)).toEqual(["resume-reading"]);
  });

  test("that is paused is told of no memory any more", async () => {
    const { settling, budget, transfer } = setUp();
    const { peer, link } = fakePeer();
    transfer.addPeer(peer);
    transfer.pause();
    budget.awaitFree();
    settling.settle(41);
    settling.settle(40);
    await Promise.resolve();
    expect(readingOf(link)).toEqual([]);
  });
});

test("a download to a disk that stands still stops, and comes to its end once the disk goes on", async () => {
  const world = new EngineWorld();
  const torrent = testTorrent([12 * MIB], { pieceBytes: MIB });
  const seeder = await world.seeder("10.0.0.1", torrent);
  const leecher = await world.engine("10.0.0.2");
  const disk = Promise.withResolvers<void>();
  const { hash } = leecher.memory;
  const late = async (bytes: Uint8Array) => {
    await disk.promise;
    return await hash(bytes);
  };
  Object.assign(leecher.memory, { hash: late });
  await leecher.engine.add(specOf(torrent, { peers: [seeder.address] }));
  await world.until(() => leecher.memory.usedBytes >= 8 * MIB, "half of the memory taken");
  await world.clock.advanceSettled(1_000);
  expect(leecher.memory.usedBytes).toBeLessThanOrEqual(16 * MIB);
  disk.resolve();
  const isDone = async () => (await leecher.engine.stats(torrent.id)).status === "seeding";
  await world.until(isDone, "everything is had");
  await world.stop();
}, 60_000);
