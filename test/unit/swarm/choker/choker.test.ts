import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { LIMITS } from "../../../../src/base/limits.ts";
import { Choker } from "../../../../src/swarm/choker/choker.ts";
import type { ChokeCandidate } from "../../../../src/swarm/choker/choose-unchoked.ts";

const PIECE = 1_000_000;
const ROUND = LIMITS.choker.roundMs;

/** A swarm whose peers give and take at fixed rates (bytes a second) while the choker decides. */
class Swarm {
  readonly choker: Choker;
  readonly peers = new Map<number, { candidate: ChokeCandidate; gives: number; takes: number }>();
  nowMs = 0;
  unchoked: ReadonlySet<number> = new Set();
  readonly roundsUnchoked = new Map<number, number>();

  constructor(
    readonly isSeeding: boolean,
    slots?: number,
  ) {
    this.choker = new Choker({ pieceLengthBytes: PIECE, ...(slots === undefined ? {} : { slots }) });
  }

  add(peer: number, rates: { gives?: number; takes?: number; isInterested?: boolean } = {}): void {
    this.peers.set(peer, {
      candidate: { peer, isInterested: rates.isInterested ?? true, receivedBytes: 0, sentBytes: 0 },
      gives: rates.gives ?? 0,
      takes: rates.takes ?? 0,
    });
  }

  candidates(): ChokeCandidate[] {
    return [...this.peers.values()].map(({ candidate }) => candidate);
  }

  set(peer: number, change: Partial<ChokeCandidate>): void {
    const entry = this.peers.get(peer)!;
    entry.candidate = { ...entry.candidate, ...change };
  }

  round(): ReadonlySet<number> {
    this.unchoked = this.choker.round(this.nowMs, this.candidates(), this.isSeeding);
    for (const peer of this.unchoked) this.roundsUnchoked.set(peer, (this.roundsUnchoked.get(peer) ?? 0) + 1);
    return this.unchoked;
  }

  /** Rounds with traffic between them. */
  run(rounds: number): void {
    for (let i = 0; i < rounds; i++) {
      this.round();
      this.nowMs += ROUND;
      for (const [peer, { candidate, gives, takes }] of this.peers) {
        this.set(peer, {
          receivedBytes: candidate.receivedBytes + gives * 10,
          sentBytes: candidate.sentBytes + (this.unchoked.has(peer) ? takes * 10 : 0),
        });
      }
    }
  }
}

describe("choker", () => {
  test("everyone interested is unchoked while slots last, nobody else ever", () => {
    const swarm = new Swarm(false);
    for (let peer = 0; peer < 8; peer++) swarm.add(peer);
    swarm.add(8, { isInterested: false, gives: 1_000_000 });
    expect([...swarm.round()].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  test("while downloading, those who gave most last round have the slots, one slot is optimistic", () => {
    const swarm = new Swarm(false);
    for (let peer = 0; peer < 20; peer++) swarm.add(peer, { gives: peer * 1_000 });
    swarm.run(2);
    const unchoked = [...swarm.round()];
    expect(unchoked).toHaveLength(8);
    expect(unchoked.filter((peer) => peer >= 13)).toHaveLength(7);
  });

  test("what was given long ago counts no more", () => {
    const swarm = new Swarm(false, 2);
    swarm.add(1, { gives: 1_000_000 });
    swarm.add(2, { gives: 10 });
    swarm.add(3, { gives: 10 });
    swarm.run(5);
    swarm.peers.get(1)!.gives = 0;
    swarm.peers.get(2)!.gives = 5_000;
    swarm.run(1);
    expect(swarm.round().has(2)).toBe(true);
  });

  test("the optimistic slot stays for 30 s, then goes round, so that everyone gets it", () => {
    const swarm = new Swarm(false);
    for (let peer = 0; peer < 7; peer++) swarm.add(peer, { gives: 100_000 });
    for (let peer = 100; peer < 106; peer++) swarm.add(peer);
    swarm.run(18);
    for (let peer = 100; peer < 106; peer++) expect(swarm.roundsUnchoked.get(peer), `peer ${peer}`).toBe(3);
  });

  test("a peer that shows on its optimistic slot that it gives keeps a slot", () => {
    const swarm = new Swarm(false);
    for (let peer = 0; peer < 8; peer++) swarm.add(peer, { gives: 1_000 });
    swarm.add(50, { gives: 0 });
    swarm.run(4);
    swarm.peers.get(50)!.gives = 100_000;
    swarm.run(1);
    for (let i = 0; i < 5; i++) {
      swarm.run(1);
      expect(swarm.unchoked.has(50)).toBe(true);
    }
  });

  test("while seeding, slots go round after 20 pieces and 60 s, and nobody starves", () => {
    const swarm = new Swarm(true);
    for (let peer = 0; peer < 24; peer++) swarm.add(peer, { takes: 500_000 });
    swarm.run(60);
    const rounds = [...Array(24).keys()].map((peer) => swarm.roundsUnchoked.get(peer) ?? 0);
    expect(Math.min(...rounds)).toBeGreaterThanOrEqual(10);
    expect(Math.max(...rounds)).toBeLessThanOrEqual(30);
  });

  test("while seeding, a peer below its quota keeps its slot against those that wait", () => {
    const swarm = new Swarm(true, 2);
    swarm.add(1, { takes: 100_000 });
    swarm.run(1);
    for (let peer = 2; peer < 10; peer++) swarm.add(peer);
    swarm.run(10);
    expect(swarm.roundsUnchoked.get(1)).toBe(11);
  });

  test("while seeding, a peer past its quota keeps its slot where nobody else wants it", () => {
    const swarm = new Swarm(true);
    swarm.add(1, { takes: 10_000_000 });
    swarm.run(20);
    expect(swarm.roundsUnchoked.get(1)).toBe(20);
  });

  test("a peer that asks while slots are free is unchoked at once, and not past the slots", () => {
    const choker = new Choker({ pieceLengthBytes: PIECE, slots: 3 });
    const ask = (peer: number) =>
      choker.onInterested({ peer, isInterested: true, receivedBytes: 0, sentBytes: 0 }, 0);
    expect([1, 2, 3, 4].map(ask)).toEqual([true, true, true, false]);
    expect(ask(1)).toBe(true);
    expect(choker.unchokedCount).toBe(3);
    choker.onGone(2);
    expect(ask(4)).toBe(true);
  });

  test("a peer unchoked at once counts what it gave since the last round", () => {
    const choker = new Choker({ pieceLengthBytes: PIECE, slots: 2 });
    const base = { isInterested: true, sentBytes: 0 };
    choker.round(
      0,
      [
        { ...base, peer: 1, receivedBytes: 0 },
        { ...base, peer: 2, receivedBytes: 0, isInterested: false },
      ],
      false,
    );
    choker.onInterested({ ...base, peer: 2, receivedBytes: 5_000 }, 5_000);
    const peers = [
      { ...base, peer: 1, receivedBytes: 4_000 },
      { ...base, peer: 2, receivedBytes: 5_000 },
      { ...base, peer: 3, receivedBytes: 0 },
    ];
    expect(choker.round(10_000, peers, false).has(2)).toBe(true);
  });

  test("who loses interest loses the slot at the next round", () => {
    const swarm = new Swarm(false, 1);
    swarm.add(1);
    swarm.run(1);
    swarm.set(1, { isInterested: false });
    swarm.add(2);
    expect([...swarm.round()]).toEqual([2]);
  });

  test("with a single slot everyone still gets a turn", () => {
    for (const isSeeding of [true, false]) {
      const swarm = new Swarm(isSeeding, 1);
      for (let peer = 0; peer < 4; peer++) swarm.add(peer);
      swarm.run(12);
      expect(swarm.roundsUnchoked.size).toBe(4);
    }
  });

  test("with no slots nobody is unchoked", () => {
    const swarm = new Swarm(false, 0);
    swarm.add(1);
    expect(swarm.round().size).toBe(0);
    expect(swarm.choker.onInterested(swarm.candidates()[0]!, 0)).toBe(false);
  });

  test("whatever peers do, slots are never exceeded, never idle, and only interested peers hold them", () => {
    const step = fc.record({
      peer: fc.integer({ min: 0, max: 15 }),
      isInterested: fc.boolean(),
      gives: fc.nat(10_000_000),
      takes: fc.nat(50_000_000),
      what: fc.constantFrom("change", "gone", "round", "ask"),
    });
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 80 }),
        fc.boolean(),
        fc.integer({ min: 1, max: 9 }),
        (steps, isSeeding, slots) => {
          const swarm = new Swarm(isSeeding, slots);
          for (const { peer, isInterested, gives, takes, what } of steps) {
            const known = swarm.peers.get(peer)?.candidate;
            if (what === "gone") {
              swarm.peers.delete(peer);
              swarm.choker.onGone(peer);
            } else if (what === "round") {
              swarm.nowMs += ROUND;
              const unchoked = swarm.round();
              const interested = swarm.candidates().filter((candidate) => candidate.isInterested);
              expect(unchoked.size).toBe(Math.min(slots, interested.length));
              for (const key of unchoked)
                expect(interested.some((candidate) => candidate.peer === key)).toBe(true);
            } else {
              if (known === undefined) swarm.add(peer);
              swarm.set(peer, {
                isInterested: what === "ask" || isInterested,
                receivedBytes: (known?.receivedBytes ?? 0) + gives,
                sentBytes: (known?.sentBytes ?? 0) + takes,
              });
              if (what === "ask") swarm.choker.onInterested(swarm.peers.get(peer)!.candidate, swarm.nowMs);
            }
            expect(swarm.choker.unchokedCount).toBeLessThanOrEqual(slots);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
