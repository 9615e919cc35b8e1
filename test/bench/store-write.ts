// How fast and how cheaply blocks become verified pieces on disk: 1 GiB through one store, nothing but the store.
// Usage: bun test/bench/store-write.ts [folder = /dev/shm] [piece KiB = 1024] [runs = 3]

import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { openNative } from "../../native/index.ts";
import type { FileIndex, InfoHash, SafePath } from "../../src/base/brand.ts";
import { systemClock } from "../../src/base/clock.ts";
import { BLOCK_BYTES } from "../../src/base/limits.ts";
import { silentLog } from "../../src/base/log.ts";
import type { TorrentInfo } from "../../src/metainfo/types.ts";
import { AssemblyBudget, createTorrentStore, nativeMemory, nodeDisk } from "../../src/store/index.ts";

const TOTAL_BYTES = 2 ** 30;
const [folder = "/dev/shm", pieceKib = "1024", runs = "3"] = process.argv.slice(2);
const pieceLengthBytes = Number(pieceKib) * 1024;
const pieceCount = TOTAL_BYTES / pieceLengthBytes;

/** Every piece holds the same bytes, so that making them costs nothing while it is measured. */
const pieceBytes = crypto.getRandomValues(new Uint8Array(BLOCK_BYTES));
const wholePiece = new Uint8Array(pieceLengthBytes);
for (let at = 0; at < pieceLengthBytes; at += BLOCK_BYTES) wholePiece.set(pieceBytes, at);
const hash = new Uint8Array(Bun.SHA1.hash(wholePiece).buffer);

function makeInfo(): TorrentInfo {
  const pieceHashes = new Uint8Array(pieceCount * 20);
  for (let piece = 0; piece < pieceCount; piece++) pieceHashes.set(hash, piece * 20);
  return {
    infoHash: "0".repeat(40) as InfoHash,
    name: "bench.bin" as SafePath,
    pieceLengthBytes,
    pieceCount,
    pieceHashes,
    totalBytes: TOTAL_BYTES,
    files: [
      {
        index: 0 as FileIndex,
        path: "bench.bin" as SafePath,
        offsetBytes: 0,
        lengthBytes: TOTAL_BYTES,
        isPad: false,
      },
    ],
    isMultiFile: false,
    isPrivate: false,
    infoBytes: new Uint8Array(0),
  };
}

const ARENA_BYTES = 64 * 2 ** 20;
const native = openNative();
native.setCapacity(2 * ARENA_BYTES);

/** CPU time of the thread that runs JavaScript. */
function loopCpuSec(): number {
  const [nanoseconds] = readFileSync(`/proc/self/task/${process.pid}/schedstat`, "utf8").split(" ");
  return Number(nanoseconds) / 1e9;
}

async function run(): Promise<void> {
  const root = mkdtempSync(join(folder, "torrx-bench-"));
  const saveDirectory = join(root, "downloads");
  mkdirSync(saveDirectory);
  let left = pieceCount;
  const done = Promise.withResolvers<void>();
  const fail = (what: string) => done.reject(new Error(what));
  let wake = Promise.withResolvers<void>();
  const info = makeInfo();
  const memory = nativeMemory(native).open(info);
  const store = createTorrentStore({
    info,
    place: { saveDirectory, diskName: null },
    presence: [true],
    disk: nodeDisk(native),
    memory,
    clock: systemClock,
    log: silentLog,
    events: {
      onVerified: () => {
        wake.resolve();
        if (--left === 0) done.resolve();
      },
      onCorrupt: (piece) => fail(`piece ${piece} was corrupt`),
      onFault: (fault) => fail(fault),
      onResume: () => undefined,
      onReplaced: () => fail("another file"),
      onCheckProgress: () => undefined,
    },
    budget: new AssemblyBudget(ARENA_BYTES),
    partsPath: join(root, "parts"),
    hasRecord: false,
  });
  await store.open(null, new AbortController().signal);
  const cpu = process.cpuUsage();
  const loopStartSec = loopCpuSec();
  const startMs = performance.now();
  for (let piece = 0; piece < pieceCount; piece++) {
    for (let begin = 0; begin < pieceLengthBytes; begin += BLOCK_BYTES) {
      let target = store.blockTarget(piece, begin, BLOCK_BYTES);
      while (target === null) {
        wake = Promise.withResolvers<void>();
        await wake.promise;
        target = store.blockTarget(piece, begin, BLOCK_BYTES);
      }
      target.write(begin, pieceBytes, 0, BLOCK_BYTES);
      store.blockArrived(piece, begin, BLOCK_BYTES);
    }
  }
  await done.promise;
  const seconds = (performance.now() - startMs) / 1000;
  const used = process.cpuUsage(cpu);
  const loopSec = loopCpuSec() - loopStartSec;
  const closeMs = performance.now();
  await store.close();
  memory.close();
  const gigabytes = TOTAL_BYTES / 1e9;
  console.log(
    `${Math.round(TOTAL_BYTES / 1e6 / seconds)} MB/s, ${((used.user + used.system) / 1e6 / gigabytes).toFixed(2)} CPU s/GB ` +
      `(user ${(used.user / 1e6 / gigabytes).toFixed(2)}, system ${(used.system / 1e6 / gigabytes).toFixed(2)}; ${(loopSec / gigabytes).toFixed(2)} on the loop), ` +
      `close ${Math.round(performance.now() - closeMs)} ms, RSS ${Math.round(process.memoryUsage.rss() / 2 ** 20)} MiB`,
  );
  rmSync(root, { recursive: true });
}

for (let count = Number(runs); count > 0; count--) await run();
native.close();
