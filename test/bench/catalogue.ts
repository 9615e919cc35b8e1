// 1,000 torrents of 40 files: start (open, restore), list, search, one torrent, a batch of figures, the stop. The engine
// is a double, so this is the cost of database and services alone. Run: bun test/bench/catalogue.ts [torrents]

import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeTorrent, startRig } from "../unit/services/rig.ts";

const COUNT = Number(process.argv[2] ?? 1_000);
const FILES = 40;
const PIECES = 2_000;

function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

function measure(name: string, runs: number, task: () => unknown): void {
  const times = Array.from({ length: runs }, () => {
    const before = performance.now();
    task();
    return performance.now() - before;
  }).sort((a, b) => a - b);
  const text = (share: number) => percentile(times, share).toFixed(2);
  console.log(`${name.padEnd(34)} p50 ${text(0.5)} ms  p95 ${text(0.95)} ms  max ${text(1)} ms`);
}

function once<T>(name: string, before: number, result: T): T {
  console.log(`${name.padEnd(34)} ${(performance.now() - before).toFixed(0)} ms`);
  return result;
}

const folder = mkdtempSync(join(tmpdir(), "torrx-bench-"));
try {
  let rig = await startRig(folder);
  const made = Array.from({ length: COUNT }, (_, n) =>
    makeTorrent(
      `Show ${n} 1080p`,
      Array.from(
        { length: FILES },
        (_, k) => [`Season 1/Episode ${k}.mkv`, 2 ** 24 * (PIECES / FILES)] as const,
      ),
    ),
  );
  let before = performance.now();
  for (const { bytes } of made) await rig.services.torrents.addTorrentFile(bytes, { paused: false });
  once(`add ${COUNT} torrents`, before, null);
  const fileBytes = Array.from({ length: FILES }, () => 2 ** 24 * (PIECES / FILES));
  const state = { verified: new Uint8Array(PIECES / 8).fill(255), unsure: [], stamps: [], isClean: true };
  before = performance.now();
  for (const { id } of made) rig.engine.emit({ type: "resume", id, state });
  once(`${COUNT} resume records`, before, null);
  for (const { id } of made)
    rig.engine.setStats(id, { status: "seeding", progress: 1, downloadedBytes: 5, fileBytes });
  before = performance.now();
  rig.clock.advance(5_000);
  once(`figures of all, ${FILES} files each`, before, null);
  before = performance.now();
  await rig.close();
  once("stop", before, null);
  console.log(
    `${"database".padEnd(34)} ${(statSync(join(folder, "torrx.db")).size / 2 ** 20).toFixed(1)} MiB`,
  );
  Bun.gc(true);
  const rssBefore = process.memoryUsage.rss();
  before = performance.now();
  rig = await startRig(folder);
  once("start: open, check, restore", before, null);
  for (const { id } of made)
    rig.engine.setStats(id, { status: "seeding", progress: 1, downloadedBytes: 5, fileBytes });
  before = performance.now();
  rig.clock.advance(5_000);
  once("figures that changed nothing", before, null);
  Bun.gc(true);
  console.log(
    `${"RSS growth by the restored".padEnd(34)} ${((process.memoryUsage.rss() - rssBefore) / 2 ** 20).toFixed(0)} MiB`,
  );
  const { torrents, streams } = rig.services;
  const id = made[COUNT >> 1]?.id as (typeof made)[0]["id"];
  measure("list, all", 200, () => torrents.list({}));
  measure("list by name, all", 200, () => torrents.list({ sort: "name" }));
  measure("list, 50 of all", 200, () => torrents.list({ limit: 50 }));
  measure("search", 200, () => torrents.list({ search: "show 77" }));
  measure("one torrent with its files", 1_000, () => torrents.get(id));
  measure("resolve a stream", 1_000, () => streams.resolve(id, 7));
  await rig.close();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
