// QUALITY B4 #25: whatever JavaScript hands in, the answer is an error or nothing, never a step outside of memory.

import { expect, test } from "bun:test";
import { loadAddon, type RawAddon } from "../../native/raw.ts";
import { MIB, makeNativeRig, type NativeRig, sha1Of, someBytes } from "../support/native-rig.ts";

const HOSTILE_NUMBERS = [
  -1,
  -0.5,
  0.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  2 ** 53,
  2 ** 63,
  2 ** 64,
  1e308,
];
const HOSTILE_VALUES = [undefined, null, "1", {}, [], 1n, Symbol("s"), () => 1, true, new Date()];
const HOSTILE_BYTES = [
  ...HOSTILE_VALUES,
  new ArrayBuffer(8),
  new DataView(new ArrayBuffer(8)),
  new Float64Array(4),
];

test("numbers that are no lengths and offsets are refused everywhere", () => {
  using rig = makeNativeRig();
  const { native, torrent, fd } = rig;
  const piece = rig.filled(0);
  const bytes = new Uint8Array(100);
  const window = openWindow(rig);
  const calls: ((value: number) => unknown)[] = [
    (n) => native.setCapacity(n),
    (n) => native.adoptFile(n),
    (n) => native.openTorrent({ infoHash: "11".repeat(20), pieceLengthBytes: n, totalBytes: 5 }),
    (n) => native.openTorrent({ infoHash: "11".repeat(20), pieceLengthBytes: 5, totalBytes: n }),
    (n) => native.addHave(torrent, n),
    (n) => native.removeHave(torrent, n),
    (n) => native.takePiece(torrent, n, MIB),
    (n) => native.takePiece(torrent, 0, n),
    (n) => native.writePiece(piece, n, bytes, 0, 100),
    (n) => native.writePiece(piece, 0, bytes, n, 100),
    (n) => native.writePiece(piece, 0, bytes, 0, n),
    (n) => native.advancePiece(piece, n),
    (n) => native.copyPiece(piece, n, bytes),
    (n) => openWindow(rig, { fileStartBytes: n }),
    (n) => openWindow(rig, { fileLengthBytes: n }),
    (n) => native.shapeWindow(window, { behindBytes: n, aheadBytes: 1, readAheadBytes: 1 }),
    (n) => native.shapeWindow(window, { behindBytes: 1, aheadBytes: n, readAheadBytes: 1 }),
    (n) => native.shapeWindow(window, { behindBytes: 1, aheadBytes: 1, readAheadBytes: n }),
    (n) => native.readWindow(window, n, 1),
    (n) => native.readWindow(window, 0, n),
    (n) => native.readNow(n, bytes, 0, 1, 0),
    (n) => native.readNow(fd, bytes, n, 1, 0),
    (n) => native.readNow(fd, bytes, 0, n, 0),
    (n) => native.readNow(fd, bytes, 0, 1, n),
  ];
  for (const call of calls)
    for (const value of HOSTILE_NUMBERS) expect(() => call(value)).toThrow(RangeError);
});

test("offsets just outside are refused, the last one inside is taken", async () => {
  using rig = makeNativeRig();
  const { native } = rig;
  const piece = rig.filled(0);
  const bytes = new Uint8Array(100);
  const big = Number.MAX_SAFE_INTEGER;
  native.writePiece(piece, MIB - 100, bytes, 0, 100);
  native.writePiece(piece, MIB, bytes, 100, 100);
  for (const [at, from, to] of [
    [MIB - 99, 0, 100],
    [MIB + 1, 0, 0],
    [big, 0, 1],
    [0, 0, 101],
    [0, 2, 1],
    [0, big, big],
  ]) {
    expect(() => native.writePiece(piece, at!, bytes, from!, to!)).toThrow(RangeError);
  }
  for (const at of [MIB - 99, big]) expect(() => native.copyPiece(piece, at, bytes)).toThrow(RangeError);
  expect(() => native.advancePiece(piece, MIB + 1)).toThrow(RangeError);
  const window = openWindow(rig);
  expect(() => native.readWindow(window, rig.content.length, 1)).toThrow(RangeError);
  expect(() => native.readWindow(window, 0, 0)).toThrow(RangeError);
  expect(() => openWindow(rig, { fileStartBytes: 1, fileLengthBytes: rig.content.length })).toThrow(
    RangeError,
  );
  expect(() => openWindow(rig, { fileLengthBytes: 0 })).toThrow(RangeError);
  native.addHave(rig.torrent, 5);
  native.addHave(rig.torrent, big);
  native.setHave(rig.torrent, new Uint8Array(1000).fill(255));
  native.setHave(rig.torrent, new Uint8Array(0));
  const runs = [
    [0, 1, MIB],
    [0, big, 1],
    [big, 0, 1],
    [0, MIB + 1, 0],
  ];
  for (const run of runs) {
    const settled = native.settlePiece(piece, new Uint8Array(20), new Float64Array([rig.file, ...run]));
    await expect(settled).rejects.toThrow(RangeError);
  }
  const check = native.checkOnDisk(new Uint8Array(20), new Float64Array([rig.file, big, 1]));
  await expect(check).rejects.toThrow(RangeError);
});

test("torrents beyond all reason are refused", () => {
  using rig = makeNativeRig();
  const open = (pieceLengthBytes: number, totalBytes: number) => () =>
    rig.native.openTorrent({ infoHash: "22".repeat(20), pieceLengthBytes, totalBytes });
  for (const [piece, total] of [
    [0, 5],
    [5, 0],
    [2 ** 31, 5],
    [1, 2 ** 40],
    [2 ** 20, 2 ** 53 - 1],
  ]) {
    expect(open(piece!, total!)).toThrow(RangeError);
  }
  for (const infoHash of ["", "11", "zz".repeat(20), "11".repeat(21), 5 as never]) {
    expect(() => rig.native.findTorrent(infoHash)).toThrow(TypeError);
  }
});

test("stale, foreign and invented tokens do nothing", async () => {
  using rig = makeNativeRig();
  using other = makeNativeRig();
  const piece = rig.filled(0);
  const window = openWindow(rig);
  rig.native.releasePiece(piece);
  rig.native.closeWindow(window);
  const next = rig.native.takePiece(rig.torrent, 0, MIB);
  expect(next).not.toBe(piece);
  const live = other.filled(0);
  for (const token of [...HOSTILE_NUMBERS, 0, 1, 2 ** 52, piece, window, live]) {
    const { native } = rig;
    const target = new Uint8Array(3).fill(9);
    native.writePiece(token, 0, new Uint8Array(5), 0, 5);
    native.advancePiece(token, 1);
    native.copyPiece(token, 0, target);
    expect([...target]).toEqual([9, 9, 9]);
    await expect(native.settlePiece(token, new Uint8Array(20), new Float64Array(0))).rejects.toThrow(
      "not there",
    );
    native.releasePiece(token);
    native.setWindowSource(token, token);
    native.shapeWindow(token, { behindBytes: 1, aheadBytes: 1, readAheadBytes: 1 });
    expect(native.readWindow(token, 0, 1)).toBe("gone");
    expect(native.windowFigures(token)).toMatchObject({ bytes: 0, hits: 0 });
    native.unpin(token, token);
    native.closeWindow(token);
    native.releaseFile(token === other.file ? 0 : token + 0.25);
  }
  const seen = new Uint8Array(MIB);
  other.native.copyPiece(live, 0, seen);
  expect(Buffer.compare(seen, other.bytesOf(0))).toBe(0);
  for (const token of [...HOSTILE_NUMBERS, 0, 2 ** 52]) {
    expect(rig.native.takePiece(token, 0, MIB)).toBe(0);
    rig.native.setHave(token, new Uint8Array(1));
    rig.native.addHave(token, 1);
    rig.native.removeHave(token, 1);
    rig.native.setTorrentState(token, "fine");
    rig.native.closeTorrent(token);
  }
});

test("values of the wrong type are an error in TypeScript's half and in the addon itself", () => {
  using rig = makeNativeRig();
  const raw = loadAddon();
  const thread = raw.open(() => undefined);
  const piece = rig.filled(0);
  const sha1 = new Uint8Array(20);
  for (const value of HOSTILE_BYTES as never[]) {
    expect(() => rig.native.writePiece(piece, 0, value, 0, 1)).toThrow(TypeError);
    expect(() => rig.native.copyPiece(piece, 0, value)).toThrow(TypeError);
    expect(() => rig.native.setHave(rig.torrent, value)).toThrow(TypeError);
    expect(() => rig.native.readNow(rig.fd, value, 0, 0, 0)).toThrow(TypeError);
    expect(() => rig.native.settlePiece(piece, value, new Float64Array(0))).toThrow(TypeError);
    expect(() => raw.writePiece(thread, 1, 0, value, 0, 1)).toThrow();
    expect(() => raw.readNow(1, value, 0, 0, 0)).toThrow();
    expect(() => raw.checkOnDisk(thread, value, new Float64Array(3))).toThrow();
  }
  for (const value of HOSTILE_VALUES as never[]) {
    for (const call of rawCallsWith(raw, thread, value)) expect(call).toThrow();
    expect(() => rig.native.settlePiece(piece, sha1, value)).toThrow(TypeError);
    expect(() => rig.native.findTorrent(value)).toThrow(TypeError);
    expect(() => rig.native.setTorrentState(rig.torrent, value)).toThrow(TypeError);
  }
  for (const length of [0, 19, 21]) {
    expect(() => rig.native.settlePiece(piece, new Uint8Array(length), new Float64Array(0))).toThrow(
      RangeError,
    );
    expect(() => raw.checkOnDisk(thread, new Uint8Array(length), new Float64Array(0))).toThrow(RangeError);
  }
  expect(() => rig.native.settlePiece(piece, sha1, new Float64Array(5))).toThrow(RangeError);
  expect(() => raw.checkOnDisk(thread, sha1, new Float64Array([1, 2]))).toThrow(RangeError);
  expect(() => raw.checkOnDisk(thread, sha1, new Float64Array([0, 0, -1]))).toThrow(RangeError);
  expect(() => raw.figures(new Float64Array(3))).toThrow(RangeError);
  expect(() => raw.region(2 ** 40)).toThrow(RangeError);
  raw.close(thread);
  raw.close(thread);
  expect(raw.takePiece(thread, rig.torrent, 0, MIB)).toBe(0);
});

test("detached and resized buffers count as what they are at the moment of the call", () => {
  using rig = makeNativeRig();
  const piece = rig.filled(0);
  const detached = new Uint8Array(1000);
  structuredClone(detached, { transfer: [detached.buffer] });
  expect(() => rig.native.writePiece(piece, 0, detached, 0, 1)).toThrow(RangeError);
  expect(() => rig.native.readNow(rig.fd, detached, 0, 1, 0)).toThrow(RangeError);
  expect(() => rig.native.settlePiece(piece, detached, new Float64Array(0))).toThrow(RangeError);
  rig.native.setHave(rig.torrent, detached);
  const resizable = new ArrayBuffer(1000, { maxByteLength: 8 * MIB });
  const tracking = new Uint8Array(resizable);
  const fixed = new Uint8Array(resizable, 0, 1000);
  rig.native.writePiece(piece, 0, tracking, 0, 1000);
  resizable.resize(10);
  for (const view of [tracking, fixed]) {
    expect(() => rig.native.writePiece(piece, 0, view, 0, 1000)).toThrow(RangeError);
    expect(() => rig.native.readNow(rig.fd, view, 0, 1000, 0)).toThrow(RangeError);
  }
  rig.native.writePiece(piece, 0, tracking, 0, 10);
  resizable.resize(2 * MIB);
  tracking.fill(7);
  rig.native.writePiece(piece, 0, tracking, MIB, 2 * MIB);
  const seen = new Uint8Array(MIB);
  rig.native.copyPiece(piece, 0, seen);
  expect(seen.every((byte) => byte === 7)).toBe(true);
  const shared = new Uint8Array(new SharedArrayBuffer(100)).fill(3);
  rig.native.writePiece(piece, 0, shared, 0, 100);
  rig.native.copyPiece(piece, 50, shared.subarray(0, 60));
  expect([...shared.subarray(48, 52)]).toEqual([3, 3, 7, 7].map((_, i) => shared[48 + i]!));
});

test("views and pins survive a collector that runs all the time", async () => {
  using rig = makeNativeRig();
  const window = openWindow(rig);
  rig.native.shapeWindow(window, { behindBytes: 8 * MIB, aheadBytes: 8 * MIB, readAheadBytes: 0 });
  expect(rig.native.readWindow(window, 0, 1)).toBe("waiting");
  for (const piece of [0, 1, 2, 3]) await rig.complete(piece);
  for (let i = 0; i < 300; i++) {
    const at = (i * 13_577) % (4 * MIB);
    const chunk = rig.native.readWindow(window, at, 70_000);
    if (typeof chunk === "string") throw new Error(chunk);
    if (i % 20 === 0) Bun.gc(true);
    expect(Buffer.compare(chunk.bytes, rig.content.subarray(at, at + chunk.bytes.length))).toBe(0);
    rig.native.unpin(window, chunk.pin);
  }
  expect(rig.native.figures().pinnedBytes).toBe(0);
});

test("random calls with random numbers end in errors, never in the process", async () => {
  const seed = Number(process.env["TORRX_TEST_SEED"] ?? Date.now() % 1e9);
  const numbers = someNumbers(seed);
  using rig = makeNativeRig();
  const window = openWindow(rig);
  const tokens = [0, rig.torrent, rig.file, window];
  const pending: Promise<unknown>[] = [];
  for (let i = 0; i < 20_000; i++) {
    try {
      const made = randomCall(rig, tokens, numbers);
      if (made instanceof Promise) pending.push(made.catch(() => null));
      else if (typeof made === "number") tokens.push(made);
    } catch (error) {
      if (!(error instanceof RangeError || error instanceof Error))
        throw new Error(`seed ${seed}`, { cause: error });
    }
    if (i % 1000 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await Promise.all(pending);
  expect(sha1Of(rig.content).length).toBe(20);
});

function openWindow(
  rig: NativeRig,
  place: { fileStartBytes?: number; fileLengthBytes?: number } = {},
): number {
  const whole = { fileStartBytes: 0, fileLengthBytes: rig.content.length };
  return rig.native.openWindow({ torrent: rig.torrent, ...whole, ...place, onWake: () => undefined });
}

/** Every function of the addon with `value` in the place of a number or a string. */
function rawCallsWith(raw: RawAddon, thread: number, value: never): (() => unknown)[] {
  const bytes = new Uint8Array(10);
  return [
    ...(typeof value === "function" ? [] : [() => raw.open(value)]),
    () => raw.setCapacity(value),
    () => raw.adoptFile(thread, value),
    () => raw.releaseFile(thread, value),
    () => raw.openTorrent(thread, "00".repeat(20), value, 5),
    () => raw.openTorrent(thread, value, 5, 5),
    () => raw.findTorrent(value),
    () => raw.closeTorrent(thread, value),
    () => raw.setHave(thread, value, bytes),
    () => raw.addHave(thread, 1, value),
    () => raw.removeHave(value, 1, 1),
    () => raw.setTorrentState(thread, 1, value),
    () => raw.takePiece(thread, 1, value, 1),
    () => raw.writePiece(thread, value, 0, bytes, 0, 1),
    () => raw.advancePiece(thread, 1, value),
    () => raw.copyPiece(thread, 1, value, bytes),
    () => raw.settlePiece(thread, value, new Uint8Array(20), new Float64Array(0)),
    () => raw.releasePiece(thread, value),
    () => raw.openWindow(thread, 1, value, 5),
    () => raw.setWindowSource(thread, 1, value),
    () => raw.shapeWindow(thread, 1, 1, value, 1),
    () => raw.readWindow(thread, 1, 0, 1, value),
    () => raw.unpin(thread, value),
    () => raw.windowFigures(thread, 1, value),
    () => raw.closeWindow(thread, value),
    () => raw.region(value),
    () => raw.figures(value),
  ];
}

function someNumbers(seed: number): (below: number) => number {
  const words = new Uint32Array(someBytes(4 * 65_536, seed).buffer);
  let next = 0;
  return (below) => (words[next++ % words.length]! >>> 8) % below;
}

function randomCall(rig: NativeRig, tokens: number[], numbers: (below: number) => number): unknown {
  const { native } = rig;
  const token = () => tokens[numbers(tokens.length)]!;
  const size = () => [0, 1, 5, 100, 65_536, MIB, MIB + 1, 2 ** 32, 2 ** 53 - 1][numbers(9)]!;
  const bytes = new Uint8Array(numbers(200_000));
  const sha1 = new Uint8Array(20);
  const calls: (() => unknown)[] = [
    () => native.takePiece(token(), numbers(6), numbers(2) === 0 ? MIB : size()),
    () => native.writePiece(token(), size(), bytes, size(), size()),
    () => native.advancePiece(token(), size()),
    () => native.copyPiece(token(), size(), bytes),
    () => native.settlePiece(token(), sha1, new Float64Array([token(), size(), size(), size()])),
    () => native.releasePiece(token()),
    () => native.checkOnDisk(sha1, new Float64Array([rig.file, size(), numbers(MIB)])),
    () => native.addHave(token(), size()),
    () => native.removeHave(token(), size()),
    () => native.shapeWindow(token(), { behindBytes: size(), aheadBytes: size(), readAheadBytes: size() }),
    () => native.readWindow(token(), size(), size()),
    () => native.setWindowSource(token(), token()),
    () => native.windowFigures(token()),
    () => native.unpin(token(), token()),
    () => native.readNow(rig.fd, bytes, size(), size(), size()),
  ];
  return calls[numbers(calls.length)]?.();
}
