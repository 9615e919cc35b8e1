// Fetches 1 GiB from one libtorrent seeder on loopback through the wire alone: no hashing, no disk. Prints MB/s from
// the first unchoke, the CPU seconds per GB of this process, and its RSS. Run in a network namespace of its own:
//   unshare -n sh -c 'ip link set lo up; exec bun test/bench/wire-receive.ts'

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { dialPeer } from "../../src/wire/index.ts";
import { identityFor, readTorrent, startLibtorrent, TestLeecher, wireDeps } from "../e2e/wire-libtorrent.ts";

const MEBIBYTES = Number(process.argv[2] ?? 1024);
const ROUNDS = Number(process.argv[3] ?? 3);
const OUTSTANDING = 200;
const MEMORY_BYTES = 64 << 20;

const directory = await mkdtemp(join(tmpdir(), "torrx-bench-"));
const seeder = startLibtorrent("seed", directory, String(MEBIBYTES));
try {
  const { port = 0 } = await seeder.said();
  const torrent = await readTorrent(join(directory, "data.torrent"));
  for (let round = 0; round < ROUNDS; round++) {
    const leecher = new TestLeecher(torrent, new Uint8Array(MEMORY_BYTES), OUTSTANDING);
    const cpuBefore = process.cpuUsage();
    const startedMs = performance.now();
    const link = await dialPeer(wireDeps, {
      address: { host: "127.0.0.1", port },
      timeoutMs: 5000,
      signal: new AbortController().signal,
      identity: identityFor(torrent),
      createHandler: (made) => {
        leecher.link = made;
        return leecher;
      },
    });
    const outcome = await leecher.done.promise;
    const seconds = (performance.now() - startedMs) / 1000;
    const cpu = process.cpuUsage(cpuBefore);
    link.close("done");
    const gigabytes = torrent.totalBytes / 1e9;
    console.log(
      JSON.stringify({
        round,
        outcome,
        megabytesPerSec: Math.round(torrent.totalBytes / 1e6 / seconds),
        cpuSecPerGB: Number(((cpu.user + cpu.system) / 1e6 / gigabytes).toFixed(2)),
        userSecPerGB: Number((cpu.user / 1e6 / gigabytes).toFixed(2)),
        rssMB: Math.round(process.memoryUsage.rss() / 1e6),
      }),
    );
  }
} finally {
  await seeder.close();
  await rm(directory, { recursive: true });
}
