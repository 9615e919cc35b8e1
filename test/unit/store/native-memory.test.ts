import { describe, expect, test } from "bun:test";
import type { CheckResult, NativeThread, SettleResult } from "../../../native/index.ts";
import type { InfoHash } from "../../../src/base/brand.ts";
import { type DiskFile, nativeMemory } from "../../../src/store/index.ts";

const SHA1 = new Uint8Array(20);
const EIO = 5;
const ENOSPC = 28;

/** An addon whose jobs end as they are told to, and that keeps what it was asked. */
function setUp(result: Partial<SettleResult | CheckResult> | Error) {
  const runs: number[][] = [];
  const answer = (_: unknown, asked: Float64Array) => {
    runs.push([...asked]);
    return result instanceof Error ? Promise.reject(result) : Promise.resolve({ errno: 0, ...result });
  };
  const closed: number[] = [];
  const native = {
    openTorrent: () => 1,
    closeTorrent: (token: number) => closed.push(token),
    renewTorrent(token: number) {
      if (closed.includes(token)) throw new Error("not open");
      return token + 1;
    },
    takePiece: (_: number, piece: number) => (piece === 9 ? 0 : 77),
    settlePiece: (_: number, sha1: Uint8Array, asked: Float64Array) => answer(sha1, asked),
    checkOnDisk: answer,
  } as unknown as NativeThread;
  const shape = { infoHash: "a".repeat(40) as InfoHash, pieceLengthBytes: 16_384, totalBytes: 16_384 };
  return { runs, closed, memory: nativeMemory(native).open(shape) };
}

const fileOf = (native: number | null) => ({ native }) as DiskFile;

describe("piece memory in the native addon", () => {
  test("tells a job on a failing disk by the system's code", async () => {
    const settled = setUp({ status: "failed", errno: ENOSPC }).memory.take(0, 10)!;
    expect(await settled.settle(SHA1, [])).toMatchObject({ kind: "failed", error: { code: "ENOSPC" } });
    const checked = setUp({ status: "failed", errno: EIO }).memory.check(SHA1, []);
    await expect(checked).rejects.toMatchObject({ code: "EIO" });
  });

  test("takes a file that is too short for bytes that are not there", async () => {
    expect(await setUp({ status: "short" }).memory.check(SHA1, [])).toBe(false);
    expect(await setUp({ status: "different" }).memory.check(SHA1, [])).toBe(false);
    expect(await setUp({ status: "passed" }).memory.check(SHA1, [])).toBe(true);
  });

  test("names files by what they were adopted as, and zeros by none", async () => {
    const { memory, runs } = setUp({ status: "passed" });
    await memory.check(SHA1, [
      { file: fileOf(5), offsetBytes: 6, lengthBytes: 7 },
      { file: null, offsetBytes: 0, lengthBytes: 8 },
    ]);
    await memory.take(0, 10)?.settle(SHA1, [{ file: fileOf(5), offsetBytes: 6, atBytes: 2, lengthBytes: 8 }]);
    expect(runs).toEqual([
      [5, 6, 7, 0, 0, 8],
      [5, 6, 2, 8],
    ]);
  });

  test("is closed once however often it was renewed, and is not renewed afterwards", () => {
    const { memory, closed } = setUp({});
    memory.renew();
    memory.renew();
    memory.close();
    memory.renew();
    expect(closed).toEqual([3]);
  });

  test("has a piece fail, not break, that the addon does not take", async () => {
    const slot = setUp(new Error("stale")).memory.take(0, 10);
    expect(await slot?.settle(SHA1, [])).toMatchObject({ kind: "failed", error: { message: "stale" } });
    const write = { file: fileOf(null), offsetBytes: 0, atBytes: 0, lengthBytes: 1 };
    expect(await setUp({}).memory.take(0, 10)?.settle(SHA1, [write])).toMatchObject({ kind: "failed" });
  });

  test("has none where the addon has none", () => {
    expect(setUp({}).memory.take(9, 10)).toBeNull();
  });
});
