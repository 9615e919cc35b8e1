// A viewer whose file is replaced under it is given the bytes that passed their hashes, out of whatever file holds them.

import { expect, test } from "bun:test";
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openNative } from "../../native/index.ts";
import { systemClock } from "../../src/base/clock.ts";
import { silentLog } from "../../src/base/log.ts";
import { seededRandom } from "../../src/base/random.ts";
import { createEngine } from "../../src/engine/index.ts";
import { nativeMemory, nodeDisk } from "../../src/store/index.ts";
import { openForReading, openWindowReader, StreamWindows } from "../../src/stream/reader/index.ts";
import { specOf, testTorrent } from "../support/engine-world.ts";
import { MemoryNet } from "../support/memory-net.ts";
import { makeNativeRig, sha1Of } from "../support/native-rig.ts";
import { useTempDirectories } from "../support/temp-directory.ts";

const MIB = 2 ** 20;
const CHUNK_BYTES = 256 * 1024;
const tempDirectory = useTempDirectories();

async function setUp() {
  const folder = tempDirectory();
  const [engineNative, httpNative] = [openNative(), openNative()];
  const engine = await createEngine({
    clock: systemClock,
    random: seededRandom(1),
    log: silentLog,
    net: new MemoryNet().host("10.0.0.1"),
    disk: nodeDisk(engineNative),
    memory: nativeMemory(engineNative),
    trackers: { announce: () => Promise.reject(new Error("no tracker here")), close: () => undefined },
    openDht: null,
    ownAddresses: () => [],
    options: {
      host: "10.0.0.1",
      port: 40_001,
      allowLoopbackPeers: false,
      partsDirectory: join(folder, "parts"),
      clientName: "TorrX test",
      assemblyBytes: 16 * MIB,
    },
  });
  const windows = new StreamWindows({
    memory: httpNative,
    clock: systemClock,
    openFile: openForReading,
    arenaBytes: 16 * MIB,
    sizes: { ramBufferBytes: MIB, ramTotalBytes: MIB, bufferAheadPercent: 80 },
  });
  const stop = async () => {
    await engine.stop();
    windows.close();
    httpNative.close();
    engineNative.close();
  };
  return { folder, engine, windows, stop };
}

test("a recheck that finds a better file in the place of the one that is watched is believed of that file", async () => {
  const { folder, engine, windows, stop } = await setUp();
  const torrent = testTorrent([8 * MIB], { seed: 99, pieceBytes: CHUNK_BYTES });
  const { bytes } = torrent.files[0]!;
  const path = join(folder, "Show", "0.mkv");
  mkdirSync(join(folder, "Show"));
  writeFileSync(path, bytes.slice().fill(0, MIB));
  await engine.add(specOf(torrent, { saveDirectory: folder, download: "watched" }));
  const reader = openWindowReader({
    windows,
    source: engine,
    request: {
      torrent: torrent.id,
      file: 0,
      viewer: "v",
      clientAddress: "127.0.0.1",
      startBytes: 0,
      endBytes: 8 * MIB,
    },
    file: { path, isBegun: true, lengthBytes: 8 * MIB, startBytes: 0 },
    signal: new AbortController().signal,
  });
  const taken: Uint8Array[] = [];
  const take = async (bytesInAll: number) => {
    for (let at = taken.reduce((sum, { length }) => sum + length, 0); at < bytesInAll; ) {
      const chunk = await reader.next();
      if (chunk === null) throw new Error("the reader ended early");
      taken.push(chunk.slice());
      at += chunk.length;
    }
  };
  await take(MIB);
  writeFileSync(`${path}.new`, bytes);
  renameSync(`${path}.new`, path);
  await engine.recheck(torrent.id);
  await take(8 * MIB);
  expect(Bun.SHA1.hash(Buffer.concat(taken), "hex")).toBe(Bun.SHA1.hash(bytes, "hex"));
  reader.close();
  await stop();
}, 20_000);

test("a torrent that is opened anew is found all the time; its windows are gone, its pieces in the making go on", async () => {
  using rig = makeNativeRig();
  const { native, infoHash, torrent } = rig;
  const openWindow = (of: number) =>
    native.openWindow({
      torrent: of,
      fileStartBytes: 0,
      fileLengthBytes: rig.content.length,
      onWake: () => undefined,
    });
  await rig.complete(0);
  const [window, piece] = [openWindow(torrent), rig.filled(1)];
  native.setWindowSource(window, rig.file);
  const next = native.renewTorrent(torrent);
  expect(next).not.toBe(torrent);
  expect(native.findTorrent(infoHash)).toBe(next);
  expect(native.readWindow(window, 0, 1)).toBe("gone");
  expect(native.readWindow(openWindow(next), 0, 1)).toBe("waiting");
  const runs = new Float64Array([rig.file, MIB, 0, MIB]);
  expect(await native.settlePiece(piece, sha1Of(rig.bytesOf(1)), runs)).toMatchObject({ status: "written" });
  expect(() => native.renewTorrent(torrent)).toThrow("not open");
  native.closeTorrent(next);
  expect(native.findTorrent(infoHash)).toBe(0);
});
