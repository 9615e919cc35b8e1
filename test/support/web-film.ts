// A film as it comes out of a torrent: Matroska with a tone of its own on each of two audio tracks, subtitles inside and
// beside it. And what a viewer sees and hears of it on the page.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { makeMedia } from "./media.ts";
import { ffmpeg } from "./media-files.ts";
import { tmpFolder } from "./tmp.ts";
import { type MadeTorrent, makeTorrent } from "./torrent-maker.ts";

export const TONES_HZ = { english: 440, russian: 880 } as const;

/** About 120 KB/s; the file of the film is Film.mkv. */
export async function makeFilmTorrent(durationSec: number): Promise<MadeTorrent> {
  const picture = await makeMedia({ kind: "mkv", durationSec, bytesPerSec: 100_000 });
  const folder = join(tmpFolder("film"), `Film ${durationSec}`);
  mkdirSync(folder);
  const inside = join(tmpFolder("subtitles"), "inside.srt");
  writeFileSync(inside, srt("inside", durationSec));
  writeFileSync(join(folder, "Film.ru.srt"), srt("beside", durationSec));
  const tones = Object.values(TONES_HZ).flatMap((hz) => [
    ...["-f", "lavfi", "-t", String(durationSec), "-i", `sine=${hz}:r=48000`],
  ]);
  const maps = ["-map", "0:v", "-map", "1:a", "-map", "2:a", "-map", "3:s"];
  const codecs = [
    "-c:v",
    "copy",
    "-c:a:0",
    "aac",
    "-c:a:1",
    "ac3",
    "-ac:a",
    "2",
    "-b:a",
    "64k",
    "-c:s",
    "srt",
  ];
  const tags = ["a:0", "eng", "a:1", "rus", "s:0", "eng"];
  const languages = [0, 2, 4].flatMap((at) => [`-metadata:s:${tags[at]}`, `language=${tags[at + 1]}`]);
  const inputs = ["-i", picture.path, ...tones, "-i", inside];
  await ffmpeg([...inputs, ...maps, ...codecs, ...languages, join(folder, "Film.mkv")]);
  return await makeTorrent(folder, { pieceBytes: 64 * 1024 });
}

/** A line every two seconds. */
function srt(what: string, durationSec: number): string {
  const time = (sec: number) => new Date(sec * 1_000).toISOString().slice(11, 23).replace(".", ",");
  const lines: string[] = [];
  for (let sec = 0; sec < durationSec; sec += 2) {
    lines.push(`${lines.length + 1}\n${time(sec)} --> ${time(sec + 1.9)}\n${what} ${sec}\n`);
  }
  return lines.join("\n");
}

/** Resolves once the loudest tone of the video is `hertz`. */
export async function waitForTone(page: Page, hertz: number): Promise<void> {
  await page.evaluate(() => {
    const shared = globalThis as { analyser?: AnalyserNode };
    const video = document.querySelector("video");
    if (shared.analyser !== undefined || video === null) return;
    const context = new AudioContext();
    shared.analyser = new AnalyserNode(context, { fftSize: 8_192, smoothingTimeConstant: 0 });
    context.createMediaElementSource(video).connect(shared.analyser).connect(context.destination);
  });
  await page.waitForFunction(
    (wanted) => {
      const { analyser } = globalThis as { analyser?: AnalyserNode };
      if (analyser === undefined) return false;
      const levels = new Float32Array(analyser.frequencyBinCount);
      analyser.getFloatFrequencyData(levels);
      const loudest = levels.reduce((best, level, bin) => (level > (levels[best] ?? 0) ? bin : best), 1);
      const heard = (loudest * analyser.context.sampleRate) / analyser.fftSize;
      return Math.abs(heard - wanted) < wanted * 0.03;
    },
    hertz,
    { timeout: 15_000 },
  );
}

/** Resolves with the first line of subtitles that is on the screen and matches. */
export async function waitForLine(page: Page, pattern: RegExp): Promise<string> {
  const found = await page.waitForFunction(
    (source) => {
      const tracks = [...(document.querySelector("video")?.textTracks ?? [])];
      const cues = tracks
        .filter(({ mode }) => mode === "showing")
        .flatMap(({ activeCues }) => [...(activeCues ?? [])]);
      return cues.map((cue) => (cue as VTTCue).text).find((text) => new RegExp(source).test(text));
    },
    pattern.source,
    { timeout: 15_000 },
  );
  return String(await found.jsonValue());
}
