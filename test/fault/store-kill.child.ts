// Downloads a made-up torrent through the native store: argv = a folder that holds the downloads and the last record.
// Says when it is open and when it has all; then waits to be killed.

import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../src/base/clock.ts";
import { seededRandom } from "../../src/base/random.ts";
import { nativeWorld } from "../support/native-world.ts";
import { killedTorrent, recordOf, stateOf } from "../support/store-kill.ts";
import { allPieces, benchOf, feed, NEVER } from "../support/store-torrent.ts";

const IN_FLIGHT = 6;
const [folder = "", seed = "1"] = process.argv.slice(2);
const random = seededRandom(Number(seed));
const world = nativeWorld();
const recordPath = join(folder, "record.json");
const state = existsSync(recordPath) ? stateOf(readFileSync(recordPath, "utf8")) : null;
const bench = benchOf({
  torrent: killedTorrent(),
  disk: world.disk,
  memory: world.memory,
  saveDirectory: join(folder, "downloads"),
  hasRecord: state !== null,
  clock: systemClock,
});
bench.events.onResume = (next) => {
  writeFileSync(`${recordPath}.tmp`, recordOf(next));
  renameSync(`${recordPath}.tmp`, recordPath);
};
await bench.store.open(state, NEVER);
process.stdout.write("open\n");
const missing = allPieces(bench.torrent).filter((piece) => !bench.store.have.has(piece));
let fed = 0;
while (missing.length > 0) {
  const [piece = 0] = missing.splice(random.below(missing.length), 1);
  feed(bench, piece);
  fed++;
  await bench.events.until(() => fed - bench.events.verified.length < IN_FLIGHT);
  if (random.below(16) === 0) await bench.store.commit();
}
await bench.events.until(() => bench.store.have.isFull);
await bench.store.close();
process.stdout.write("done\n");
setInterval(() => undefined, 1_000);
