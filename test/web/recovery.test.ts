import { describe, expect, test } from "bun:test";
import { bufferFor, HLS_CONFIG, isPassing } from "../../web/src/player/hls-config.ts";
import { type Fault, Recovery } from "../../web/src/player/recovery.ts";

const refused = (status: number): Fault => ({ kind: "refused", status });
const kinds = (recovery: Recovery, fault: Fault, count: number, atSec = 60) =>
  Array.from({ length: count }, () => recovery.remedyFor(fault, atSec).kind);
const pauses = (fault: Fault) => {
  const recovery = new Recovery();
  const remedies = Array.from({ length: 7 }, () => recovery.remedyFor(fault, 60));
  return remedies.map((remedy) => (remedy.kind === "load_again" ? remedy.afterMs : remedy.kind));
};

describe("when playing breaks off", () => {
  test("what the browser cannot take is recovered twice, then opened anew twice, then given up", () => {
    expect(kinds(new Recovery(), { kind: "media" }, 5)).toEqual([
      "recover_media",
      "recover_media",
      "reopen",
      "reopen",
      "give_up",
    ]);
    expect(kinds(new Recovery(), { kind: "other" }, 3)).toEqual(["reopen", "reopen", "give_up"]);
  });

  test("a server that is away or busy is waited for without end, with growing pauses", () => {
    expect(pauses({ kind: "wait" })).toEqual([1_000, 2_000, 4_000, 8_000, 8_000, 8_000, 8_000]);
  });

  test("a connection that breaks and a server that fails are tried again a few times", () => {
    for (const fault of [{ kind: "cut" } as const, refused(500)]) {
      expect(pauses(fault)).toEqual([1_000, 2_000, 4_000, 8_000, 8_000, "give_up", "give_up"]);
    }
  });

  test("a session that has ended is opened anew; any other refusal is final", () => {
    expect(kinds(new Recovery(), refused(404), 3)).toEqual(["reopen", "reopen", "give_up"]);
    for (const status of [401, 403, 410, 415]) {
      expect(kinds(new Recovery(), refused(status), 1)).toEqual(["give_up"]);
    }
  });

  test("the count begins anew once the film has played on, not at the very spot", () => {
    const recovery = new Recovery();
    kinds(recovery, { kind: "media" }, 2, 60);
    recovery.notePlaying(60.5);
    expect(kinds(recovery, { kind: "media" }, 1, 61)).toEqual(["reopen"]);
    recovery.notePlaying(71.1);
    expect(kinds(recovery, { kind: "media" }, 1, 72)).toEqual(["recover_media"]);
    recovery.notePlaying(5);
    expect(kinds(recovery, { kind: "media" }, 2, 6)).toEqual(["recover_media", "recover_media"]);
  });
});

describe("hls.js", () => {
  test("waits for a segment longer than the server holds a request", () => {
    expect(HLS_CONFIG.fragLoadPolicy?.default.maxTimeToFirstByteMs).toBe(45_000);
    expect(HLS_CONFIG.backBufferLength).toBe(60);
  });

  test("asks again where the answer may change, up to ten times", () => {
    for (const status of [undefined, 0, 409, 425, 429, 500, 503]) expect(isPassing(status)).toBe(true);
    for (const status of [400, 401, 403, 404, 410, 415, 507]) expect(isPassing(status)).toBe(false);
    const retry = HLS_CONFIG.fragLoadPolicy?.default.errorRetry;
    const answer = (code: number) => ({ url: "", code, text: "" }) as never;
    expect(retry?.shouldRetry?.(retry, 0, false, answer(503), false)).toBe(true);
    expect(retry?.shouldRetry?.(retry, 10, false, answer(503), true)).toBe(false);
    expect(retry?.shouldRetry?.(retry, 0, false, answer(404), true)).toBe(false);
    expect(retry?.shouldRetry?.(retry, 0, true, undefined, false)).toBe(true);
  });

  test("keeps less of a picture that fills a browser's memory", () => {
    expect(bufferFor(8_000_000)).toEqual({ maxBufferLength: 30, backBufferLength: 60 });
    expect(bufferFor(40_000_000)).toEqual({ maxBufferLength: 10, backBufferLength: 10 });
  });
});
