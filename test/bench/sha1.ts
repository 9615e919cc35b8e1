// What hashing costs: bun test/bench/sha1.ts. Our own paths and Bun's, in GB per second of one core's time.

import { join, resolve } from "node:path";
import { compile, filesIn } from "../../native/compile.ts";
import { removeTmpFolders, tmpFolder } from "../support/tmp.ts";

const PIECE_BYTES = 2 ** 20;
const PIECES = 256;
const ROUNDS = 5;

function bunGbPerSec(): number {
  const piece = crypto.getRandomValues(new Uint8Array(65_536));
  const whole = Buffer.concat(Array.from({ length: PIECE_BYTES / piece.length }, () => piece));
  let best = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const before = process.cpuUsage();
    for (let i = 0; i < PIECES; i++) Bun.SHA1.hash(whole);
    const { user, system } = process.cpuUsage(before);
    best = Math.max(best, (PIECES * PIECE_BYTES) / 1000 / (user + system));
  }
  return best;
}

const native = resolve(import.meta.dir, "../../native");
const output = join(tmpFolder("sha1"), "sha1");
await compile({
  kind: "program",
  sources: [join(import.meta.dir, "sha1.cc"), ...filesIn(native, /^sha1.*\.cc$/)],
  output,
});
process.stdout.write(Bun.spawnSync([output]).stdout);
console.log(`Bun       ${bunGbPerSec().toFixed(2)} GB/s per core`);
removeTmpFolders();
