import { describe, expect, test } from "bun:test";
import type { InfoHash } from "../../../src/base/brand.ts";
import { type StreamedFile, StreamRegistry } from "../../../src/stream/demand/index.ts";
import type { OpenReader, ReaderId } from "../../../src/stream/ports.ts";
import { VirtualClock } from "../scheduler/virtual-clock.ts";

const MIB = 1024 * 1024;
const TORRENT = "a".repeat(40) as InfoHash;
const OTHER = "b".repeat(40) as InfoHash;
const FILE = { range: { start: 1000, end: 1000 + 500 * MIB }, pieceLengthBytes: MIB };
const AHEAD = 100 * MIB;
const BUFFER = { ramBufferBytes: 125 * MIB, ramTotalBytes: 10_000 * MIB, bufferAheadPercent: 80 };

let lastReader = 0;

function request(options: Partial<OpenReader> = {}): OpenReader {
  return {
    reader: ++lastReader,
    torrent: TORRENT,
    file: 3,
    viewer: "anna",
    clientAddress: "10.0.0.1",
    startBytes: 0,
    endBytes: 500 * MIB,
    ...options,
  };
}

function open(registry: StreamRegistry, asked: OpenReader, file: StreamedFile): ReaderId {
  registry.open(asked, file);
  return asked.reader;
}

function setUp() {
  const clock = new VirtualClock();
  const changes: InfoHash[] = [];
  const registry = new StreamRegistry({
    clock,
    buffer: BUFFER,
    onChange: (torrent) => changes.push(torrent),
  });
  const pass = (ms: number) => {
    clock.advance(ms);
    registry.expire(clock.nowMs());
  };
  /** Takes `bytes` in chunks over `ms`. */
  const take = (reader: number, from: number, to: number, ms = 100) => {
    for (let at = from; at < to; at += (to - from) / 10) {
      registry.advance(reader, at);
      clock.advance(ms / 10);
    }
    registry.advance(reader, to);
  };
  return { clock, registry, changes, pass, take };
}

describe("the stream registry", () => {
  test("wants what follows the first byte of a new reader, in bytes of the torrent", () => {
    const { registry, changes } = setUp();
    const reader = open(registry, request({ startBytes: 7 * MIB }), FILE);
    expect(changes).toEqual([TORRENT]);
    expect(registry.demandsOf(TORRENT)).toEqual([
      {
        stream: reader,
        readBytes: 1000 + 7 * MIB,
        file: FILE.range,
        bytesPerSec: 1_500_000,
        index: [],
        aheadBytes: AHEAD,
      },
    ]);
    expect(registry.demandsOf(OTHER)).toEqual([]);
  });

  test("asks for no more ahead than each window can hold when all share the total", () => {
    const { registry, changes } = setUp();
    const first = open(registry, request(), FILE);
    open(registry, request({ viewer: "ben" }), FILE);
    changes.length = 0;
    registry.setBuffer({ ramBufferBytes: 64 * MIB, ramTotalBytes: 100 * MIB, bufferAheadPercent: 50 });
    expect(changes).toEqual([TORRENT]);
    expect(registry.demandsOf(TORRENT)[0]).toMatchObject({ stream: first, aheadBytes: 25 * MIB });
    registry.setBuffer(BUFFER);
    expect(registry.demandsOf(TORRENT)[0]).toMatchObject({ aheadBytes: AHEAD });
  });

  test("takes connections of one viewer of one file as one stream, others as others", () => {
    const { registry } = setUp();
    open(registry, request(), FILE);
    expect(registry.isKnown(request({ startBytes: 9 }))).toBe(true);
    open(registry, request({ startBytes: 100 * MIB }), FILE);
    expect(registry.isKnown(request({ viewer: "ben" }))).toBe(false);
    open(registry, request({ viewer: "ben", clientAddress: "10.0.0.2" }), FILE);
    open(registry, request({ file: 4 }), FILE);
    expect(registry.streamCount).toBe(3);
    expect(registry.streams().map((stream) => stream.readers)).toEqual([2, 1, 1]);
    expect(registry.streamsOfAddress("10.0.0.1")).toBe(2);
  });

  test("gives the window to the reader that plays and its bytes to every other", () => {
    const { registry, take } = setUp();
    const playing = open(registry, request(), FILE);
    take(playing, 0, 8 * MIB);
    const side = open(registry, request({ startBytes: 400 * MIB }), FILE);
    const [first, second] = registry.demandsOf(TORRENT);
    expect(first).toMatchObject({ stream: playing, readBytes: 1000 + 8 * MIB, aheadBytes: AHEAD });
    expect(second).toMatchObject({ stream: side, readBytes: 1000 + 400 * MIB, aheadBytes: 2 * MIB });
    expect(registry.streams()[0]?.positionBytes).toBe(8 * MIB);
    registry.close(playing);
    take(side, 400 * MIB, 401 * MIB);
    expect(registry.demandsOf(TORRENT)).toHaveLength(1);
    expect(registry.demandsOf(TORRENT)[0]).toMatchObject({ stream: side, aheadBytes: AHEAD });
    expect(registry.streams()[0]?.positionBytes).toBe(401 * MIB);
  });

  test("merges readers that are close together", () => {
    const { registry, take } = setUp();
    const playing = open(registry, request(), FILE);
    take(playing, 0, 4 * MIB);
    open(registry, request({ startBytes: 5 * MIB }), FILE);
    expect(registry.demandsOf(TORRENT)).toHaveLength(1);
  });

  test("withdraws the demand of a reader that played at once", () => {
    const { registry, take, changes } = setUp();
    const reader = open(registry, request(), FILE);
    take(reader, 0, 3 * MIB);
    changes.length = 0;
    registry.close(reader);
    expect(changes).toEqual([TORRENT]);
    expect(registry.demandsOf(TORRENT)).toEqual([]);
    expect(registry.has(reader)).toBe(false);
  });

  test("keeps what a closed probe wanted for a moment, and no more than that", () => {
    const { registry, pass, changes } = setUp();
    const head = open(registry, request(), FILE);
    registry.close(head);
    expect(registry.demandsOf(TORRENT)).toMatchObject([
      { stream: head, aheadBytes: 0, file: { end: 1000 + 512 * 1024 } },
    ]);
    pass(249);
    expect(registry.demandsOf(TORRENT)).toHaveLength(1);
    changes.length = 0;
    pass(1);
    expect(changes).toEqual([TORRENT]);
    expect(registry.demandsOf(TORRENT)).toEqual([]);
  });

  test("wants nothing of a closed probe any more once its viewer asks for another place", () => {
    const { registry } = setUp();
    registry.close(open(registry, request(), FILE));
    const tail = open(registry, request({ startBytes: 499 * MIB }), FILE);
    expect(registry.demandsOf(TORRENT).map((demand) => demand.stream)).toEqual([tail]);
  });

  test("withdraws a probe's demand at once where its stream has another reader", () => {
    const { registry } = setUp();
    const playing = open(registry, request(), FILE);
    const probe = open(registry, request({ startBytes: 499 * MIB }), FILE);
    registry.close(probe);
    expect(registry.demandsOf(TORRENT).map((demand) => demand.stream)).toEqual([playing]);
  });

  test("fetches nothing ahead of a reader of a few KiB", () => {
    const { registry } = setUp();
    open(registry, request({ startBytes: 10 * MIB, endBytes: 10 * MIB + 4096 }), FILE);
    expect(registry.demandsOf(TORRENT)[0]).toMatchObject({
      readBytes: 1000 + 10 * MIB,
      file: { end: 1000 + 10 * MIB + 4096 },
      aheadBytes: 0,
    });
  });

  test("goes on between the ranges of a player that fetches piece by piece", () => {
    const { registry, pass, take } = setUp();
    const first = open(registry, request({ endBytes: 8 * MIB }), FILE);
    take(first, 0, 8 * MIB);
    registry.close(first);
    expect(registry.demandsOf(TORRENT)[0]).toMatchObject({ readBytes: 1000 + 8 * MIB, aheadBytes: AHEAD });
    pass(250);
    expect(registry.demandsOf(TORRENT)).toEqual([]);
  });

  test("forgets a stream 60 s after its last connection, and not if one comes back", () => {
    const { registry, pass, take } = setUp();
    const reader = open(registry, request(), FILE);
    take(reader, 0, 20 * MIB);
    registry.close(reader);
    pass(59_000);
    expect(registry.streams()[0]).toMatchObject({ readers: 0, positionBytes: 20 * MIB });
    const again = open(registry, request({ startBytes: 90 * MIB }), FILE);
    expect(registry.streams()[0]?.positionBytes).toBe(90 * MIB);
    pass(120_000);
    expect(registry.streamCount).toBe(1);
    registry.close(again);
    pass(60_000);
    expect(registry.streamCount).toBe(0);
  });

  test("measures what the viewer eats, between the prior and what a player can eat", () => {
    const { registry, take, clock } = setUp();
    const reader = open(registry, request(), FILE);
    const rate = () => registry.demandsOf(TORRENT)[0]!.bytesPerSec;
    for (let sec = 0; sec < 40; sec++) take(reader, sec * 5 * MIB, (sec + 1) * 5 * MIB, 1_000);
    expect(rate()).toBeGreaterThan(4.5 * MIB);
    expect(rate()).toBeLessThan(5.5 * MIB);
    clock.advance(120_000);
    expect(rate()).toBe(375_000);
    take(reader, 200 * MIB, 400 * MIB, 1_000);
    expect(rate()).toBeLessThanOrEqual(12_500_000);
  });

  test("adds the index of the file to the main reader's demand", () => {
    const { registry } = setUp();
    open(registry, request(), FILE);
    expect(registry.hasIndex(TORRENT, 3)).toBe(false);
    registry.setIndex(TORRENT, 3, [{ start: 490 * MIB, end: 500 * MIB }]);
    expect(registry.hasIndex(TORRENT, 3)).toBe(true);
    expect(registry.demandsOf(TORRENT)[0]?.index).toEqual([
      { start: 1000 + 490 * MIB, end: 1000 + 500 * MIB },
    ]);
  });

  test("clamps a position that goes backward or past the end, and ignores unknown readers", () => {
    const { registry } = setUp();
    const reader = open(registry, request({ endBytes: 10 * MIB }), FILE);
    registry.advance(reader, 5 * MIB);
    registry.advance(reader, 2 * MIB);
    expect(registry.streams()[0]?.positionBytes).toBe(5 * MIB);
    registry.advance(reader, 600 * MIB);
    expect(registry.streams()[0]?.positionBytes).toBe(10 * MIB);
    registry.advance(999, 1);
    registry.close(999);
    registry.close(reader);
    registry.close(reader);
  });

  test("tells of changes by piece or quarter MiB, not by chunk", () => {
    const { registry, changes } = setUp();
    const reader = open(registry, request(), FILE);
    changes.length = 0;
    for (let at = 0; at <= 4 * MIB; at += 16 * 1024) registry.advance(reader, at);
    expect(changes.length).toBeGreaterThanOrEqual(16);
    expect(changes.length).toBeLessThanOrEqual(24);
  });

  test("ends at a pause what only outlives its connections, and nothing that is read", () => {
    const { registry } = setUp();
    open(registry, request(), FILE);
    registry.close(open(registry, request({ viewer: "ben" }), FILE));
    registry.close(open(registry, request({ torrent: OTHER }), FILE));
    registry.pause(TORRENT);
    const left = registry.streams().map(({ torrent, viewer }) => [torrent, viewer]);
    expect(left).toEqual([
      [TORRENT, "anna"],
      [OTHER, "anna"],
    ]);
  });

  test("keeps a stream of a paused torrent for a moment only, also one that begins in the pause", () => {
    const { registry, pass } = setUp();
    registry.pause(TORRENT);
    const reader = open(registry, request(), FILE);
    registry.close(reader);
    pass(499);
    expect(registry.streamCount).toBe(1);
    pass(1);
    expect(registry.streamCount).toBe(0);
    registry.resume(TORRENT);
    registry.close(open(registry, request(), FILE));
    pass(59_999);
    expect(registry.streamCount).toBe(1);
  });

  test("tells what a viewer ate while it ate, however long it has paused since", () => {
    const { registry, clock, take } = setUp();
    const reader = open(registry, request(), FILE);
    take(reader, 0, 60 * MIB, 20_000);
    const [eating] = registry.streams();
    clock.advance(120_000);
    registry.demandsOf(TORRENT);
    expect(registry.streams()[0]?.bytesPerSec).toBe(eating?.bytesPerSec);
    expect(eating?.bytesPerSec).toBeGreaterThan(1_600_000);
  });

  test("drops everything of a torrent that is removed", () => {
    const { registry } = setUp();
    const reader = open(registry, request(), FILE);
    open(registry, request({ torrent: OTHER }), FILE);
    registry.setIndex(TORRENT, 3, []);
    registry.removeTorrent(TORRENT);
    expect(registry.has(reader)).toBe(false);
    expect(registry.hasIndex(TORRENT, 3)).toBe(false);
    expect(registry.streams().map((stream) => stream.torrent)).toEqual([OTHER]);
  });
});
