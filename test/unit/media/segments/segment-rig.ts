// A store of segments on a disk and a clock that do what a test tells them.

import { expect } from "bun:test";
import { silentLog } from "../../../../src/base/log.ts";
import { seededRandom } from "../../../../src/base/random.ts";
import type { NeededIn } from "../../../../src/media/segments/ports.ts";
import {
  openSegmentStore,
  type SegmentLimits,
  type SegmentStore,
} from "../../../../src/media/segments/segment-store.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { FakeSegmentDisk } from "./fake-segment-disk.ts";

export const KIB = 1024;
export const GIB = 1024 ** 3;
/** 8 segments of 1 KiB in memory, spilling from the 7th on; 16 on disk. */
export const LIMITS: SegmentLimits = {
  memoryBytes: 8 * KIB,
  diskBytes: 16 * KIB,
  diskShare: 0.1,
  diskFreeBytes: GIB,
};

export interface Rig {
  readonly store: SegmentStore;
  readonly disk: FakeSegmentDisk;
  readonly clock: FakeClock;
}

export async function rig(
  of: { limits?: Partial<SegmentLimits>; neededIn?: NeededIn; disk?: FakeSegmentDisk } = {},
): Promise<Rig> {
  const disk = of.disk ?? new FakeSegmentDisk();
  const clock = new FakeClock();
  const store = await openSegmentStore({
    disk,
    clock,
    random: seededRandom(1),
    log: silentLog,
    limits: { ...LIMITS, ...of.limits },
    ...(of.neededIn === undefined ? {} : { neededIn: of.neededIn }),
  });
  return { store, disk, clock };
}

export const content = (key: string, lengthBytes = KIB) =>
  new Uint8Array(lengthBytes).fill([...key].reduce((sum, char) => (sum * 31 + char.charCodeAt(0)) & 255, 7));

export async function fill(store: SegmentStore, rendition: string, from: number, to: number): Promise<void> {
  for (let n = from; n < to; n++) await store.put(`${rendition}/${n}`, content(`${rendition}/${n}`));
  await store.settled();
}

export async function expectAll(store: SegmentStore, keys: readonly string[]): Promise<void> {
  for (const key of keys) expect(await store.get(key), key).toEqual(content(key));
}

export const numbered = (rendition: string, from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => `${rendition}/${from + i}`);
export const present = (store: SegmentStore, keys: readonly string[]) => keys.filter((key) => store.has(key));

/** Writes wait until `open` is called. */
export function closeGate(disk: FakeSegmentDisk): { open(): void } {
  const gate = Promise.withResolvers<void>();
  disk.gate = gate.promise;
  return { open: gate.resolve };
}
