import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { OutQueue } from "../../../src/wire/out-queue.ts";
import { frames } from "./links.ts";

type Step = { push: number } | { block: number } | { numbers: number } | { room: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ push: fc.integer({ min: 1, max: 6000 }) }),
  fc.record({ block: fc.integer({ min: 0, max: 20_000 }) }),
  fc.record({ numbers: fc.nat(0xffffffff) }),
  fc.record({ room: fc.nat(50_000) }),
);

describe("out-queue", () => {
  test("whatever the socket takes at a time, every byte leaves once and in order", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const queue = new OutQueue();
        const expected: Uint8Array[] = [];
        const sent: Uint8Array[] = [];
        const flush = (roomBytes: number) => {
          let room = roomBytes;
          return queue.flush((bytes) => {
            const taken = Math.min(room, bytes.length);
            room -= taken;
            sent.push(bytes.slice(0, taken));
            return taken;
          });
        };
        let fill = 0;
        for (const one of steps) {
          fill = (fill + 1) & 0xff;
          if ("push" in one) {
            const bytes = new Uint8Array(one.push).fill(fill);
            queue.push(bytes);
            expected.push(bytes.slice());
            bytes.fill(0);
          } else if ("block" in one) {
            const bytes = new Uint8Array(one.block).fill(fill);
            queue.pushBlock(bytes);
            expected.push(bytes);
          } else if ("numbers" in one) {
            queue.pushNumbers(6, one.numbers, 1, 2);
            expected.push(frames.numbers(6, one.numbers, 1, 2));
          } else flush(one.room);
        }
        expect(flush(Number.POSITIVE_INFINITY)).toBe(true);
        expect(queue.queuedBytes).toBe(0);
        expect(Buffer.compare(Buffer.concat(sent), Buffer.concat(expected))).toBe(0);
      }),
      { numRuns: 300 },
    );
  });

  test("a turn's requests leave in one write, out of memory that is used again for the next turn's", () => {
    const queue = new OutQueue();
    const buffers = new Set<ArrayBufferLike>();
    const sizes: number[] = [];
    for (let turn = 0; turn < 4; turn++) {
      for (let at = 0; at < 500; at++) queue.pushNumbers(6, turn, at, 16384);
      queue.flush((bytes) => {
        sizes.push(bytes.length);
        buffers.add(bytes.buffer);
        return bytes.length;
      });
    }
    expect(sizes).toEqual([8500, 8500, 8500, 8500]);
    expect(buffers.size).toBe(1);
  });

  test("a block alone goes out as itself, not as a copy", () => {
    const queue = new OutQueue();
    const block = new Uint8Array(16384);
    queue.pushBlock(block);
    let seen: ArrayBufferLike | null = null;
    queue.flush((bytes) => {
      seen = bytes.buffer;
      return bytes.length;
    });
    expect(seen as unknown).toBe(block.buffer);
  });
});
