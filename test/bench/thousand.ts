// 1,000 torrents on the real server, 990 of them paused: the start, the list, memory and processor while nothing
// happens. In a private network namespace: bun test/bench/thousand.ts [torrents=1000] [idle seconds=20].
// Bars (PRODUCT §7): < 400 MiB, < 2 % of a core, list < 100 ms p95.

import { encodeBencode } from "../../src/metainfo/index.ts";
import { endForgottenProcesses } from "../support/process.ts";
import { removeTmpFolders, tmpFolder } from "../support/tmp.ts";
import { Torrx } from "../support/torrx.ts";
import { cpuSecOf, rssAnonMib, rssMib } from "./process-figures.ts";

const COUNT = Number(process.argv[2] ?? 1_000);
const IDLE_SEC = Number(process.argv[3] ?? 20);
const ACTIVE = 10;
const ASKED = 200;

/** 40 files, 2,000 pieces, whose bytes nobody has. */
function torrentFile(seed: number): Uint8Array {
  const files = Array.from({ length: 40 }, (_, index) => ({ length: 819_200, path: [`${index}.mkv`] }));
  const pieces = crypto.getRandomValues(new Uint8Array(2_000 * 20));
  return encodeBencode({ info: { files, name: `Show ${seed}`, "piece length": 16 * 1024, pieces } });
}

async function fill(server: Torrx): Promise<void> {
  for (let seed = 1; seed <= COUNT; seed++) {
    const { body } = await server.upload(torrentFile(seed));
    if (seed > ACTIVE) await server.call("PUT", `/api/torrents/${body.id}/pause`);
  }
}

async function listP95Ms(server: Torrx): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < ASKED; i++) {
    const before = performance.now();
    await server.call("GET", "/api/torrents");
    times.push(performance.now() - before);
  }
  return times.sort((a, b) => a - b)[Math.floor(ASKED * 0.95)] ?? 0;
}

const folder = tmpFolder("thousand");
try {
  const first = await Torrx.start({ folder });
  await fill(first);
  await first.stop();
  const before = performance.now();
  const server = await Torrx.start({ folder });
  await server.call("GET", "/api/health");
  console.log(`start to healthy with ${COUNT} torrents: ${Math.round(performance.now() - before)} ms`);
  await server.call("GET", "/api/torrents");
  await Bun.sleep(5_000);
  const { pid } = server.process;
  const cpuSec = cpuSecOf(pid);
  await Bun.sleep(IDLE_SEC * 1_000);
  const share = ((cpuSecOf(pid) - cpuSec) / IDLE_SEC) * 100;
  console.log(
    `idle: ${share.toFixed(2)} % of a core, RSS ${rssMib(pid).toFixed(0)} MiB, anonymous ${rssAnonMib(pid).toFixed(0)} MiB`,
  );
  console.log(`list p95: ${(await listP95Ms(server)).toFixed(1)} ms`);
  await server.stop();
} finally {
  await endForgottenProcesses();
  removeTmpFolders();
}
process.exit(0);
