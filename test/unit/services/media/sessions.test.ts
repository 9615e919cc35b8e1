import { beforeEach, describe, expect, test } from "bun:test";
import { LIMITS } from "../../../../src/base/limits.ts";
import { seededRandom } from "../../../../src/base/random.ts";
import { type SessionPlan, Sessions } from "../../../../src/services/media/sessions.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { FILE, sessionPlan, TORRENT } from "./film-facts.ts";

let clock: FakeClock;
let asleep: string[];
let ticks: number;
let sessions: Sessions;

beforeEach(() => {
  clock = new FakeClock();
  asleep = [];
  ticks = 0;
  sessions = new Sessions({
    clock,
    random: seededRandom(7),
    onAsleep: ({ id }) => asleep.push(id),
    onTick: () => ticks++,
  });
});

const viewer = (n: number, clientAddress = `192.0.2.${n}`): Partial<SessionPlan> => ({
  reader: { viewer: `viewer ${n}`, clientAddress },
});

describe("sessions", () => {
  test("live for a minute after their player was last heard of, then sleep until it comes back", () => {
    const { id } = sessions.open(sessionPlan());
    clock.advance(50_000);
    expect(sessions.hear(id, FILE)?.id).toBe(id);
    clock.advance(59_000);
    expect(asleep).toEqual([]);
    clock.advance(2_000);
    expect(asleep).toEqual([id]);
    expect(sessions.awake()).toEqual([]);
    clock.advance(3_600_000);
    expect(sessions.hear(id, FILE)?.id).toBe(id);
    expect(sessions.awake().map((one) => one.id)).toEqual([id]);
    clock.advance(61_000);
    expect(asleep).toEqual([id, id]);
  });

  test("tick once a second while one is awake, and leave no timer when none is", () => {
    const { id } = sessions.open(sessionPlan());
    clock.advance(10_000);
    expect(ticks).toBe(10);
    sessions.end(id, FILE);
    clock.advance(10_000);
    expect(ticks).toBe(11);
    sessions.hear(id, FILE);
    clock.advance(10_000);
    expect(ticks).toBe(11);
  });

  test("are found by their own file alone, and not after their end", () => {
    const { id } = sessions.open(sessionPlan());
    expect(sessions.hear(id, { torrent: TORRENT, file: 3 })).toBeNull();
    expect(sessions.hear("nobody", FILE)).toBeNull();
    sessions.end(id, { torrent: TORRENT, file: 3 });
    expect(sessions.hear(id, FILE)?.id).toBe(id);
    sessions.end(id, FILE);
    sessions.end(id, FILE);
    expect(asleep).toEqual([id]);
    expect(sessions.hear(id, FILE)).toBeNull();
  });

  test("that were followed by another of the same viewer and file sleep sooner: a page was loaded anew", () => {
    const first = sessions.open(sessionPlan(viewer(1)));
    const other = sessions.open(sessionPlan(viewer(2)));
    const second = sessions.open(sessionPlan(viewer(1)));
    expect(asleep).toEqual([]);
    clock.advance(12_000);
    expect(asleep).toEqual([first.id]);
    expect(sessions.awake().map(({ id }) => id)).toEqual([other.id, second.id]);
  });

  test("lose nothing to another of the same viewer and file while they are heard of: a second device", () => {
    const first = sessions.open(sessionPlan(viewer(1)));
    const second = sessions.open(sessionPlan(viewer(1)));
    for (let sec = 0; sec < 120; sec += 8) {
      clock.advance(8_000);
      sessions.hear(first.id, FILE);
      sessions.hear(second.id, FILE);
    }
    clock.advance(50_000);
    expect(asleep).toEqual([]);
  });

  test("are heard of as long as a request of theirs waits", async () => {
    const first = sessions.open(sessionPlan(viewer(1)));
    const answer = Promise.withResolvers<number>();
    const waiting = sessions.whileWaiting(first, () => answer.promise);
    sessions.open(sessionPlan(viewer(1)));
    clock.advance(40_000);
    expect(asleep).toEqual([]);
    answer.resolve(5);
    expect(await waiting).toBe(5);
    clock.advance(9_000);
    expect(asleep).toEqual([]);
    clock.advance(3_000);
    expect(asleep).toEqual([first.id]);
    await expect(sessions.whileWaiting(first, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  });

  test("are where their player says, or at what it asks for where it never says", () => {
    const silent = sessions.open(sessionPlan({ positionSec: 7 }));
    expect([silent.positionSec, silent.askedSec]).toEqual([7, 7]);
    sessions.ask(silent, 20);
    expect([silent.positionSec, silent.askedSec]).toEqual([20, 20]);
    const telling = sessions.open(sessionPlan());
    sessions.tell(telling, 3);
    sessions.ask(telling, 40);
    expect([telling.positionSec, telling.askedSec]).toEqual([3, 40]);
  });

  test("are limited in all and for each address; one that sleeps has to find room to come back", async () => {
    const { streams, streamsPerAddress } = LIMITS.http;
    const mine = Array.from({ length: streamsPerAddress }, (_, n) =>
      sessions.open(sessionPlan(viewer(n, "192.0.2.9"))),
    );
    expect(() => sessions.open(sessionPlan(viewer(99, "192.0.2.9")))).toThrow("stream_limit");
    for (let n = streamsPerAddress; n < streams; n++) sessions.open(sessionPlan(viewer(n)));
    expect(() => sessions.open(sessionPlan(viewer(200)))).toThrow("stream_limit");
    expect(asleep).toEqual([]);
    // Their own next session is possible: the one before makes way, where it waits for nothing.
    const answer = Promise.withResolvers<void>();
    const waiting = sessions.whileWaiting(mine[1]!, () => answer.promise);
    expect(() => sessions.open(sessionPlan(viewer(1, "192.0.2.9")))).toThrow("stream_limit");
    expect(asleep).toEqual([]);
    const next = sessions.open(sessionPlan(viewer(0, "192.0.2.9")));
    expect(asleep).toEqual([mine[0]!.id]);
    expect(() => sessions.hear(mine[0]!.id, FILE)).toThrow("stream_limit");
    sessions.end(next.id, FILE);
    expect(sessions.hear(mine[0]!.id, FILE)).not.toBeNull();
    answer.resolve();
    await waiting;
  });

  test("without a player that asked for one are found by viewer, file and key", () => {
    const made = sessions.open(sessionPlan({ ...viewer(1), implicitKey: "VLC" }));
    expect(sessions.implicit(FILE, "viewer 1", "VLC")?.id).toBe(made.id);
    expect(sessions.implicit(FILE, "viewer 1", "other")).toBeNull();
    expect(sessions.implicit(FILE, "viewer 2", "VLC")).toBeNull();
    expect(sessions.implicit({ torrent: TORRENT, file: 9 }, "viewer 1", "VLC")).toBeNull();
  });

  test("that sleep are remembered up to a bound, the ones heard of last the longest", () => {
    const ids = Array.from({ length: LIMITS.playback.sessionsKept + 1 }, (_, n) => {
      const { id } = sessions.open(sessionPlan(viewer(n)));
      clock.advance(LIMITS.playback.sessionsKept > 64 ? 61_000 : 0);
      return id;
    });
    expect(sessions.hear(ids[0]!, FILE)).toBeNull();
    expect(sessions.hear(ids[1]!, FILE)).not.toBeNull();
  });

  test("end with their torrent, with all links, and with the server", () => {
    const one = sessions.open(sessionPlan(viewer(1)));
    sessions.forget("cd".repeat(20));
    expect(asleep).toEqual([]);
    sessions.forget(TORRENT);
    expect(sessions.hear(one.id, FILE)).toBeNull();
    const two = sessions.open(sessionPlan(viewer(2)));
    sessions.endAll();
    expect(sessions.hear(two.id, FILE)).toBeNull();
    const three = sessions.open(sessionPlan(viewer(3)));
    sessions.close();
    expect(asleep).toEqual([one.id, two.id, three.id]);
  });
});
