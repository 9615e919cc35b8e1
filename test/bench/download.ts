// A download from libtorrent seeders on loopback to tmpfs, verified: TorrX and libtorrent in turn, the same seeders for
// both. Run it in a private network namespace, on a quiet machine:
//   unshare -n bun test/bench/download.ts [--mib 1024,4096] [--seeders 1,30] [--rounds 5] [--only torrx]
// Bars (PRODUCT §7): MB/s ≥ 1.0 × libtorrent's at ≤ 0.8 × its CPU s/GB; aim 1.3 × and 0.6 ×.

import { mkdtempSync, rmSync } from "node:fs";
import { parseArgs } from "node:util";
import { type SeederSwarm, startSeederSwarm } from "../support/actors/libtorrent.ts";
import { isIsolated } from "../support/namespace.ts";
import { endForgottenProcesses } from "../support/process.ts";
import { randomFile } from "../support/random-file.ts";
import { removeTmpFolders } from "../support/tmp.ts";
import { type MadeTorrent, makeTorrent, sha256OfFile } from "../support/torrent-maker.ts";
import { cpuSecOf, MemoryWatch, median, medianAndRange } from "./process-figures.ts";
import { RECEIVERS, type ReceiverName } from "./receivers.ts";

const MIB = 1024 * 1024;
const PIECE_BYTES = MIB;
/** After the last piece, so that what is still being written counts as well. */
const SETTLE_MS = 250;
const SLOWEST_BYTES_PER_MS = 10_000;

interface Figures {
  readonly mbPerSec: number;
  readonly cpuSecPerGb: number;
  readonly peakRssMib: number;
  readonly seedersCpuSecPerGb: number;
}

interface Case {
  readonly torrent: MadeTorrent;
  readonly sha256: string;
  readonly seeders: SeederSwarm;
  /** Folder of the receivers. */
  readonly place: string;
}

async function measure(name: ReceiverName, { torrent, sha256, seeders, place }: Case): Promise<Figures> {
  const receiver = await RECEIVERS[name](torrent, place);
  const processes = [receiver.pid, seeders.process.pid];
  const memory = new MemoryWatch(receiver.pid);
  const before = processes.map(cpuSecOf);
  const startMs = performance.now();
  await receiver.download(seeders.peers, 10_000 + torrent.lengthBytes / SLOWEST_BYTES_PER_MS);
  const sec = (performance.now() - startMs) / 1000;
  await Bun.sleep(SETTLE_MS);
  memory.stop();
  const gb = torrent.lengthBytes / 1e9;
  const [own = 0, theirs = 0] = processes.map((pid, i) => (cpuSecOf(pid) - (before[i] ?? 0)) / gb);
  if ((await sha256OfFile(receiver.file)) !== sha256) throw new Error(`${name} wrote wrong bytes`);
  await receiver.stop();
  return {
    mbPerSec: (gb * 1000) / sec,
    cpuSecPerGb: own,
    peakRssMib: memory.peakMib,
    seedersCpuSecPerGb: theirs,
  };
}

/** Every receiver once per round; who goes first alternates. */
async function inTurn(
  one: Case,
  names: readonly ReceiverName[],
  rounds: number,
): Promise<Map<ReceiverName, Figures[]>> {
  const results = new Map<ReceiverName, Figures[]>(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      results.get(name)?.push(await measure(name, one));
    }
  }
  return results;
}

function print(results: ReadonlyMap<ReceiverName, readonly Figures[]>): void {
  const columns = [
    { title: "MB/s", key: "mbPerSec", digits: 0, width: 18 },
    { title: "CPU s/GB", key: "cpuSecPerGb", digits: 2, width: 18 },
    { title: "peak anon MiB", key: "peakRssMib", digits: 0, width: 18 },
    { title: "seeders' CPU s/GB", key: "seedersCpuSecPerGb", digits: 2, width: 0 },
  ] as const;
  const row = (label: string, cell: (column: (typeof columns)[number]) => string) =>
    console.log(
      `  ${label.padEnd(12)}${columns.map((column) => cell(column).padEnd(column.width)).join("")}`,
    );
  row("", (column) => column.title);
  for (const [name, rounds] of results) {
    row(name, ({ key, digits }) =>
      medianAndRange(
        rounds.map((figures) => figures[key]),
        digits,
      ),
    );
  }
  const [ours, theirs] = [results.get("torrx"), results.get("libtorrent")];
  if (ours === undefined || theirs === undefined) return;
  const of = (list: readonly Figures[], key: keyof Figures) => median(list.map((figures) => figures[key]));
  row("ratio", ({ key }) => `${(of(ours, key) / of(theirs, key)).toFixed(2)} ×`);
}

function readArguments() {
  const { values } = parseArgs({
    options: {
      mib: { type: "string", default: "1024,4096" },
      seeders: { type: "string", default: "1,30" },
      rounds: { type: "string", default: "5" },
      only: { type: "string" },
    },
  });
  const names = (Object.keys(RECEIVERS) as ReceiverName[]).filter((name) => name === (values.only ?? name));
  if (names.length === 0) throw new Error(`--only takes ${Object.keys(RECEIVERS).join(" or ")}`);
  const numbers = (text: string) => text.split(",").map(Number);
  return {
    names,
    sizesMib: numbers(values.mib),
    seeders: numbers(values.seeders),
    rounds: Number(values.rounds),
  };
}

const wanted = readArguments();
if (!isIsolated()) throw new Error("run it in a private network namespace: unshare -n …");
const place = mkdtempSync("/dev/shm/torrx-bench-");
process.env["TMPDIR"] = place;
try {
  for (const sizeMib of wanted.sizesMib) {
    const file = randomFile(sizeMib * MIB, "film.bin");
    const torrent = await makeTorrent(file, { pieceBytes: PIECE_BYTES });
    const sha256 = await sha256OfFile(file);
    for (const count of wanted.seeders) {
      console.log(`\n${sizeMib} MiB, seeders: ${count}, rounds: ${wanted.rounds}; median (least–most)`);
      const { torrentPath, dataFolder: saveFolder } = torrent;
      const seeders = await startSeederSwarm({ torrentPath, saveFolder, count });
      print(await inTurn({ torrent, sha256, seeders, place }, wanted.names, wanted.rounds));
      await seeders.stop();
    }
    rmSync(file);
  }
} finally {
  await endForgottenProcesses();
  removeTmpFolders();
  rmSync(place, { recursive: true, force: true });
}
