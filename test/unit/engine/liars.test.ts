import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { BLOCK_BYTES } from "../../../src/base/limits.ts";
import { LiarDetector } from "../../../src/engine/liars.ts";

const BLOCKS = 4;

function piece(...fills: number[]): Uint8Array {
  const bytes = new Uint8Array(BLOCKS * BLOCK_BYTES - 100);
  for (const [block, fill] of fills.entries()) {
    bytes.fill(fill, block * BLOCK_BYTES, (block + 1) * BLOCK_BYTES);
  }
  return bytes;
}

const GOOD = piece(1, 2, 3, 4);

describe("the liar detector", () => {
  test("who sent a whole failed piece alone is guilty at once", () => {
    const liars = new LiarDetector(1n);
    expect(liars.pieceFailed(0, piece(1, 9, 3, 4), ["a", "a", "a", "a"])).toEqual(["a"]);
    expect(liars.isSuspicious(0)).toBe(false);
  });

  test("a block whose sender is not known makes nobody the only sender", () => {
    const liars = new LiarDetector(1n);
    const senders = ["a", undefined, "a", "a"] as string[];
    expect(liars.pieceFailed(0, piece(1, 9, 3, 4), senders)).toEqual([]);
    expect(liars.pieceFailed(1, piece(1, 9, 3, 4), ["a", "a"])).toEqual([]);
    expect(liars.piecePassed(0, GOOD)).toEqual([]);
  });

  test("of several senders the one whose block differs from the good one is found when the piece passes", () => {
    const liars = new LiarDetector(1n);
    expect(liars.pieceFailed(0, piece(1, 9, 3, 4), ["a", "b", "c", "a"])).toEqual([]);
    expect(liars.isSuspicious(0)).toBe(true);
    expect(liars.piecePassed(0, GOOD)).toEqual(["b"]);
    expect(liars.isSuspicious(0)).toBe(false);
  });

  test("who sends a block differently the second time is guilty although both tries failed", () => {
    const liars = new LiarDetector(1n);
    liars.pieceFailed(0, piece(1, 9, 3, 4), ["a", "b", "c", "a"]);
    expect(liars.pieceFailed(0, piece(1, 8, 3, 4), ["a", "b", "c", "a"])).toEqual(["b"]);
  });

  test("the last, shorter block is told apart too", () => {
    const liars = new LiarDetector(1n);
    liars.pieceFailed(0, piece(1, 2, 3, 9), ["a", "b", "c", "d"]);
    expect(liars.piecePassed(0, GOOD)).toEqual(["d"]);
  });

  test("an honest sender is never blamed, and a liar in the last failed try always is", () => {
    const tries = fc.array(fc.array(fc.nat({ max: 5 }), { minLength: BLOCKS, maxLength: BLOCKS }), {
      minLength: 1,
      maxLength: 5,
    });
    fc.assert(
      fc.property(
        tries,
        fc.uniqueArray(fc.nat({ max: 5 }), { maxLength: 3 }),
        fc.nat(),
        (attempts, bad, salt) => {
          const detector = new LiarDetector(BigInt(salt));
          const blamed = new Set<string>();
          for (const [round, senders] of attempts.entries()) {
            const fills = senders.map((who, block) => (bad.includes(who) ? 100 + who + round : block + 1));
            if (!senders.some((who) => bad.includes(who))) continue;
            for (const host of detector.pieceFailed(7, piece(...fills), senders.map(String)))
              blamed.add(host);
          }
          for (const host of detector.piecePassed(7, GOOD)) blamed.add(host);
          const guilty = new Set(
            attempts
              .flat()
              .filter((who) => bad.includes(who))
              .map(String),
          );
          expect([...blamed].sort()).toEqual([...guilty].sort());
        },
      ),
      { numRuns: 300 },
    );
  });
});
