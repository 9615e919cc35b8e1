import { describe, expect, test } from "bun:test";
import type { SegmentHandle } from "../../../../src/media/index.ts";
import { ownPart, StoredParts } from "../../../../src/services/media/parts.ts";
import type { RenditionOrder } from "../../../../src/services/media/ports.ts";
import { ManualClock } from "../../../support/manual-clock.ts";

const ORDER = { kind: "video", name: "film/v0" } as RenditionOrder;
const BYTES = Uint8Array.from({ length: 100 }, (_, i) => i);

function rig() {
  const clock = new ManualClock();
  const state = { bytes: BYTES as Uint8Array | null, held: 0, opened: [] as string[] };
  const open = (key: string): Promise<SegmentHandle | null> => {
    const { bytes } = state;
    state.opened.push(key);
    if (bytes === null) return Promise.resolve(null);
    state.held++;
    let isReleased = false;
    return Promise.resolve({
      lengthBytes: bytes.length,
      bytes,
      read: (at: number, length: number) => Promise.resolve(bytes.subarray(at, at + length)),
      release: () => {
        if (!isReleased) state.held--;
        isReleased = true;
      },
    });
  };
  return { clock, state, parts: new StoredParts({ open, clock }) };
}

describe("a part on its way to a client", () => {
  test("is read in copies that keep nothing else in memory, and is let go at the end", async () => {
    const { parts, state } = rig();
    const part = await parts.part(ORDER, 3, BYTES);
    expect(state.opened).toEqual(["film/v0/3"]);
    const bytes = await part.read(10, 5);
    expect([...bytes]).toEqual([10, 11, 12, 13, 14]);
    expect(bytes.buffer.byteLength).toBe(5);
    part.release();
    part.release();
    expect(state.held).toBe(0);
  });

  test("is not held for a client that has stopped, who goes on where it was", async () => {
    const { parts, state, clock } = rig();
    const part = await parts.part(ORDER, 3, BYTES);
    await part.read(0, 10);
    expect(state.held).toBe(1);
    clock.advance(5_000);
    expect(state.held).toBe(0);
    expect([...(await part.read(10, 2))]).toEqual([10, 11]);
    expect(state.held).toBe(1);
    clock.advance(5_000);
    expect(state.held).toBe(0);
  });

  test("that is gone meanwhile, or has become another, is not served any further", async () => {
    for (const bytes of [null, new Uint8Array(99)]) {
      const { parts, state, clock } = rig();
      const part = await parts.part(ORDER, 3, BYTES);
      clock.advance(5_000);
      state.bytes = bytes;
      await expect(part.read(10, 2)).rejects.toMatchObject({ code: "busy" });
      expect(state.held).toBe(0);
    }
  });

  test("that the store has not taken is served nevertheless", async () => {
    const { parts, state } = rig();
    state.bytes = null;
    const part = await parts.part(ORDER, "init", BYTES);
    expect([part.lengthBytes, ...(await part.read(98, 2))]).toEqual([100, 98, 99]);
    expect([...(await ownPart("subtitle", BYTES).read(1, 1))]).toEqual([1]);
  });
});
