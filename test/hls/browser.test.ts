// A viewer with a real browser and real hls.js, on a torrent of which next to nothing is there: plays at once, jumps
// about in what is not there yet, changes sound and subtitles, and plays to the end.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { TYPES_TO_ASK } from "../../src/media/index.ts";
import { CUE_EVERY_SEC, cueText, makeFilm } from "../support/film.ts";
import { FilmBytes } from "../support/film-bytes.ts";
import { FilmSwarm } from "../support/film-swarm.ts";
import { HlsPagePlayer } from "../support/hls-page-player.ts";
import type { LoadedPart, ShownFrame } from "../support/hls-page-port.ts";
import { describeIsolated } from "../support/namespace.ts";
import { WebBrowser } from "../support/web-browser.ts";

const DURATION_SEC = 120;
const TONES_HZ = [440, 880] as const;
/** Three times the film's rate: it goes on for half a minute. */
const UPLOAD_BYTES_PER_SEC = 450_000;
/** Of acceptance, for what is copied, once its bytes are there: the aim, and what no machine may need. */
const AIM_MS = 1_000;
const REQUIRED_MS = 5_000;
/** At which the rest of the film is watched. */
const RATE = 4;
const ms = (value: number) => `${Math.round(value)} ms`;

/** Of all seeks, beyond the coming of the bytes. */
const seeksMs: number[] = [];
let swarm: FilmSwarm;
let bytes: FilmBytes;
let browser: WebBrowser;
let player: HlsPagePlayer;

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

/** null = not all of it came over the line. */
function bytesThereAtMs(fromSec: number, toSec: number): number | null {
  return swarm.pieces.thereAtMs(bytes.spanOf(fromSec, toSec));
}

/** From when it could be made at the earliest to when the player had it. */
function latencyOf({ startSec, endSec, askedAtMs, loadedAtMs }: LoadedPart): number {
  return loadedAtMs - Math.max(askedAtMs, bytesThereAtMs(startSec, endSec) ?? askedAtMs);
}

function hasSecond(part: LoadedPart, sec: number): boolean {
  return part.segment >= 0 && part.startSec <= sec && sec < part.endSec;
}

/** Jumps, tells how long it took beyond the coming of the bytes, and that nothing is buffered in pieces. */
async function seek(share: number): Promise<number> {
  const sec = share * DURATION_SEC;
  const wasThere = bytesThereAtMs(sec, sec + 4) !== null;
  const shown = await player.call("seek", sec);
  const beyondMs = shown.atMs - (await startableAtMs(shown, sec));
  const { ranges } = await player.call("figures");
  const own = ranges.filter(([start, end]) => start <= sec + 0.1 && sec < end);
  console.log(
    `seek to ${(share * 100).toFixed(0)} % (${wasThere ? "there" : "a hole"}): picture after ${ms(shown.atMs - shown.askedAtMs)}, ` +
      `${ms(beyondMs)} of it after the bytes were there; buffered ${JSON.stringify(ranges)}`,
  );
  if (beyondMs > AIM_MS) console.log(await partsSince(shown.askedAtMs));
  expect(own.length, JSON.stringify(ranges)).toBe(1);
  return beyondMs;
}

/** What was loaded, and when it was asked for and had. */
async function partsSince(sinceMs: number): Promise<string> {
  const parts = (await player.list("parts")).filter(({ loadedAtMs }) => loadedAtMs >= sinceMs);
  const told = parts.map(({ kind, segment, askedAtMs, loadedAtMs }) => {
    return `${kind} ${segment}: ${Math.round(askedAtMs - sinceMs)}–${ms(loadedAtMs - sinceMs)}`;
  });
  return told.join(", ");
}

/** When the player had asked, and the bytes of all parts for that second were there. */
async function startableAtMs(
  { askedAtMs }: ShownFrame & { askedAtMs: number },
  sec: number,
): Promise<number> {
  const parts = await player.list("parts");
  const loaded = parts.filter((part) => part.askedAtMs >= askedAtMs && hasSecond(part, sec));
  const times = loaded.map(({ startSec, endSec }) => bytesThereAtMs(startSec, endSec) ?? askedAtMs);
  return Math.max(askedAtMs, ...times);
}

async function readCue(track: number, language: "en" | "ru"): Promise<void> {
  const { text, positionSec } = await player.call("read", track);
  // The frame on the screen may be the one before the clock's.
  const near = [positionSec - 0.1, positionSec, positionSec + 0.1].map((sec) => cueText(language, sec));
  expect(near).toContain(text);
}

describeIsolated("a film of which 5 % are there, in a browser with hls.js", () => {
  beforeAll(async () => {
    const audio = [
      { hertz: TONES_HZ[0], language: "eng" },
      { hertz: TONES_HZ[1], language: "rus" },
    ];
    const options = { durationSec: DURATION_SEC, bitsPerSec: 1_000_000, audio, hasSubtitles: true };
    const film = await makeFilm("Film", options);
    [swarm, bytes, browser] = await Promise.all([
      FilmSwarm.start(film, { uploadLimit: UPLOAD_BYTES_PER_SEC }),
      FilmBytes.read(film.path),
      WebBrowser.start(),
    ]);
    player = await HlsPagePlayer.open(browser, swarm.server.origin);
  }, 90_000);
  afterAll(async () => {
    await browser?.close();
    await swarm?.stop();
  });

  test("starts as soon as the first bytes are there", async () => {
    await swarm.connect();
    const share = await swarm.waitForShare(0.05);
    expect(share).toBeLessThan(0.2);
    const types = await player.call("plays", TYPES_TO_ASK);
    const beginMs = performance.timeOrigin + performance.now();
    const { session } = await swarm.open({ caps: { mse: true, native_hls: false, types } });
    expect(session.mode).toBe("remux");
    expect(session.reasons.map(({ code }) => code)).toContain("ContainerNotSupported");
    const openedMs = performance.timeOrigin + performance.now();
    await player.call("load", session.url);
    const shown = await player.call("play");
    const first = (await player.list("parts")).find((part) => part.kind === "main" && part.segment === 0);
    if (first === undefined) throw new Error("no first segment");
    console.log(
      `at ${(share * 100).toFixed(1)} %: session ${ms(openedMs - beginMs)}, picture ${ms(shown.atMs - beginMs)}, ` +
        `first segment ${ms(latencyOf(first))} after its bytes were there`,
    );
    expect(latencyOf(first)).toBeLessThan(AIM_MS);
    await player.call("reach", 2);
  }, 60_000);

  test("seeks to 50 %, 90 % and back to 10 %", async () => {
    for (const share of [0.5, 0.9, 0.1]) {
      seeksMs.push(await seek(share));
      await player.call("reach", share * DURATION_SEC + 1);
    }
  }, 60_000);

  test("changes the sound: another tone is heard, and back", async () => {
    expect(await player.call("audioTracks")).toEqual(["en English", "ru Русский"]);
    await player.call("hear", TONES_HZ[0]);
    for (const track of [1, 0]) {
      const chosenMs = performance.timeOrigin + performance.now();
      await player.call("chooseAudio", track);
      const heardMs = await player.call("hear", TONES_HZ[track] ?? 0);
      console.log(`${TONES_HZ[track]} Hz heard ${ms(heardMs - chosenMs)} after the choice`);
    }
  }, 60_000);

  test("shows the subtitles inside the file and those beside it", async () => {
    expect(await player.call("subtitleTracks")).toEqual(["en English", "ru Русский"]);
    await readCue(1, "ru");
    await readCue(0, "en");
    const { positionSec } = await player.call("figures");
    await player.call("reach", positionSec + CUE_EVERY_SEC);
    await readCue(0, "en");
  }, 60_000);

  test("seeks at once where the bytes are there", async () => {
    swarm.seeder.setUploadLimit(0);
    await swarm.waitForShare(1);
    for (const share of [0.7, 0.3, 0.55]) seeksMs.push(await seek(share));
    expect(median(seeksMs)).toBeLessThan(AIM_MS);
    expect(Math.max(...seeksMs)).toBeLessThan(REQUIRED_MS);
  }, 60_000);

  test("plays to the end without a stall: one range is buffered, and nothing was fatal", async () => {
    await player.call("buffer", 20);
    await player.call("setRate", RATE);
    await player.call("end");
    const { ranges, durationSec, positionSec, corrupted } = await player.call("figures");
    expect(ranges.filter(([, end]) => end > DURATION_SEC / 2).length, JSON.stringify(ranges)).toBe(1);
    expect(positionSec).toBeGreaterThan(DURATION_SEC - 0.5);
    expect(Math.abs(durationSec - DURATION_SEC)).toBeLessThan(0.5);
    expect(corrupted).toBe(0);
    const events = await player.list("events");
    expect(events.filter(({ isFatal }) => isFatal)).toEqual([]);
    expect(stallsOf(events)).toEqual([]);
    expect(player.problems).toEqual([]);
    const parts = await player.list("parts");
    for (const kind of ["main", "audio"] as const) {
      const latencies = parts.filter((part) => part.kind === kind && part.segment >= 0).map(latencyOf);
      console.log(
        `${kind}: ${latencies.length} segments, after their bytes were there: median ${ms(median(latencies))}, ` +
          `longest ${ms(Math.max(...latencies))}`,
      );
    }
  }, 60_000);
});

/** Where the picture stood still although the bytes behind it were there; but for what was jumped to or just chosen. */
function stallsOf(events: Awaited<ReturnType<typeof player.list<"events">>>) {
  let isSettled = false;
  return events.filter(({ what, atMs, positionSec, aheadSec }) => {
    if (what === "seeking" || what === "audio chosen") isSettled = false;
    if (what === "playing") isSettled = true;
    const isStill = what === "waiting" || what === "bufferStalledError";
    // Behind the last picture there may be sound.
    const isInside = positionSec < DURATION_SEC - 0.5;
    const thereAtMs = bytesThereAtMs(positionSec, positionSec + 4) ?? Number.POSITIVE_INFINITY;
    return isSettled && isStill && isInside && aheadSec < 0.5 && thereAtMs < atMs - AIM_MS;
  });
}
