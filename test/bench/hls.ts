// What a viewer of HLS costs and waits for when the picture is copied. In a private network namespace:
//   bun test/bench/hls.ts [seconds of film watched=40]
// Bars: server and ffmpeg together ≤ 10 % of a core for a 1080p film at its own pace; a seek ≤ 1 s.

import { makeFilm } from "../support/film.ts";
import { FilmSwarm } from "../support/film-swarm.ts";
import type { HlsViewer, ViewedRendition } from "../support/hls-viewer.ts";
import { isIsolated } from "../support/namespace.ts";
import { endForgottenProcesses } from "../support/process.ts";
import { cpuSecWithPrograms } from "../support/program-watch.ts";
import { removeTmpFolders } from "../support/tmp.ts";
import { medianAndRange, rssMib } from "./process-figures.ts";

const DURATION_SEC = 300;
const BITS_PER_SEC = 8_000_000;
const IDLE_MS = 5_000;
/** What a player has in its buffer before it loads at the film's own pace. */
const BUFFERED_SEGMENTS = 4;
/** Further apart than a run goes ahead. */
const SEEK_PLACES = [0.35, 0.5, 0.65, 0.8, 0.95];

interface Watching {
  readonly viewer: HlsViewer;
  readonly renditions: readonly ViewedRendition[];
}

/** Picture and sound of one place; how long it took. */
async function load({ viewer, renditions }: Watching, place: number): Promise<number> {
  const startMs = performance.now();
  const sec = place * DURATION_SEC;
  const uris = renditions.map(({ segments }) => {
    return segments.find(({ startSec, durationSec }) => startSec + durationSec > sec)?.uri ?? "";
  });
  await Promise.all(uris.map((uri) => viewer.bytes(uri)));
  return performance.now() - startMs;
}

async function open(swarm: FilmSwarm): Promise<{ watching: Watching; startMs: number }> {
  const beganMs = performance.now();
  const viewer = await swarm.open();
  const renditions = await Promise.all([viewer.video(), viewer.audio(0)]);
  await Promise.all(renditions.map(({ initUri }) => viewer.bytes(initUri)));
  const watching = { viewer, renditions };
  await load(watching, 0);
  return { watching, startMs: performance.now() - beganMs };
}

/** Cores that the server takes while nobody watches. */
async function idleCores(pid: number): Promise<number> {
  const before = cpuSecWithPrograms(pid);
  await Bun.sleep(IDLE_MS);
  const after = cpuSecWithPrograms(pid);
  return ((after.server - before.server) * 1_000) / IDLE_MS;
}

/** Loads as a player does: a buffer first, then each segment when the film has come to it. */
async function watch(watching: Watching, pid: number, watchedSec: number): Promise<void> {
  const before = cpuSecWithPrograms(pid);
  const beganMs = performance.now();
  const latenciesMs: number[] = [];
  const segmentSec = 4;
  const total = watchedSec / segmentSec;
  for (let at = 0; at < total + BUFFERED_SEGMENTS; at++) {
    const dueMs = beganMs + Math.max(0, at - BUFFERED_SEGMENTS) * segmentSec * 1_000;
    await Bun.sleep(Math.max(0, dueMs - performance.now()));
    latenciesMs.push(await load(watching, ((at + 0.5) * segmentSec) / DURATION_SEC));
  }
  const tookSec = (performance.now() - beganMs) / 1_000;
  const after = cpuSecWithPrograms(pid);
  const percent = (sec: number) => `${((sec / tookSec) * 100).toFixed(1)} %`;
  const [server, programs] = [after.server - before.server, after.programs - before.programs];
  console.log(
    `copy of 1080p, ${BITS_PER_SEC / 1e6} Mbit/s, at its own pace for ${tookSec.toFixed(0)} s: ` +
      `${percent(server + programs)} of a core (server ${percent(server)}, ffmpeg ${percent(programs)}), RSS ${rssMib(pid).toFixed(0)} MiB`,
  );
  console.log(`segments ms ${medianAndRange(latenciesMs, 0)}`);
}

const watchedSec = Number(process.argv[2] ?? 40);
if (!isIsolated()) throw new Error("run it in a private network namespace: unshare -n …");
let swarm: FilmSwarm | undefined;
try {
  const film = await makeFilm("Film", {
    durationSec: DURATION_SEC,
    bitsPerSec: BITS_PER_SEC,
    size: "1920x1080",
    audio: [{ hertz: 440, language: "eng", codec: ["-c", "ac3", "-b", "448k", "-ac", "6"] }],
  });
  swarm = await FilmSwarm.start(film, { uploadLimit: 0, pieceBytes: 1 << 20 });
  const { pid } = swarm.server.process;
  await swarm.connect();
  await swarm.waitForShare(1, 60_000);
  console.log(
    `idle: ${((await idleCores(pid)) * 100).toFixed(1)} % of a core, RSS ${rssMib(pid).toFixed(0)} MiB`,
  );
  const { watching, startMs } = await open(swarm);
  console.log(
    `${watching.viewer.session.mode}: from the session to the first segments ${startMs.toFixed(0)} ms`,
  );
  await watch(watching, pid, watchedSec);
  const seeksMs: number[] = [];
  for (const place of SEEK_PLACES) seeksMs.push(await load(watching, place));
  console.log(`seeks to what was never made, ms ${medianAndRange(seeksMs, 0)}`);
  await watching.viewer.end();
} finally {
  await swarm?.stop();
  await endForgottenProcesses();
  removeTmpFolders();
}
process.exit(0);
