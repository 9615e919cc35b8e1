// Runs inside a mount namespace of its own (store-full-tmpfs.test.ts): argv = a folder that is a small tmpfs, and native
// where its pieces are to be written by native threads.
// Prints what the store said, as JSON.

import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { nativeWorld } from "../support/native-world.ts";
import { plainDisk } from "../support/plain-memory.ts";
import { allPieces, benchOf, download, feed, makeTorrent, NEVER } from "../support/store-torrent.ts";

const [folder = "", kind = "plain"] = process.argv.slice(2);
const KIB = 1024;
const world = kind === "native" ? nativeWorld() : null;
const torrent = makeTorrent({ pieceLengthBytes: 64 * KIB, files: [{ path: "a", lengthBytes: 1024 * KIB }] });
const filler = join(folder, "filler");
writeFileSync(filler, new Uint8Array(1024 * KIB));
const bench = benchOf({
  torrent,
  ...(world ?? { disk: plainDisk }),
  saveDirectory: join(folder, "downloads"),
});
await bench.store.open(null, NEVER);
for (const piece of allPieces(torrent)) feed(bench, piece);
await bench.events.until(() => bench.events.faults.length > 0);
const hadWhenFull = bench.store.have.count;
const retried = await bench.store.retry().catch((error: { code?: string }) => error.code);
rmSync(filler);
await bench.store.retry();
const keptAfterRetry = bench.store.have.count;
await download(
  bench,
  allPieces(torrent).filter((piece) => !bench.store.have.has(piece)),
);
const bytes = await bench.store.read(0, torrent.info.totalBytes);
await bench.store.close();
world?.close();
console.log(
  JSON.stringify({
    faults: bench.events.faults,
    retried,
    someWereHad: hadWhenFull > 0 && hadWhenFull < torrent.info.pieceCount,
    nothingWasLost: keptAfterRetry >= hadWhenFull,
    isRight: Buffer.compare(bytes, torrent.bytes) === 0,
    isClean: bench.events.last.isClean,
  }),
);
