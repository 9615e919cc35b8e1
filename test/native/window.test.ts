import { expect, test } from "bun:test";
import { closeSync, ftruncateSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { openNative, type WindowChunk, type WindowState, type WindowToken } from "../../native/index.ts";
import { MIB, makeNativeRig, type NativeRig, sha1Of } from "../support/native-rig.ts";

interface View {
  readonly window: WindowToken;
  read(at: number, most?: number): WindowChunk | WindowState;
  /** As a reader does: waits for the wake-up as often as it takes. */
  get(at: number, most?: number): Promise<Uint8Array>;
  wakes(): number;
}

function openView(
  rig: NativeRig,
  place: { start?: number; length?: number; hasSource?: boolean } = {},
): View {
  const { start = 0, length = rig.content.length - start, hasSource = false } = place;
  let wakes = 0;
  let onWake: (() => void) | undefined;
  const window = rig.native.openWindow({
    torrent: rig.torrent,
    fileStartBytes: start,
    fileLengthBytes: length,
    onWake: () => {
      wakes++;
      onWake?.();
    },
  });
  rig.native.shapeWindow(window, { behindBytes: MIB, aheadBytes: 8 * MIB, readAheadBytes: MIB });
  if (hasSource) rig.native.setWindowSource(window, rig.file);
  const read = (at: number, most = MIB) => rig.native.readWindow(window, at, most);
  const get = async (at: number, most = MIB) => {
    for (;;) {
      const woken = new Promise<void>((resolve) => {
        onWake = resolve;
      });
      const chunk = read(at, most);
      if (typeof chunk !== "string") {
        const copy = chunk.bytes.slice();
        rig.native.unpin(window, chunk.pin);
        return copy;
      }
      if (chunk !== "waiting") throw new Error(chunk);
      await woken;
    }
  };
  return { window, read, get, wakes: () => wakes };
}

async function allOf(view: View, length: number): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < length; at += parts.at(-1)!.length) parts.push(await view.get(at, 100_000));
  return Buffer.concat(parts);
}

test("a viewer is woken by the piece it waits for and reads it before it is announced", async () => {
  using rig = makeNativeRig();
  const view = openView(rig);
  expect(view.read(MIB + 5)).toBe("waiting");
  const bytes = view.get(MIB + 5, 1000);
  await rig.complete(1);
  expect(Buffer.compare(await bytes, rig.content.subarray(MIB + 5, MIB + 1005))).toBe(0);
  expect(view.wakes()).toBeGreaterThan(0);
  expect(rig.native.figures().diskReads).toBe(0);
});

test("a file in the middle of a torrent is read from memory, wherever the pieces' edges are", async () => {
  using rig = makeNativeRig({ pieceLengthBytes: 100_000, totalBytes: 1_000_000 });
  const view = openView(rig, { start: 250_001, length: 400_000 });
  const whole = allOf(view, 400_000);
  for (const piece of [9, 3, 2, 4, 6, 5]) await rig.complete(piece);
  expect((await whole).equals(rig.content.subarray(250_001, 650_001))).toBe(true);
});

test("what is had and not in memory is read from the file, once for the two viewers of a place", async () => {
  using rig = makeNativeRig();
  for (const piece of [0, 1, 2, 3, 4]) await rig.complete(piece);
  const first = openView(rig, { hasSource: true });
  const second = openView(rig, { hasSource: true });
  const before = rig.native.figures();
  expect((await allOf(first, rig.content.length)).equals(rig.content)).toBe(true);
  const afterFirst = rig.native.figures();
  expect(afterFirst.diskReadBytes - before.diskReadBytes).toBe(rig.content.length);
  expect((await second.get(4 * MIB)).length).toBe(5);
  expect(rig.native.figures().diskReads).toBe(afterFirst.diskReads);
  expect(rig.native.windowFigures(first.window).diskReads).toBeGreaterThan(0);
});

test("a chunk stays as it is until its pin is given back, though the window is closed and the memory short", async () => {
  using rig = makeNativeRig();
  const view = openView(rig);
  expect(view.read(0)).toBe("waiting");
  await rig.complete(0);
  const chunk = view.read(0, 300_000) as WindowChunk;
  rig.native.closeWindow(view.window);
  expect(view.read(0)).toBe("gone");
  expect(rig.native.figures().pinnedBytes).toBeGreaterThan(0);
  // A piece may be in the writer's hands for a moment after its result.
  rig.native.setCapacity(4 * MIB);
  for (const piece of [1, 2, 3]) await rig.complete(piece);
  expect(Buffer.compare(chunk.bytes, rig.content.subarray(0, chunk.bytes.length))).toBe(0);
  rig.native.unpin(view.window, chunk.pin);
  rig.native.unpin(view.window, chunk.pin);
  expect(rig.native.figures()).toMatchObject({ pinnedBytes: 0, windowBytes: 0, windows: 0 });
});

test("a window tells what became of its torrent, and wakes for it", async () => {
  using rig = makeNativeRig();
  const view = openView(rig);
  expect(view.read(0)).toBe("waiting");
  const woken = view.get(0).catch((error: Error) => error.message);
  rig.native.setTorrentState(rig.torrent, "disk_full");
  expect(await woken).toBe("disk_full");
  for (const state of ["disk_error", "data_conflict", "internal"] as const) {
    rig.native.setTorrentState(rig.torrent, state);
    expect(view.read(0)).toBe(state);
  }
  rig.native.setTorrentState(rig.torrent, "fine");
  expect(view.read(0)).toBe("waiting");
  rig.native.closeTorrent(rig.torrent);
  expect(view.read(0)).toBe("gone");
  const place = { torrent: rig.torrent, fileStartBytes: 0, fileLengthBytes: 5, onWake: () => undefined };
  expect(rig.native.openWindow(place)).toBe(0);
});

test("a file that ends before it should is unreadable, and readable again when it is put right", async () => {
  using rig = makeNativeRig();
  await rig.complete(0);
  ftruncateSync(rig.fd, 10);
  const view = openView(rig, { hasSource: true });
  await expect(view.get(0)).rejects.toThrow("unreadable");
  writeSync(rig.fd, rig.content, 0, MIB, 0);
  const bytes = await view.get(0, 1000);
  expect(Buffer.compare(bytes, rig.content.subarray(0, bytes.length))).toBe(0);
});

test("a piece that is taken back is read no more", async () => {
  using rig = makeNativeRig();
  await rig.complete(0);
  const view = openView(rig, { hasSource: true });
  await view.get(0);
  rig.native.removeHave(rig.torrent, 0);
  expect(view.read(0)).toBe("waiting");
  rig.native.setHave(rig.torrent, new Uint8Array([0x80]));
  expect((await view.get(0)).length).toBeGreaterThan(0);
});

test("shaping a window live evicts what lies farthest, and counts are told", async () => {
  using rig = makeNativeRig();
  const view = openView(rig);
  expect(view.read(0)).toBe("waiting");
  for (const piece of [0, 1, 2, 3]) await rig.complete(piece);
  await view.get(0, 1);
  expect(rig.native.windowFigures(view.window)).toMatchObject({ aheadBytes: 4 * MIB });
  rig.native.shapeWindow(view.window, { behindBytes: 0, aheadBytes: MIB, readAheadBytes: 0 });
  const figures = rig.native.windowFigures(view.window);
  expect(figures.bytes).toBeLessThanOrEqual(MIB + 65_536);
  expect(figures.hits + figures.misses).toBeGreaterThan(0);
});

test("another thread's torrent is found by its info hash", () => {
  using rig = makeNativeRig();
  const other = openNative();
  expect(other.findTorrent(rig.infoHash.toUpperCase())).toBe(rig.torrent);
  expect(() => other.openTorrent({ infoHash: rig.infoHash, pieceLengthBytes: 1, totalBytes: 1 })).toThrow(
    "open",
  );
  expect(other.findTorrent("00".repeat(20))).toBe(0);
  other.closeTorrent(rig.torrent);
  expect(other.findTorrent(rig.infoHash)).toBe(rig.torrent);
  other.close();
});

test("readNow gives what the page cache has, the end of the file as 0, and errors as numbers", () => {
  using rig = makeNativeRig();
  writeSync(rig.fd, rig.content, 0, 1000, 0);
  const target = new Uint8Array(100);
  expect(rig.native.readNow(rig.fd, target, 10, 50, 500)).toBe(50);
  expect([...target.subarray(10, 60)]).toEqual([...rig.content.subarray(500, 550)]);
  expect(target[9]).toBe(0);
  expect(target[60]).toBe(0);
  expect(rig.native.readNow(rig.fd, target, 0, 100, rig.content.length)).toBe(0);
  expect(rig.native.readNow(2 ** 31 - 1, target, 0, 100, 0)).toBe(-9);
  expect(() => rig.native.readNow(rig.fd, target, 50, 51, 0)).toThrow(RangeError);
  expect(sha1Of(readFileSync(rig.path)).length).toBe(20);
});

test("readNow reads from a file system in memory, which knows no page cache of its own", () => {
  using rig = makeNativeRig();
  const path = `/dev/shm/torrx-read-now-${process.pid}`;
  writeFileSync(path, "in memory");
  const fd = openSync(path, "r");
  try {
    const target = new Uint8Array(9);
    expect(rig.native.readNow(fd, target, 0, 9, 0)).toBe(9);
    expect(Buffer.from(target).toString()).toBe("in memory");
  } finally {
    closeSync(fd);
    rmSync(path);
  }
});
