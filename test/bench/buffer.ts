// The RAM buffer with slow viewers. In a private network namespace, on a quiet machine:
//   unshare -n bun test/bench/buffer.ts [memory] [--streams 1,4,16] [--mib 2048] [--sec 30]
//     how much memory the process takes; in the middle of each run both sizes are halved, and no stream may break
//   unshare -n bun test/bench/buffer.ts beside [--rounds 5] [--download-mib 1024]
//     the speed of a download beside 16 streams of which 12 have stopped reading, and without any
// Bars (PRODUCT §3.3): RSS ≤ (base + cap) + 15 %, base = idle RSS with the same torrents + arena. Beside: within 10 %.

import { mkdtempSync, rmSync } from "node:fs";
import { parseArgs } from "node:util";
import { isIsolated } from "../support/namespace.ts";
import { endForgottenProcesses } from "../support/process.ts";
import { randomFile } from "../support/random-file.ts";
import { removeTmpFolders } from "../support/tmp.ts";
import { BufferServer, type Film, makeFilm, type StatusBody, startSeeder } from "./buffer-server.ts";
import { MemoryWatch, median, medianAndRange, rssMib } from "./process-figures.ts";
import type { SlowReader } from "./slow-reader.ts";

const MIB = 1024 * 1024;
const ARENA_MIB = 64;
const SIZES = { ram_buffer_mb: 64, ram_total_mb: 256 };
const HALVED = { ram_buffer_mb: 32, ram_total_mb: 128 };
const PACE_BYTES_PER_SEC = MIB;
/** Enough for 16 viewers and their windows, not enough to complete the film while it is measured. */
const FILM_BYTES_PER_SEC = 30e6;
const STREAMS_BESIDE = { count: 16, stopping: 12, bytesPerSec: PACE_BYTES_PER_SEC };
const FILL_MS = 15_000;
const SETTLE_MS = 2_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    streams: { type: "string", default: "1,4,16" },
    mib: { type: "string", default: "2048" },
    sec: { type: "string", default: "30" },
    rounds: { type: "string", default: "5" },
    "download-mib": { type: "string", default: "1024" },
  },
});

/** Lets time pass; any stream that broke ends the run. */
async function stay(readers: readonly SlowReader[], ms: number): Promise<void> {
  await Bun.sleep(ms);
  for (const reader of readers) reader.check();
}

function tellStreams({ ram, streams, warnings }: StatusBody, readers: readonly SlowReader[]): void {
  const windows = streams.map((stream) => stream.window);
  const of = (key: keyof (typeof windows)[number], unit: number, digits: number) =>
    medianAndRange(
      windows.map((window) => window[key] / unit),
      digits,
    );
  const received = readers.map((reader) => reader.receivedBytes / MIB);
  console.log(`    ram used ${(ram.used / MIB).toFixed(0)} of ${(ram.cap / MIB).toFixed(0)} MiB`);
  console.log(`    windows: ${of("bytes", MIB, 1)} MiB, hit rate ${of("hit_rate", 1, 3)}`);
  console.log(`    ahead ${of("ahead_sec", 1, 0)} s, behind ${of("behind_sec", 1, 0)} s`);
  console.log(`    received by each: ${medianAndRange(received, 1)} MiB, and nothing else than the file`);
  if (warnings.length > 0) console.log(`    warnings: ${warnings.map(({ code }) => code).join(", ")}`);
}

function tellMemory(label: string, peakMib: number, baseMib: number, capMib: number): void {
  const boundMib = (baseMib + capMib) * 1.15;
  const verdict = peakMib <= boundMib ? "within" : "OVER";
  const sum = `base ${baseMib.toFixed(0)} + cap ${capMib} + 15 % = ${boundMib.toFixed(0)}`;
  console.log(`  ${label}: peak RSS ${peakMib.toFixed(0)} MiB, ${verdict} ${sum}`);
}

async function measureMemory(film: Film, place: string, count: number, ms: number): Promise<void> {
  console.log(`\n${count} slow viewers`);
  const seeder = await startSeeder(film, FILM_BYTES_PER_SEC);
  const server = await BufferServer.start(place, SIZES);
  const { pid } = server.torrx.process;
  await server.add(film, "all");
  await Bun.sleep(SETTLE_MS);
  const baseMib = rssMib(pid) + ARENA_MIB;
  await server.connect(film, seeder);
  const readers = server.watch(film, { count, bytesPerSec: PACE_BYTES_PER_SEC });
  for (const [label, sizes] of Object.entries({ full: SIZES, halved: HALVED })) {
    await server.set(sizes);
    // What the halving gives back takes a moment; the peak is that of the time after it.
    if (sizes === HALVED) await stay(readers, SETTLE_MS);
    const memory = new MemoryWatch(pid, rssMib);
    await stay(readers, ms);
    memory.stop();
    tellMemory(label, memory.peakMib, baseMib, sizes.ram_total_mb);
    tellStreams(await server.status(), readers);
  }
  await server.stop();
  await seeder.stop();
}

/** MB/s of `wanted`, while `film` is watched or only there. */
async function speedBeside(
  place: string,
  { film, wanted, isWatched }: { film: Film; wanted: Film; isWatched: boolean },
): Promise<number> {
  const seeders = [await startSeeder(film, FILM_BYTES_PER_SEC), await startSeeder(wanted)] as const;
  const server = await BufferServer.start(place, SIZES);
  await server.add(film, "watched");
  await server.connect(film, seeders[0]);
  const readers = isWatched ? server.watch(film, STREAMS_BESIDE) : [];
  // The windows are full before the clock runs; without viewers the server is as old as with them.
  await stay(readers, FILL_MS);
  await server.add(wanted, "all");
  const startMs = performance.now();
  await server.connect(wanted, seeders[1]);
  await server.waitForComplete(wanted, 120_000);
  const sec = (performance.now() - startMs) / 1000;
  await stay(readers, 0);
  if (isWatched) tellStreams(await server.status(), readers);
  await server.stop();
  for (const seeder of seeders) await seeder.stop();
  return wanted.torrent.lengthBytes / 1e6 / sec;
}

async function measureBeside(film: Film, place: string): Promise<void> {
  const wanted = await makeFilm(randomFile(Number(values["download-mib"]) * MIB, "wanted.bin"));
  const speeds = { alone: [] as number[], beside: [] as number[] };
  for (let round = 0; round < Number(values.rounds); round++) {
    const turns = [false, true];
    for (const isWatched of round % 2 === 0 ? turns : turns.toReversed()) {
      speeds[isWatched ? "beside" : "alone"].push(await speedBeside(place, { film, wanted, isWatched }));
    }
  }
  console.log(`\na download, MB/s: alone ${medianAndRange(speeds.alone, 0)}`);
  console.log(`  beside 16 streams, 12 of them stopped: ${medianAndRange(speeds.beside, 0)}`);
  console.log(`  ratio ${(median(speeds.beside) / median(speeds.alone)).toFixed(2)} × (bar 0.90)`);
}

const [mode = "memory"] = positionals;
if (mode !== "memory" && mode !== "beside") throw new Error(`"${mode}" is neither memory nor beside`);
if (!isIsolated()) throw new Error("run it in a private network namespace: unshare -n …");
const place = mkdtempSync("/dev/shm/torrx-buffer-");
process.env["TMPDIR"] = place;
try {
  const film = await makeFilm(randomFile(Number(values.mib) * MIB, "film.bin"));
  if (mode === "beside") await measureBeside(film, place);
  else {
    for (const count of values.streams.split(",").map(Number)) {
      await measureMemory(film, place, count, (Number(values.sec) * 1000) / 2);
    }
  }
} finally {
  await endForgottenProcesses();
  removeTmpFolders();
  rmSync(place, { recursive: true, force: true });
}
