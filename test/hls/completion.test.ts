// The file completes while it is watched as HLS: whoever watches goes on without a hitch and without a gap, whoever comes
// anew gets ranges of the file from the same address.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { makeFilm } from "../support/film.ts";
import { FilmSwarm } from "../support/film-swarm.ts";
import { type Packet, packetsOf } from "../support/hls-player.ts";
import { CHROMIUM_AGENT, type HlsViewer, type ViewedRendition } from "../support/hls-viewer.ts";
import { describeIsolated } from "../support/namespace.ts";

const DURATION_SEC = 60;
const FRAME_SEC = 0.04;
const AUDIO_FRAME_SEC = 1024 / 48_000;
/** Of MP4's and Matroska's clocks. */
const ROUNDING_SEC = 0.002;
/** From asking to having, of what needs nothing from the swarm any more. */
const HITCH_MS = 1_000;
const BEFORE = 3;

interface Watching {
  readonly rendition: ViewedRendition;
  readonly init: Uint8Array;
  readonly parts: Uint8Array[];
}

let swarm: FilmSwarm;
let viewer: HlsViewer;
let longestMs = 0;

async function begin(rendition: ViewedRendition): Promise<Watching> {
  return { rendition, init: await viewer.bytes(rendition.initUri), parts: [] };
}

async function next({ rendition, parts }: Watching): Promise<void> {
  const segment = rendition.segments[parts.length];
  if (segment === undefined) throw new Error("the film has no more segments");
  const askedMs = performance.now();
  parts.push(await viewer.bytes(segment.uri));
  longestMs = Math.max(longestMs, performance.now() - askedMs);
}

function largestError(packets: readonly Packet[], stepSec: number): number {
  const times = packets.map(({ ptsSec }) => ptsSec).toSorted((a, b) => a - b);
  return Math.max(...times.slice(1).map((time, at) => Math.abs(time - (times[at] ?? 0) - stepSec)));
}

const isComplete = async () => (await swarm.waitForShare(0)) === 1;

describeIsolated("a film that completes in the middle of it", () => {
  let video: Watching;
  let audio: Watching;

  beforeAll(async () => {
    const film = await makeFilm("Film", {
      durationSec: DURATION_SEC,
      bitsPerSec: 1_000_000,
      audio: [{ hertz: 440, language: "eng" }],
    });
    swarm = await FilmSwarm.start(film, { uploadLimit: 400_000 });
    await swarm.connect();
    viewer = await swarm.open();
  }, 60_000);
  afterAll(() => swarm?.stop());

  test("begins as HLS", async () => {
    expect(viewer.session.mode).toBe("remux");
    [video, audio] = await Promise.all([begin(await viewer.video()), begin(await viewer.audio(0))]);
    while (video.parts.length < BEFORE) await Promise.all([next(video), next(audio)]);
    expect(await isComplete()).toBe(false);
  }, 40_000);

  test("goes on while it completes and when it is complete", async () => {
    const across = Promise.all([next(video), next(audio)]);
    swarm.seeder.setUploadLimit(0);
    await Promise.all([across, swarm.waitForShare(1)]);
    longestMs = 0;
    for (const one of [video, audio]) {
      while (one.parts.length < one.rendition.segments.length) await next(one);
    }
    console.log(`the file is complete: longest wait for a segment ${Math.round(longestMs)} ms`);
    expect(longestMs).toBeLessThan(HITCH_MS);
    expect((await viewer.master()).variants.length).toBe(1);
  }, 40_000);

  test("has no gap and nothing twice", async () => {
    const pictures = await packetsOf(video.init, ...video.parts);
    expect(pictures.length).toBe(DURATION_SEC / FRAME_SEC);
    expect(largestError(pictures, FRAME_SEC)).toBeLessThan(ROUNDING_SEC);
    const sounds = await packetsOf(audio.init, ...audio.parts);
    expect(largestError(sounds, AUDIO_FRAME_SEC)).toBeLessThan(ROUNDING_SEC);
    expect(Math.abs(sounds.length * AUDIO_FRAME_SEC - DURATION_SEC)).toBeLessThan(0.2);
  });

  test("goes out as ranges to whoever asks anew", async () => {
    const headers = { "user-agent": CHROMIUM_AGENT };
    const part = await fetch(await swarm.link(), { headers: { ...headers, range: "bytes=100-199" } });
    expect(part.status).toBe(206);
    expect(part.headers.get("content-range")).toBe(`bytes 100-199/${swarm.film.lengthBytes}`);
    const bytes = Buffer.from(await Bun.file(swarm.film.path).slice(100, 200).arrayBuffer());
    expect(Buffer.from(await part.arrayBuffer()).equals(bytes)).toBe(true);
    const whole = await fetch(await swarm.link(), { headers });
    expect([whole.status, whole.headers.get("content-type")]).toEqual([200, "video/x-matroska"]);
    expect((await whole.arrayBuffer()).byteLength).toBe(swarm.film.lengthBytes);
  });
});
