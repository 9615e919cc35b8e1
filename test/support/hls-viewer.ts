// A player without a picture: it opens a session, reads the playlists strictly and loads what they name, by the links in
// them alone.

import { parse, type types } from "hls-parser";
import { CHROMIUM_CAPS, type SessionBody } from "./hls-player.ts";
import type { FileBody, Torrx } from "./torrx.ts";

/** Debian's Chromium. */
export const CHROMIUM_AGENT =
  "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/148.0.0.0 Safari/537.36";
const ANSWER_MS = 40_000;

export interface ViewerOptions {
  readonly userAgent?: string;
  readonly caps?: object;
  readonly positionSec?: number;
  readonly audio?: number;
  readonly quality?: string;
}

export interface ViewedSegment {
  readonly number: number;
  readonly uri: string;
  readonly startSec: number;
  readonly durationSec: number;
}

export interface ViewedRendition {
  readonly initUri: string;
  readonly segments: readonly ViewedSegment[];
}

/** Absolute URL of the file, with its token. */
export const fileLink = (server: Torrx, file: FileBody) => `${server.origin}${file.stream_url}`;

export class HlsViewer {
  readonly session: SessionBody;
  readonly #origin: string;
  readonly #place: string;
  readonly #headers: Readonly<Record<string, string>>;

  private constructor(session: SessionBody, place: { origin: string; path: string; userAgent: string }) {
    this.session = session;
    this.#origin = place.origin;
    this.#place = place.path;
    this.#headers = { "user-agent": place.userAgent };
  }

  /** Throws what the server answers where it opens no session. */
  static async open(server: Torrx, file: FileBody, options: ViewerOptions): Promise<HlsViewer> {
    const { userAgent = CHROMIUM_AGENT, caps = CHROMIUM_CAPS, positionSec = 0, audio, quality } = options;
    const { pathname, search } = new URL(fileLink(server, file));
    const path = pathname.split("/").slice(0, 5).join("/");
    const wish = { caps, position_sec: positionSec, ...(audio === undefined ? {} : { audio }) };
    const answer = await fetch(`${server.origin}${path}/session${search}`, {
      method: "POST",
      headers: { "content-type": "application/json", "user-agent": userAgent },
      body: JSON.stringify({ ...wish, ...(quality === undefined ? {} : { quality }) }),
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    if (!answer.ok) throw new Error(`no session: ${answer.status} ${await answer.text()}`);
    const session = (await answer.json()) as SessionBody;
    return new HlsViewer(session, { origin: server.origin, path, userAgent });
  }

  async master(): Promise<types.MasterPlaylist> {
    const playlist = parse(await this.text(this.session.url));
    if (!playlist.isMasterPlaylist) throw new Error("no master playlist");
    return playlist as types.MasterPlaylist;
  }

  /** The picture of the first variant. */
  async video(): Promise<ViewedRendition> {
    const { variants } = await this.master();
    return await this.rendition(variants[0]?.uri ?? "");
  }

  async audio(track: number): Promise<ViewedRendition> {
    const { variants } = await this.master();
    return await this.rendition(variants[0]?.audio[track]?.uri ?? "");
  }

  async rendition(uri: string): Promise<ViewedRendition> {
    const playlist = parse(await this.text(uri)) as types.MediaPlaylist;
    let startSec = 0;
    const segments = playlist.segments.map((segment, number) => {
      const viewed = { number, uri: segment.uri, startSec, durationSec: segment.duration };
      startSec += segment.duration;
      return viewed;
    });
    return { initUri: playlist.segments[0]?.map?.uri ?? "", segments };
  }

  async text(uri: string): Promise<string> {
    return new TextDecoder().decode(await this.bytes(uri));
  }

  /** Asks again as long as the server says that it is busy, as players do. */
  async bytes(uri: string, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    const bound = AbortSignal.timeout(ANSWER_MS);
    for (;;) {
      const answer = await this.get(uri, signal === undefined ? bound : AbortSignal.any([bound, signal]));
      if (answer.status === 200) return new Uint8Array(await answer.arrayBuffer());
      const text = await answer.text();
      if (answer.status !== 503) throw new Error(`${answer.status} ${text}`);
      await Bun.sleep(Number(answer.headers.get("retry-after") ?? 1) * 1_000);
    }
  }

  async get(uri: string, signal: AbortSignal = AbortSignal.timeout(ANSWER_MS)): Promise<Response> {
    return await fetch(new URL(uri, this.#origin), { headers: this.#headers, signal });
  }

  async end(): Promise<void> {
    const { searchParams } = new URL(this.session.url, this.#origin);
    const path = `${this.#place}/session/${this.session.session}/end?token=${searchParams.get("token")}`;
    const answer = await fetch(`${this.#origin}${path}`, { method: "POST", headers: this.#headers });
    if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
  }
}
