// Viewers who cannot decide: seeks at random, gives up, changes the sound. There are never more programs than the limits
// say, memory and disk stay bounded, and nothing outlives its viewers or its server, however that ends.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LIMITS } from "../../src/base/limits.ts";
import { makeFilm } from "../support/film.ts";
import { FilmSwarm } from "../support/film-swarm.ts";
import type { HlsViewer, ViewedRendition } from "../support/hls-viewer.ts";
import { describeIsolated } from "../support/namespace.ts";
import { isRunning, mediaPrograms, ProgramWatch } from "../support/program-watch.ts";

const SEED = Number(process.env["TORRX_TEST_SEED"] ?? Math.floor(Math.random() * 2 ** 32));
const TRACKS = 5;
const SEEKS = 50;
const ABORTS = 20;
const MIB = 1024 * 1024;
const RAM_TOTAL_MIB = 64;
/** Pieces in the making. */
const ARENA_MIB = 64;
/** Segments that were sent at some hundred megabytes a second and are not swept up yet. */
const UNCOLLECTED_MIB = 256;
/** One reads what the film is made of, one tries how fast the machine is. */
const OTHER_PROGRAMS = 2;
/** Of what a viewer asks for, at most. */
const PATIENCE_MS = 400;
const GONE_MS = 3_000;
/** As segments are called that did not fit into memory. */
const LEFT_NAME = "0123456789abcdef-7.hls";

interface Watcher {
  readonly viewer: HlsViewer;
  readonly video: ViewedRendition;
  readonly audio: readonly ViewedRendition[];
}

let swarm: FilmSwarm;

/** mulberry32: the same storm for the same seed. */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

async function watcherOf(audio: number): Promise<Watcher> {
  const viewer = await swarm.open({ audio });
  const tracks = Array.from({ length: TRACKS }, (_, track) => viewer.audio(track));
  return { viewer, video: await viewer.video(), audio: await Promise.all(tracks) };
}

/** Picture and sound at one place; with a patience it is given up when that is over. */
async function seek(watcher: Watcher, place: number, track: number, patienceMs?: number): Promise<void> {
  const { viewer, video, audio } = watcher;
  const signal = patienceMs === undefined ? undefined : AbortSignal.timeout(patienceMs);
  const renditions = [video, audio[track] ?? video];
  const uris = renditions.map(({ segments }) => segments[Math.floor(place * segments.length)]?.uri ?? "");
  const loads = await Promise.allSettled(uris.map((uri) => viewer.bytes(uri, signal)));
  for (const load of loads) {
    if (load.status === "rejected" && signal?.aborted !== true) throw load.reason;
    if (load.status === "fulfilled") expect(load.value.length).toBeGreaterThan(1_000);
  }
}

async function until(what: string, isSo: () => boolean, withinMs: number): Promise<void> {
  const endMs = performance.now() + withinMs;
  while (!isSo()) {
    if (performance.now() > endMs) throw new Error(`${what}: not in ${withinMs} ms`);
    await Bun.sleep(20);
  }
}

const tempFolder = () => join(swarm.server.folder, "data", "tmp");

function filesBelow(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
}

describeIsolated("viewers who cannot decide", () => {
  beforeAll(async () => {
    const film = await makeFilm("Film", {
      durationSec: 120,
      // More than segments may take of the memory.
      bitsPerSec: 6_000_000,
      audio: Array.from({ length: TRACKS }, (_, track) => ({ hertz: 300 + 100 * track, language: "eng" })),
    });
    swarm = await FilmSwarm.start(film, { uploadLimit: 6_000_000 });
    const settings = { ram_buffer_mb: RAM_TOTAL_MIB, ram_total_mb: RAM_TOTAL_MIB };
    expect((await swarm.server.call("PUT", "/api/settings", settings)).status).toBe(200);
    await swarm.connect();
  }, 60_000);
  afterAll(() => swarm?.stop());

  test("a server that is killed leaves no program, and the next one begins with an empty folder", async () => {
    const { process: child } = swarm.server;
    const watchers = await Promise.all([0, 1].map(watcherOf));
    await Promise.all(watchers.map((watcher, track) => seek(watcher, 0.1 + 0.5 * track, track)));
    const programs = mediaPrograms(child.pid);
    expect(programs.length).toBeGreaterThan(1);
    child.signal("SIGKILL");
    await child.waitForExit();
    await until("programs gone", () => !programs.some(isRunning), GONE_MS);

    mkdirSync(join(tempFolder(), "hls"), { recursive: true });
    writeFileSync(join(tempFolder(), "hls", LEFT_NAME), "of an earlier life");
    await swarm.startAgain();
    await until("an empty folder", () => filesBelow(tempFolder()).length === 0, GONE_MS);
    const again = await watcherOf(0);
    await seek(again, 0.5, 0);
    await again.viewer.end();
    await until("no programs", () => mediaPrograms(swarm.server.process.pid).length === 0, GONE_MS);
  }, 60_000);

  test("a server that stops has ended its programs and emptied its folder", async () => {
    const watcher = await watcherOf(2);
    await seek(watcher, 0.2, 2);
    const programs = mediaPrograms(swarm.server.process.pid);
    expect(programs.length).toBeGreaterThan(0);
    const stoppedMs = performance.now();
    expect(await swarm.server.process.stop("SIGTERM", 10_000)).toBe(0);
    expect(performance.now() - stoppedMs).toBeLessThan(5_000);
    expect(programs.filter(isRunning)).toEqual([]);
    expect(filesBelow(tempFolder())).toEqual([]);
    await swarm.startAgain();
  }, 60_000);

  test("fifty seeks of four viewers stay within every bound, and nothing is left when they go", async () => {
    console.log(`seed ${SEED}`);
    const random = randomOf(SEED);
    const { pid } = swarm.server.process;
    const watchers = await Promise.all([0, 1, 2, 3].map(watcherOf));
    const watch = new ProgramWatch(pid, tempFolder());
    const idleMib = watch.peak.rssMib;
    const places = Array.from({ length: SEEKS }, (_, at) => {
      const patienceMs = at % 5 < (5 * ABORTS) / SEEKS ? random(PATIENCE_MS) : undefined;
      return { place: random(1_000) / 1_000, track: random(TRACKS), patienceMs };
    });
    const beganMs = performance.now();
    await Promise.all(
      watchers.map(async (watcher, own) => {
        for (const { place, track, patienceMs } of places.filter((_, at) => at % watchers.length === own)) {
          await seek(watcher, place, track, patienceMs);
        }
      }),
    );
    const stormSec = (performance.now() - beganMs) / 1_000;
    await Promise.all(watchers.map(({ viewer }) => viewer.end()));
    await until("no programs", () => mediaPrograms(pid).length === 0, GONE_MS);
    const peak = watch.stop();
    console.log(
      `${SEEKS} seeks, ${ABORTS} given up, in ${stormSec.toFixed(1)} s: at most ${peak.runs} runs, ` +
        `RSS ${idleMib.toFixed(0)} → ${peak.rssMib.toFixed(0)} MiB, ${(peak.tempBytes / MIB).toFixed(1)} MiB of files`,
    );
    expect(peak.runs).toBeGreaterThan(3);
    expect(peak.runs).toBeLessThanOrEqual(LIMITS.runs.cheapAtOnce);
    expect(peak.programs).toBeLessThanOrEqual(LIMITS.runs.cheapAtOnce + OTHER_PROGRAMS);
    expect(peak.tempBytes).toBeLessThanOrEqual(LIMITS.hls.diskBytes);
    const capsMib = RAM_TOTAL_MIB + LIMITS.hls.memoryBytes / MIB;
    expect(peak.rssMib).toBeLessThan(idleMib + ARENA_MIB + 1.15 * capsMib + UNCOLLECTED_MIB);
  }, 90_000);
});
