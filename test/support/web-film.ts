// Films as they come out of torrents: Matroska with a tone of its own on each of two audio tracks, subtitles inside and
// beside it; one that browsers play as it is; one with a large picture. And what a viewer sees and hears of them.

import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { makeMedia } from "./media.ts";
import { ffmpeg, makeFilm } from "./media-files.ts";
import { tmpFolder } from "./tmp.ts";
import { type MadeTorrent, makeTorrent } from "./torrent-maker.ts";

export const TONES_HZ = { english: 440, russian: 880 } as const;

/** About 120 KB/s; the film is Film.mkv. */
export async function makeFilmTorrent(durationSec: number): Promise<MadeTorrent> {
  const picture = await makeMedia({ kind: "mkv", durationSec, bytesPerSec: 100_000 });
  const folder = folderOf("Film");
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
  const languages = ["s:a:0", "eng", "s:a:1", "rus", "s:s:0", "eng"].flatMap((word, at, words) =>
    at % 2 === 0 ? [`-metadata:${word}`, `language=${words[at + 1]}`] : [],
  );
  const inputs = ["-i", picture.path, ...tones, "-i", inside];
  const words = [...maps, ...codecs, ...languages, "-disposition:s:0", "default"];
  await ffmpeg([...inputs, ...words, join(folder, "Film.mkv")]);
  return await makeTorrent(folder, { pieceBytes: 64 * 1024 });
}

/** What a browser plays as it is, with subtitles beside it; the film is Plain.mp4. */
export async function makePlainTorrent(durationSec: number): Promise<MadeTorrent> {
  const media = await makeMedia({ kind: "mp4-moov-at-end", durationSec, bytesPerSec: 150_000 });
  const folder = folderOf("Plain");
  copyFileSync(media.path, join(folder, "Plain.mp4"));
  writeFileSync(join(folder, "Plain.en.srt"), srt("plain", durationSec));
  return await makeTorrent(folder, { pieceBytes: 64 * 1024 });
}

/** High enough for a smaller picture to be offered, and slow enough for any machine to make it. */
export async function makeLargeTorrent(durationSec: number): Promise<MadeTorrent> {
  const folder = folderOf("Large");
  const keyframesSec = Array.from({ length: durationSec / 2 }, (_, at) => 2 * at);
  await makeFilm(folder, {
    name: "Large.mkv",
    size: "1280x720",
    framesPerSec: "8",
    durationSec,
    keyframesSec,
  });
  return await makeTorrent(folder, { pieceBytes: 64 * 1024 });
}

function folderOf(name: string): string {
  const folder = join(tmpFolder("film"), name);
  mkdirSync(folder);
  return folder;
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
