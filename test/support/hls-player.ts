// A player's side of HLS, without a picture: asks for a session, reads its playlists, loads segments, and has ffprobe look
// at what came.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runProcess } from "./process.ts";
import { tmpFolder } from "./tmp.ts";
import type { Torrx } from "./torrx.ts";

export interface SessionBody {
  readonly session: string;
  readonly mode: "direct" | "remux" | "transcode";
  readonly is_playable: boolean;
  readonly url: string;
  readonly reasons: readonly {
    readonly code: string;
    readonly message: string;
    readonly track: string | null;
  }[];
  readonly quality: string;
  readonly qualities: readonly string[];
  readonly audio: number | null;
}

export interface Segment {
  readonly uri: string;
  readonly startSec: number;
  readonly durationSec: number;
}

export interface MediaPlaylistText {
  readonly init: string | null;
  readonly segments: readonly Segment[];
}

export interface Packet {
  readonly ptsSec: number;
  readonly isKey: boolean;
}

/** What Debian's Chromium says of itself: H.264 and AAC, no HEVC, no AC-3. */
export const CHROMIUM_CAPS = {
  mse: true,
  native_hls: false,
  types: ["avc1.640033", "avc1.4d0028", "avc1.42e01e", "mp4a.40.2", "opus", "flac"].map((codec) => ({
    type: `video/mp4; codecs="${codec}"`,
    plays: true,
  })),
};

export class HlsPlayer {
  readonly #server: Torrx;
  readonly #base: string;
  readonly #opened: SessionBody[] = [];

  constructor(server: Torrx, torrent: string, file: number) {
    this.#server = server;
    this.#base = `/api/stream/${torrent}/${file}`;
  }

  async open(body: object = {}): Promise<SessionBody> {
    const answer = await this.#server.call<SessionBody>("POST", `${this.#base}/session`, {
      caps: CHROMIUM_CAPS,
      ...body,
    });
    if (answer.status !== 200) throw new Error(`session: ${answer.status} ${JSON.stringify(answer.body)}`);
    this.#opened.push(answer.body);
    return answer.body;
  }

  /** Ends what it has opened, as a page does that is left. */
  async endAll(): Promise<void> {
    for (const { session, url } of this.#opened.splice(0)) {
      const query = url.slice(url.indexOf("?") + 1);
      await this.get(`${this.#base}/session/${session}/end?${query}`, { method: "POST" });
    }
  }

  /** By the address alone, as a player loads it. */
  async get(uri: string, options: RequestInit = {}): Promise<Response> {
    return await fetch(`${this.#server.origin}${uri}`, { signal: AbortSignal.timeout(60_000), ...options });
  }

  async text(uri: string): Promise<string> {
    const response = await this.get(uri);
    const text = await response.text();
    if (response.status !== 200) throw new Error(`${uri}: ${response.status} ${text}`);
    return text;
  }

  async bytes(uri: string): Promise<Uint8Array> {
    const response = await this.get(uri);
    if (response.status !== 200) throw new Error(`${uri}: ${response.status} ${await response.text()}`);
    return new Uint8Array(await response.arrayBuffer());
  }

  async playlist(uri: string): Promise<MediaPlaylistText> {
    return parsePlaylist(await this.text(uri));
  }
}

/** URIs of the variants, and of the renditions of EXT-X-MEDIA by type. */
export function parseMaster(text: string): {
  readonly variants: readonly string[];
  readonly audio: readonly string[];
  readonly subtitles: readonly string[];
} {
  const lines = text.split("\n");
  const media = (type: string) =>
    lines
      .filter((line) => line.startsWith(`#EXT-X-MEDIA:TYPE=${type}`))
      .map((line) => /URI="([^"]+)"/.exec(line)?.[1] ?? "");
  return {
    variants: lines.filter((line, i) => lines[i - 1]?.startsWith("#EXT-X-STREAM-INF:") && line !== ""),
    audio: media("AUDIO"),
    subtitles: media("SUBTITLES"),
  };
}

export function parsePlaylist(text: string): MediaPlaylistText {
  const segments: Segment[] = [];
  let startSec = 0;
  let durationSec = 0;
  for (const line of text.split("\n")) {
    const length = /^#EXTINF:([\d.]+),/.exec(line)?.[1];
    if (length !== undefined) durationSec = Number(length);
    else if (line !== "" && !line.startsWith("#")) {
      segments.push({ uri: line, startSec, durationSec });
      startSec += durationSec;
    }
  }
  return { init: /#EXT-X-MAP:URI="([^"]+)"/.exec(text)?.[1] ?? null, segments };
}

/** What ffprobe sees in an init segment with segments behind it. */
export async function packetsOf(init: Uint8Array, ...segments: readonly Uint8Array[]): Promise<Packet[]> {
  const folder = tmpFolder("packets");
  mkdirSync(folder, { recursive: true });
  const path = join(folder, "part.mp4");
  writeFileSync(path, Buffer.concat([init, ...segments]));
  const argv = ["ffprobe", "-v", "error", "-show_entries", "packet=pts_time,flags", "-of", "json", path];
  const child = await runProcess(argv, { withinMs: 20_000 });
  if (child.exitCode !== 0) throw new Error(`ffprobe ended with ${child.exitCode}: ${child.tail()}`);
  const { packets } = JSON.parse(child.stdout) as { packets: { pts_time: string; flags: string }[] };
  return packets.map(({ pts_time, flags }) => ({ ptsSec: Number(pts_time), isKey: flags.startsWith("K") }));
}
