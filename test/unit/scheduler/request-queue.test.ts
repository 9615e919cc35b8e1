import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { RequestQueue } from "../../../src/scheduler/request-queue.ts";

const step = fc.oneof(
  fc.record({ push: fc.nat(1_000) }),
  fc.record({ push: fc.nat(1_000) }),
  fc.record({ remove: fc.nat(1_000) }),
  fc.record({ answer: fc.nat(40) }),
);

describe("requests that a peer owes", () => {
  test("stay in the order in which they were sent, wherever one is taken out", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 1_000 }), (steps) => {
        const queue = new RequestQueue();
        const model: [piece: number, block: number, sentAtMs: number, dueAtMs: number][] = [];
        let sent = 0;
        for (const one of steps) {
          if ("push" in one) {
            sent++;
            queue.push(one.push, sent, sent / 2, sent * 2);
            model.push([one.push, sent, sent / 2, sent * 2]);
            continue;
          }
          if (model.length === 0) continue;
          const index = ("remove" in one ? one.remove : one.answer) % model.length;
          const [piece, block] = model[index]!;
          expect(queue.indexOf(piece, block)).toBe(index);
          queue.removeAt(index);
          model.splice(index, 1);
        }
        const seen = Array.from({ length: queue.count }, (_, at) => [
          queue.pieceAt(at),
          queue.blockAt(at),
          queue.sentAtMs(at),
          queue.dueAtMs(at),
        ]);
        expect(seen).toEqual(model);
      }),
      { numRuns: 200 },
    );
  });

  test("one that was never sent is not found", () => {
    const queue = new RequestQueue();
    queue.push(3, 4, 0, 0);
    expect([queue.indexOf(3, 4), queue.indexOf(4, 3), queue.indexOf(3, 5)]).toEqual([0, -1, -1]);
  });
});
