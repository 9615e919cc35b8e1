// Adds torrents and reports on them without end; prints the id of each once its addition was acknowledged.

import { makeTorrent, startRig } from "../unit/services/rig.ts";

const rig = await startRig(process.argv[2] ?? "");
for (let n = 0; ; n++) {
  const made = makeTorrent(`${process.pid} ${n}`, [
    ["a.mkv", 70],
    ["b.mkv", 30],
  ]);
  await rig.services.torrents.addTorrentFile(made.bytes, { paused: false });
  process.stdout.write(`${made.id}\n`);
  const state = { verified: new Uint8Array(1_000).fill(n), unsure: [n], stamps: [], isClean: false };
  rig.engine.emit({ type: "resume", id: made.id, state });
  rig.engine.setStats(made.id, { status: "downloading", downloadedBytes: n, fileBytes: [n % 70, 0] });
  rig.clock.advance(5_000);
  await new Promise((resolve) => setImmediate(resolve));
}
