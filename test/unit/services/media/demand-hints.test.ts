import { beforeEach, expect, test } from "bun:test";
import { silentLog } from "../../../../src/base/log.ts";
import { DemandHints } from "../../../../src/services/media/demand-hints.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { FILE } from "./film-facts.ts";

const REQUEST = {
  torrent: FILE.torrent,
  file: FILE.file,
  viewer: "somebody",
  clientAddress: "192.0.2.1",
  startBytes: 40_000_000,
  endBytes: FILE.lengthBytes,
};

let clock: FakeClock;
let open: Map<number, object>;
let failure: Error | null;
let hints: DemandHints;

beforeEach(() => {
  clock = new FakeClock();
  open = new Map();
  failure = null;
  let last = 0;
  hints = new DemandHints({
    clock,
    log: silentLog,
    nextReaderId: () => ++last,
    source: {
      openReader: ({ reader, ...request }) => {
        open.set(reader, request);
        return failure === null ? Promise.resolve() : Promise.reject(failure);
      },
      advanceReader: () => undefined,
      closeReader: (reader) => void open.delete(reader),
    },
  });
});

test("a place is wanted from the call on, until it is ended, once", () => {
  const end = hints.give(REQUEST);
  expect([...open.values()]).toEqual([REQUEST]);
  end();
  end();
  expect(open.size).toBe(0);
  clock.advance(60_000);
});

test("and for a few seconds at most, whoever forgets it", () => {
  hints.give(REQUEST);
  clock.advance(2_900);
  expect(open.size).toBe(1);
  clock.advance(200);
  expect(open.size).toBe(0);
});

test("a place that cannot be had is given up, and all are when playback ends", async () => {
  failure = new Error("no such torrent");
  hints.give(REQUEST);
  await Bun.sleep(0);
  expect(open.size).toBe(0);
  failure = null;
  hints.give(REQUEST);
  hints.give(REQUEST);
  hints.close();
  expect(open.size).toBe(0);
});
