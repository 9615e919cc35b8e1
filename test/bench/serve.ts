// Bytes over HTTP. In a private network namespace with nginx and g++:
//   bun test/bench/serve.ts [MiB=1024] [rounds=5]    a complete file, the real server beside nginx, turn about
//   bun test/bench/serve.ts window [MiB=4096]        a window's bytes while its download runs at full speed
// Bars (PRODUCT §7): complete file ≥ 0.8 × nginx; 4 KiB ranges p50 and p99 ≤ 3 × nginx; from a window p99 < 10 ms with
// a loop lag p99 < 10 ms.

import { randomFillSync } from "node:crypto";
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { isIsolated } from "../support/namespace.ts";
import { endForgottenProcesses } from "../support/process.ts";
import { removeTmpFolders } from "../support/tmp.ts";
import { HttpLoad } from "./http-load.ts";
import {
  type Contender,
  cpuSecOf,
  downloadPath,
  rssMibOf,
  startNginx,
  startTorrx,
} from "./serve-contenders.ts";
import { measureWindow } from "./serve-window.ts";

const MIB = 1024 * 1024;
const RANGE_REQUESTS = 20_000;

/** One figure of each contender, per round. */
class Column {
  readonly #samples = new Map<string, number[]>();

  add(name: string, value: number): void {
    this.#samples.set(name, [...(this.#samples.get(name) ?? []), value]);
  }

  median(name: string): number {
    const values = (this.#samples.get(name) ?? []).toSorted((a, b) => a - b);
    return values[Math.floor(values.length / 2)] ?? Number.NaN;
  }

  /** The median, and how many times nginx's it is. */
  tell(name: string, digits: number): string {
    const value = this.median(name);
    return `${value.toFixed(digits).padStart(7)} (${(value / this.median("nginx")).toFixed(2)}×)`;
  }
}

interface Bench {
  readonly load: HttpLoad;
  readonly contenders: readonly Contender[];
  readonly file: string;
  readonly lengthBytes: number;
  readonly rounds: number;
}

/** Every contender once per round, in an order that turns; the round before the first warms up. */
async function inTurn(
  bench: Bench,
  measure: (one: Contender, round: number) => Promise<void>,
): Promise<void> {
  const { contenders, rounds } = bench;
  for (let round = 0; round <= rounds; round++) {
    for (let i = 0; i < contenders.length; i++) {
      await measure(contenders[(i + round) % contenders.length]!, round);
    }
  }
}

async function compareWhole(bench: Bench, connections: number): Promise<void> {
  const rate = new Column();
  const cpu = new Column();
  await inTurn(bench, async ({ name, pid, place }, round) => {
    const before = cpuSecOf(pid);
    const { bytes, sec } = await bench.load.whole(place, connections);
    if (bytes !== bench.lengthBytes * connections) throw new Error(`${name} sent ${bytes} bytes`);
    if (round === 0) return;
    rate.add(name, bytes / 1e6 / sec);
    cpu.add(name, ((cpuSecOf(pid) - before) * 1e9) / bytes);
  });
  console.log(`\nwhole file, ${connections} at once`);
  for (const { name } of bench.contenders) {
    console.log(`  ${name.padEnd(6)} MB/s ${rate.tell(name, 0)}   CPU s/GB ${cpu.tell(name, 3)}`);
  }
}

async function compareRanges(bench: Bench, connections: number): Promise<void> {
  const columns = { p50: new Column(), p99: new Column(), cpu: new Column() };
  await inTurn(bench, async ({ name, pid, place }, round) => {
    const before = cpuSecOf(pid);
    const figures = await bench.load.ranges(place, {
      connections,
      requests: RANGE_REQUESTS,
      file: bench.file,
      spanBytes: bench.lengthBytes,
      seed: round + 1,
    });
    if (round === 0) return;
    columns.p50.add(name, figures.p50Us);
    columns.p99.add(name, figures.p99Us);
    columns.cpu.add(name, ((cpuSecOf(pid) - before) * 1e6) / figures.requests);
  });
  console.log(`\n4 KiB random ranges, ${connections} keep-alive connections, ${RANGE_REQUESTS} requests`);
  for (const { name } of bench.contenders) {
    const { p50, p99, cpu } = columns;
    console.log(
      `  ${name.padEnd(6)} p50 µs ${p50.tell(name, 0)}   p99 µs ${p99.tell(name, 0)}   CPU µs ${cpu.tell(name, 0)}`,
    );
  }
}

function writeData(path: string, lengthMib: number): void {
  const block = randomFillSync(Buffer.alloc(MIB));
  const file = openSync(path, "w");
  for (let at = 0; at < lengthMib; at++) {
    randomFillSync(block, 0, 4096);
    writeSync(file, block);
  }
  closeSync(file);
}

async function compareComplete(folder: string, lengthMib: number, rounds: number): Promise<void> {
  const file = downloadPath(`${folder}/torrx`, "film.bin");
  writeData(file, lengthMib);
  const nginx = await startNginx(`${folder}/nginx`, file);
  const torrx = await startTorrx(`${folder}/torrx`, file);
  const load = await HttpLoad.compile();
  const bench = { load, file, lengthBytes: lengthMib * MIB, rounds };
  for (const connections of [1, 8]) {
    // By link or by login is all the same to a whole file.
    await compareWhole({ ...bench, contenders: [nginx, torrx[0]] }, connections);
  }
  for (const connections of [1, 8])
    await compareRanges({ ...bench, contenders: [nginx, ...torrx] }, connections);
  console.log(`\nanonymous memory: nginx ${rssMibOf(nginx.pid)} MiB, TorrX ${rssMibOf(torrx[0].pid)} MiB`);
}

const [mode = "", ...numbers] = process.argv.slice(2);
if (!isIsolated()) throw new Error("run it in a private network namespace: unshare -n …");
const folder = mkdtempSync("/dev/shm/torrx-serve-");
try {
  if (mode === "window") {
    const seed = `${folder}/seed`;
    mkdirSync(seed);
    const lengthMib = Number(numbers[0] ?? 4096);
    writeData(`${seed}/film.bin`, lengthMib);
    await measureWindow(folder, `${seed}/film.bin`);
  } else await compareComplete(folder, Number(mode || 1024), Number(numbers[0] ?? 5));
} finally {
  await endForgottenProcesses();
  removeTmpFolders();
  rmSync(folder, { recursive: true, force: true });
}
process.exit(0);
