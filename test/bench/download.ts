// 1 GiB from one libtorrent seeder on loopback to tmpfs, verified: TorrX and libtorrent in turn. Run in a private
// network namespace: bun test/bench/download.ts [MiB] [rounds]. Prints MB/s, CPU s/GB and RSS of the receiver.

import { createHash } from "node:crypto";
import { createReadStream, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { LibtorrentPeer } from "../support/actors/libtorrent.ts";
import { makeTorrent } from "../support/torrent-maker.ts";
import { Torrx } from "../support/torrx.ts";

const MIB = 1024 * 1024;
const sizeMib = Number(process.argv[2] ?? 1024);
const rounds = Number(process.argv[3] ?? 3);
const folder = mkdtempSync("/dev/shm/torrx-bench-");

interface Figures {
  readonly mbPerSec: number;
  readonly cpuSecPerGb: number;
  readonly rssMib: number;
}

/** User and system seconds of a process with its threads, and its peak RSS. */
function usageOf(pid: number): { cpuSec: number; rssMib: number } {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const anonymousKib = Number(/RssAnon:\s+(\d+)/.exec(status)?.[1] ?? 0);
  return { cpuSec: (Number(stat[11]) + Number(stat[12])) / 100, rssMib: anonymousKib / 1024 };
}

function makeData(): string {
  const path = join(folder, "seed", "data.bin");
  mkdirSync(join(folder, "seed"));
  const file = openSync(path, "w");
  const block = new Uint8Array(MIB);
  for (let at = 0; at < sizeMib; at++) {
    for (let offset = 0; offset < MIB; offset += 65_536)
      crypto.getRandomValues(block.subarray(offset, offset + 65_536));
    writeSync(file, block);
  }
  return path;
}

async function sha256(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array);
  return hash.digest("hex");
}

const dataPath = makeData();
const torrent = await makeTorrent(dataPath, { pieceBytes: MIB });
const expected = await sha256(dataPath);

async function torrx(round: number): Promise<Figures> {
  const seeder = await LibtorrentPeer.start({
    torrentPath: torrent.torrentPath,
    saveFolder: torrent.dataFolder,
    seed: true,
  });
  const target = join(folder, `torrx-${round}`);
  mkdirSync(target);
  const server = await Torrx.start({ folder: target });
  await server.call("GET", "/api/status");
  const before = usageOf(server.process.pid);
  const startMs = performance.now();
  await server.upload(torrent.bytes);
  await server.call("POST", "/api/torrents", { magnet: torrent.magnet([seeder.peer]) });
  await server.waitFor(torrent.infoHash, (body) => body.progress === 1, {
    withinMs: 120_000,
    what: "the download",
  });
  const sec = (performance.now() - startMs) / 1000;
  const after = usageOf(server.process.pid);
  if ((await sha256(join(server.downloads, torrent.name))) !== expected) throw new Error("wrong bytes");
  await server.stop();
  await seeder.stop();
  rmSync(target, { recursive: true });
  return figures(sec, after.cpuSec - before.cpuSec, after.rssMib);
}

async function libtorrent(round: number): Promise<Figures> {
  const seeder = await LibtorrentPeer.start({
    torrentPath: torrent.torrentPath,
    saveFolder: torrent.dataFolder,
    seed: true,
  });
  const target = join(folder, `libtorrent-${round}`);
  mkdirSync(target);
  const startMs = performance.now();
  const leecher = await LibtorrentPeer.start({
    torrentPath: torrent.torrentPath,
    saveFolder: target,
    peers: [{ host: seeder.host, port: seeder.port }],
  });
  await leecher.waitForComplete(120_000);
  const sec = (performance.now() - startMs) / 1000;
  const after = usageOf(leecher.process.pid);
  await leecher.stop();
  await seeder.stop();
  rmSync(target, { recursive: true });
  return figures(sec, after.cpuSec, after.rssMib);
}

function figures(sec: number, cpuSec: number, rssMib: number): Figures {
  const gb = (sizeMib * MIB) / 1e9;
  return { mbPerSec: (gb * 1000) / sec, cpuSecPerGb: cpuSec / gb, rssMib };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

const results: Record<string, Figures[]> = { torrx: [], libtorrent: [] };
try {
  for (let round = 0; round < rounds; round++) {
    results["torrx"]!.push(await torrx(round));
    results["libtorrent"]!.push(await libtorrent(round));
  }
  for (const [name, list] of Object.entries(results)) {
    const of = (key: keyof Figures) => list.map((entry) => entry[key]);
    console.log(
      `${name.padEnd(10)} ${median(of("mbPerSec")).toFixed(0)} MB/s (${of("mbPerSec")
        .map((value) => value.toFixed(0))
        .join(", ")}), ` +
        `${median(of("cpuSecPerGb")).toFixed(2)} CPU s/GB, RSS anon ${median(of("rssMib")).toFixed(0)} MiB`,
    );
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exit(0);
