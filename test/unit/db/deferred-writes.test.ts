import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { silentLog } from "../../../src/base/log.ts";
import { DeferredWrites, type TorrxDatabase } from "../../../src/db/index.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { useTempDirectories } from "../../support/temp-directory.ts";
import { open } from "./rows.ts";

const tempDirectory = useTempDirectories();
let database: TorrxDatabase;
let clock: ManualClock;
let writes: DeferredWrites;
/** Code with which every write fails at the moment. */
let fault: string | null;

beforeEach(() => {
  fault = null;
  clock = new ManualClock();
  database = open(join(tempDirectory(), "torrx.db"));
  writes = new DeferredWrites({ database, clock, log: silentLog });
});

afterEach(() => database.close());

function put(key: string, value: string, options = {}): void {
  const work = () => {
    if (fault !== null) throw Object.assign(new Error(fault), { code: fault });
    database.settings.put(key, value);
  };
  writes.put(key, work, options);
}

const stored = () => Object.fromEntries(database.settings.all());

describe("deferred writes", () => {
  test("are done at once, or at the next flush where that is asked for", () => {
    put("a", "1");
    expect(stored()).toEqual({ a: "1" });
    put("b", "1", { later: true });
    expect(stored()).toEqual({ a: "1" });
    expect(writes.flush()).toBe(true);
    expect(stored()).toEqual({ a: "1", b: "1" });
    expect(clock.timers).toBe(0);
  });

  for (const code of ["SQLITE_FULL", "SQLITE_BUSY", "SQLITE_IOERR_WRITE", "SQLITE_READONLY"]) {
    test(`wait while the database says ${code}, the newest of a key winning`, () => {
      fault = code;
      put("a", "old");
      put("b", "1");
      put("a", "new");
      expect(writes.size).toBe(2);
      expect(writes.failure).not.toBeNull();
      clock.advance(600_000);
      expect(stored()).toEqual({});
      fault = null;
      clock.advance(30_000);
      expect(stored()).toEqual({ a: "new", b: "1" });
      expect(writes.failure).toBeNull();
      expect(clock.timers).toBe(0);
    });
  }

  test("that can never succeed are dropped and hold up nothing", () => {
    put("good", "1", { later: true });
    writes.put("bad", () => database.torrents.insert({} as never), { later: true });
    put("better", "1", { later: true });
    expect(writes.flush()).toBe(true);
    expect(stored()).toEqual({ good: "1", better: "1" });
    expect(writes.size).toBe(0);
  });

  test("say when they are done, once", () => {
    let done = 0;
    fault = "SQLITE_FULL";
    put("a", "1", { onDone: () => done++ });
    expect(done).toBe(0);
    fault = null;
    clock.advance(1_000);
    clock.advance(60_000);
    expect(done).toBe(1);
  });

  test("of a torrent that is gone are forgotten", () => {
    put("figures:abc", "1", { later: true });
    put("figures:def", "1", { later: true });
    writes.drop("abc");
    writes.flush();
    expect(stored()).toEqual({ "figures:def": "1" });
  });

  test("get a last try at the end, and no timer stays", () => {
    fault = "SQLITE_FULL";
    put("a", "1");
    fault = null;
    writes.close();
    expect(stored()).toEqual({ a: "1" });
    expect(clock.timers).toBe(0);
    fault = "SQLITE_FULL";
    put("b", "1");
    writes.close();
    expect(clock.timers).toBe(0);
  });
});
