import { expect, test } from "bun:test";
import { closeSync, openSync } from "node:fs";
import { openNative } from "../../native/index.ts";
import { MIB, makeNativeRig, sha1Of, someBytes } from "../support/native-rig.ts";

const BLOCK = 16 * 1024;
const NOWHERE = new Float64Array(0);

test("a piece that came in blocks of any order is hashed, written and can be checked on disk", async () => {
  using rig = makeNativeRig();
  const { native } = rig;
  const piece = native.takePiece(rig.torrent, 1, MIB);
  const blocks = Array.from({ length: MIB / BLOCK }, (_, i) => i).sort(
    (a, b) => ((a * 37) % 64) - ((b * 37) % 64),
  );
  for (const block of blocks) {
    const at = block * BLOCK;
    // In two parts, as chunks of a socket come.
    native.writePiece(piece, at, rig.content, MIB + at, MIB + at + 1000);
    native.writePiece(piece, at + 1000, rig.content, MIB + at + 1000, MIB + at + BLOCK);
  }
  const runs = new Float64Array([rig.file, MIB, 0, 1000, rig.file, MIB + 1000, 1000, MIB - 1000]);
  expect(await native.settlePiece(piece, sha1Of(rig.bytesOf(1)), runs)).toEqual({
    status: "written",
    errno: 0,
  });
  expect(
    rig
      .onDisk()
      .subarray(MIB, 2 * MIB)
      .equals(rig.bytesOf(1)),
  ).toBe(true);
  const sha1 = sha1Of(rig.bytesOf(1));
  const check = (...run: number[]) => native.checkOnDisk(sha1, new Float64Array(run));
  expect(await check(rig.file, MIB, MIB)).toEqual({ status: "passed", errno: 0 });
  expect(await check(rig.file, MIB + 1, MIB)).toEqual({ status: "different", errno: 0 });
  expect(await check(rig.file, 4 * MIB, MIB)).toEqual({ status: "short", errno: 0 });
});

test("the last piece is as long as what is left, and a length that is not the piece's is refused", async () => {
  using rig = makeNativeRig();
  expect(await rig.complete(4)).toEqual({ status: "written", errno: 0 });
  expect(
    rig
      .onDisk()
      .subarray(4 * MIB)
      .equals(rig.bytesOf(4)),
  ).toBe(true);
  expect(() => rig.native.takePiece(rig.torrent, 4, MIB)).toThrow(RangeError);
  expect(() => rig.native.takePiece(rig.torrent, 5, 5)).toThrow(RangeError);
});

test("a wrong byte makes the piece corrupt, writes nothing and leaves the bytes to be looked at", async () => {
  using rig = makeNativeRig();
  const piece = rig.filled(0);
  rig.native.writePiece(piece, 777, new Uint8Array([rig.content[777]! ^ 1]), 0, 1);
  const runs = new Float64Array([rig.file, 0, 0, MIB]);
  expect(await rig.native.settlePiece(piece, sha1Of(rig.bytesOf(0)), runs)).toEqual({
    status: "corrupt",
    errno: 0,
  });
  expect(rig.onDisk().every((byte) => byte === 0)).toBe(true);
  const seen = new Uint8Array(3);
  rig.native.copyPiece(piece, 776, seen);
  expect([...seen]).toEqual([rig.content[776]!, rig.content[777]! ^ 1, rig.content[778]!]);
});

test("a prefix may be hashed while the rest arrives, and cannot be changed from then on", async () => {
  using rig = makeNativeRig({ pieceLengthBytes: 4 * MIB, totalBytes: 4 * MIB });
  const piece = rig.native.takePiece(rig.torrent, 0, 4 * MIB);
  for (let at = 0; at < 4 * MIB; at += BLOCK) {
    rig.native.writePiece(piece, at, rig.content, at, at + BLOCK);
    rig.native.advancePiece(piece, at + BLOCK);
    rig.native.writePiece(piece, at, someBytes(BLOCK, 99), 0, BLOCK);
  }
  const runs = new Float64Array([rig.file, 0, 0, 4 * MIB]);
  expect(await rig.native.settlePiece(piece, sha1Of(rig.content), runs)).toEqual({
    status: "written",
    errno: 0,
  });
});

test("a sealed piece takes no bytes and is settled once", async () => {
  using rig = makeNativeRig();
  const piece = rig.filled(0);
  const first = rig.native.settlePiece(piece, sha1Of(rig.bytesOf(0)), NOWHERE);
  rig.native.writePiece(piece, 0, someBytes(BLOCK, 99), 0, BLOCK);
  rig.native.advancePiece(piece, 5);
  await expect(rig.native.settlePiece(piece, sha1Of(rig.bytesOf(0)), NOWHERE)).rejects.toThrow("not there");
  expect((await first).status).toBe("written");
});

test("a disk that is full, and a file that was released, are told with their number", async () => {
  using rig = makeNativeRig();
  const fd = openSync("/dev/full", "r+");
  const full = rig.native.adoptFile(fd);
  closeSync(fd);
  const sha1 = sha1Of(rig.bytesOf(0));
  const settle = (file: number) =>
    rig.native.settlePiece(rig.filled(0), sha1, new Float64Array([file, 0, 0, MIB]));
  expect(await settle(full)).toEqual({ status: "failed", errno: 28 });
  rig.native.releaseFile(full);
  rig.native.releaseFile(full);
  expect(await settle(full)).toEqual({ status: "failed", errno: 9 });
  const check = await rig.native.checkOnDisk(sha1, new Float64Array([full, 0, MIB]));
  expect(check).toEqual({ status: "failed", errno: 9 });
  expect(() => rig.native.adoptFile(2 ** 31 - 1)).toThrow("Bad file descriptor");
});

test("a job keeps its file and its memory when JavaScript lets go of them at once", async () => {
  using rig = makeNativeRig();
  const piece = rig.filled(2);
  const runs = new Float64Array([rig.file, 2 * MIB, 0, MIB]);
  const settled = rig.native.settlePiece(piece, sha1Of(rig.bytesOf(2)), runs);
  rig.native.releasePiece(piece);
  rig.native.releaseFile(rig.file);
  rig.native.closeTorrent(rig.torrent);
  expect((await settled).status).toBe("written");
  expect(
    rig
      .onDisk()
      .subarray(2 * MIB, 3 * MIB)
      .equals(rig.bytesOf(2)),
  ).toBe(true);
});

test("zeros stand in for what is not kept on disk", async () => {
  using rig = makeNativeRig();
  const sha1 = sha1Of(new Uint8Array(600_000));
  expect(await rig.native.checkOnDisk(sha1, new Float64Array([0, 0, 600_000]))).toEqual({
    status: "passed",
    errno: 0,
  });
});

test("more checks than the addon takes at once wait for their turn", async () => {
  using rig = makeNativeRig();
  const sha1 = sha1Of(new Uint8Array(100));
  const checks = Array.from({ length: 2000 }, () =>
    rig.native.checkOnDisk(sha1, new Float64Array([0, 0, 100])),
  );
  const statuses = (await Promise.all(checks)).map((check) => check.status);
  expect(statuses.every((status) => status === "passed")).toBe(true);
});

test("a piece is refused when the memory is used up, and granted when some came back", () => {
  using rig = makeNativeRig();
  rig.native.setCapacity(2 * MIB);
  const pieces = [rig.filled(0), rig.filled(1)];
  expect(rig.native.takePiece(rig.torrent, 2, MIB)).toBe(0);
  expect(rig.native.figures().arenaBytes).toBe(2 * MIB);
  for (const piece of pieces) rig.native.releasePiece(piece);
  expect(rig.native.figures()).toMatchObject({ arenaBytes: 0, slabBytes: 0, pieces: 0 });
  expect(rig.native.takePiece(rig.torrent, 2, MIB)).not.toBe(0);
});

test("nothing is left in the process when a thread closes with all it had open", async () => {
  const observer = openNative();
  const rig = makeNativeRig();
  const settled = [0, 1, 2, 3].map((index) =>
    rig.native
      .settlePiece(rig.filled(index), sha1Of(rig.bytesOf(index)), new Float64Array([rig.file, 0, 0, MIB]))
      .catch((error: Error) => error.message),
  );
  const check = rig.native.checkOnDisk(new Uint8Array(20), new Float64Array([0, 0, 2 ** 40])).catch(String);
  rig[Symbol.dispose]();
  expect(await Promise.all(settled)).toContain("the native thread is closed");
  expect(await check).toContain("closed");
  await expect(rig.native.checkOnDisk(new Uint8Array(20), NOWHERE)).rejects.toThrow("closed");
  expect(rig.native.takePiece(rig.torrent, 0, MIB)).toBe(0);
  rig.native.close();
  while (observer.figures().pieces > 0) await Bun.sleep(1);
  expect(observer.figures()).toMatchObject({ slabBytes: 0, arenaBytes: 0, windowBytes: 0, pinnedBytes: 0 });
  expect(observer.figures()).toMatchObject({ pieces: 0, windows: 0, torrents: 0 });
  observer.close();
});
