// A film with two languages and subtitles in a torrent that comes over a narrow line, and a server that plays it.

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LibtorrentPeer } from "./actors/libtorrent.ts";
import { makeMedia } from "./media.ts";
import { ffmpeg } from "./media-files.ts";
import { tmpFolder } from "./tmp.ts";
import { type MadeTorrent, makeTorrent } from "./torrent-maker.ts";
import { Torrx } from "./torrx.ts";

export const FILM_SEC = 120;
/** Tones of the audio tracks 0 and 1. */
export const TONES_HZ = [440, 880] as const;

export interface HlsWorld {
  readonly server: Torrx;
  readonly seeder: LibtorrentPeer;
  readonly torrent: MadeTorrent;
  /** Of the film, in the torrent. */
  readonly file: number;
  stop(): Promise<void>;
}

export interface HlsWorldOptions {
  readonly lineBytesPerSec: number;
  readonly filmBytesPerSec?: number;
}

export async function startHlsWorld(options: HlsWorldOptions): Promise<HlsWorld> {
  const folder = await makeFilmFolder(options.filmBytesPerSec ?? 100_000);
  const torrent = await makeTorrent(folder, { pieceBytes: 64 * 1024 });
  const [server, seeder] = await Promise.all([
    // Whatever it may log, it logs.
    Torrx.start({ env: { TORRX_LOG_LEVEL: "debug" } }),
    LibtorrentPeer.start({
      torrentPath: torrent.torrentPath,
      saveFolder: torrent.dataFolder,
      seed: true,
      uploadLimit: options.lineBytesPerSec,
    }),
  ]);
  await server.call("POST", "/api/torrents", { magnet: torrent.magnet([seeder.peer]) });
  const { files } = await server.waitFor(torrent.infoHash, (body) => body.files.length > 0, {
    withinMs: 20_000,
    what: "the file list",
  });
  const file = files.find(({ path }) => path.endsWith(".mkv"))?.index ?? -1;
  const stop = async () => {
    await Promise.all([server.stop(), seeder.stop()]);
  };
  return { server, seeder, torrent, file, stop };
}

async function makeFilmFolder(bytesPerSec: number): Promise<string> {
  const picture = await makeMedia({ kind: "mkv", durationSec: FILM_SEC, bytesPerSec });
  const folder = join(tmpFolder("film"), "Film");
  mkdirSync(folder);
  const inside = join(tmpFolder("subs"), "inside.srt");
  writeFileSync(inside, srt("inside"));
  writeFileSync(join(folder, "Film.ru.srt"), srt("beside"));
  const tones = TONES_HZ.flatMap((hz) => ["-f", "lavfi", "-t", String(FILM_SEC), "-i", `sine=${hz}:r=48000`]);
  const maps = ["-map", "0:v", "-map", "1:a", "-map", "2:a", "-map", "3:s"];
  const codecs = ["-c:v", "copy", "-c:a", "aac", "-b:a", "64k", "-c:s", "srt"];
  const tags = ["-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=rus"];
  await ffmpeg([
    "-i",
    picture.path,
    ...tones,
    "-i",
    inside,
    ...maps,
    ...codecs,
    ...tags,
    join(folder, "Film.mkv"),
  ]);
  return folder;
}

/** A line every ten seconds, on the screen for two. */
function srt(what: string): string {
  const time = (sec: number) => `00:0${Math.floor(sec / 60)}:${String(sec % 60).padStart(2, "0")},000`;
  const lines = Array.from({ length: FILM_SEC / 10 }, (_, i) => {
    return `${i + 1}\n${time(10 * i)} --> ${time(10 * i + 2)}\n${what} ${10 * i} & more\n`;
  });
  return lines.join("\n");
}

/** ffmpeg and ffprobe processes below `pid` (or anywhere, for null). */
export function programsOf(parent: number | null): number[] {
  const pids: number[] = [];
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const about = aboutProcess(Number(name));
    if (about === null || !/^ff(?:mpeg|probe)$/.test(about.command)) continue;
    if (parent === null || about.parent === parent) pids.push(Number(name));
  }
  return pids;
}

function aboutProcess(pid: number): { command: string; parent: number } | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    const [, command = "", rest = ""] = /^\d+ \((.*)\) (.*)$/s.exec(text) ?? [];
    const [state, parent] = rest.split(" ");
    return state === "Z" ? null : { command, parent: Number(parent) };
  } catch {
    // It ended meanwhile.
    return null;
  }
}
