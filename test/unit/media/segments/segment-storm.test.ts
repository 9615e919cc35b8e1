// Everything at once, at random: the counts of the store stay those of what is there.

import { expect, test } from "bun:test";
import { seededRandom } from "../../../../src/base/random.ts";
import { systemFault } from "./fake-segment-disk.ts";
import { content, GIB, KIB, LIMITS, rig } from "./segment-rig.ts";

test("after any storm of puts, reads, drops and faults the counts are those of what is there", async () => {
  const seed = Number(process.env["TORRX_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
  const random = seededRandom(seed);
  const { store, disk, clock } = await rig({
    neededIn: (_, n) => (n === "init" ? 0 : n % 7 === 0 ? null : n % 5 === 0 ? n : Number.POSITIVE_INFINITY),
  });
  const held: { release(): void }[] = [];
  const keyOf = () =>
    `${["a", "b", "c"][random.below(3)]}/${random.below(12) === 0 ? "init" : random.below(60)}`;
  const sizeOf = (key: string) =>
    1 + ((key.charCodeAt(0) * 37 + key.length * 911 + key.charCodeAt(2) * 53) % (3 * KIB));
  const faults = ["write", "open", "read", "remove", "freeBytes"] as const;
  const actions: (() => unknown)[] = [
    () => {
      const key = keyOf();
      return store.put(key, content(key, sizeOf(key)));
    },
    async () => {
      const key = keyOf();
      const bytes = await store.get(key);
      if (bytes !== null) expect(bytes, `seed ${seed}`).toEqual(content(key, sizeOf(key)));
    },
    async () => {
      const handle = await store.open(keyOf());
      if (handle !== null) held.push(handle);
    },
    () => held.splice(random.below(Math.max(1, held.length)), 1)[0]?.release(),
    () => (random.below(20) === 0 ? store.dropRendition(["a", "b", "c"][random.below(3)]!) : store.sweep()),
    () => disk.faults.set(faults[random.below(5)]!, systemFault("EIO")),
    () => disk.faults.clear(),
    () => clock.advance(random.below(20_000)),
    () => (disk.totalBytes = random.below(4) === 0 ? GIB / 2 : 100 * GIB),
  ];
  const weights = [40, 30, 6, 7, 1, 1, 2, 2, 1];
  const lots = weights.flatMap((weight, i) => Array<number>(weight).fill(i));
  for (let step = 0; step < 6_000; step++) {
    const work = actions[lots[random.below(lots.length)]!]!();
    if (random.below(3) === 0) await work;
    else void work;
    const heldBytes = held.length * 3 * KIB;
    expect(store.stats.memoryBytes, `seed ${seed}`).toBeLessThanOrEqual(
      LIMITS.memoryBytes + heldBytes + 8 * 3 * KIB,
    );
    expect(store.stats.diskBytes, `seed ${seed}`).toBeLessThanOrEqual(LIMITS.diskBytes);
  }
  disk.faults.clear();
  for (const handle of held) handle.release();
  await clock.settle(20);
  await store.settled();
  expect(store.stats.memoryBytes, `seed ${seed}`).toBeLessThanOrEqual(LIMITS.memoryBytes);
  expect(disk.openFiles, `seed ${seed}`).toBe(0);
  for (const rendition of ["a", "b", "c"]) store.dropRendition(rendition);
  await store.settled();
  expect(store.stats, `seed ${seed}`).toMatchObject({ segments: 0, memoryBytes: 0, diskBytes: 0 });
});
