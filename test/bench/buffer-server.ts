// A server with one torrent that arrives slowly from a real seeder, as the benchmarks of the RAM buffer need it.

import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { LibtorrentPeer } from "../support/actors/libtorrent.ts";
import { type MadeTorrent, makeTorrent } from "../support/torrent-maker.ts";
import { Torrx } from "../support/torrx.ts";
import { SlowReader } from "./slow-reader.ts";

const MIB = 1024 * 1024;
const PIECE_BYTES = MIB;

export interface BufferSettings {
  readonly ram_buffer_mb: number;
  readonly ram_total_mb: number;
}

export interface StatusBody {
  readonly ram: { readonly used: number; readonly cap: number };
  readonly warnings: readonly { readonly code: string }[];
  readonly streams: readonly {
    readonly window: {
      readonly bytes: number;
      readonly ahead_sec: number;
      readonly behind_sec: number;
      readonly hit_rate: number;
    };
  }[];
}

/** Data of a torrent on disk, made once and used by every run. */
export interface Film {
  readonly path: string;
  readonly torrent: MadeTorrent;
}

export async function makeFilm(path: string): Promise<Film> {
  return { path, torrent: await makeTorrent(path, { pieceBytes: PIECE_BYTES }) };
}

export async function startSeeder(film: Film, uploadLimit?: number): Promise<LibtorrentPeer> {
  const { torrentPath, dataFolder: saveFolder } = film.torrent;
  const limit = uploadLimit === undefined ? {} : { uploadLimit };
  return await LibtorrentPeer.start({ torrentPath, saveFolder, seed: true, ...limit });
}

export class BufferServer {
  readonly torrx: Torrx;
  readonly #folder: string;
  readonly #readers: SlowReader[] = [];

  private constructor(torrx: Torrx, folder: string) {
    this.torrx = torrx;
    this.#folder = folder;
  }

  static async start(place: string, settings: BufferSettings): Promise<BufferServer> {
    const folder = mkdtempSync(join(place, "torrx-"));
    const server = new BufferServer(await Torrx.start({ folder }), folder);
    await server.set(settings);
    return server;
  }

  async set(settings: Partial<BufferSettings>): Promise<void> {
    await this.#must("PUT", "/api/settings", settings);
  }

  /** Known to the server, without a peer. `watched`: only what somebody watches is loaded. */
  async add(film: Film, download: "all" | "watched"): Promise<void> {
    await this.torrx.upload(film.torrent.bytes);
    await this.#must("PATCH", `/api/torrents/${film.torrent.infoHash}`, { download });
  }

  async connect(film: Film, seeder: LibtorrentPeer): Promise<void> {
    await this.#must("POST", "/api/torrents", { magnet: film.torrent.magnet([seeder.peer]) });
  }

  async waitForComplete(film: Film, withinMs: number): Promise<void> {
    await this.torrx.waitFor(film.torrent.infoHash, (body) => body.progress === 1, {
      withinMs,
      what: "the download",
    });
  }

  async status(): Promise<StatusBody> {
    return await this.#must<StatusBody>("GET", "/api/status");
  }

  /** `count` viewers at places spread evenly over the film; the first `stopping` of them stop reading soon. */
  watch(film: Film, how: { count: number; stopping?: number; bytesPerSec: number }): readonly SlowReader[] {
    for (let index = 0; index < how.count; index++) {
      const stride = Math.floor(film.torrent.lengthBytes / how.count);
      this.#readers.push(
        new SlowReader({
          server: this.torrx,
          path: `/api/stream/${film.torrent.infoHash}/0?mode=direct`,
          source: film.path,
          startBytes: index * stride,
          bytesPerSec: how.bytesPerSec,
          stops: index < (how.stopping ?? 0),
          viewer: `viewer ${index}`,
        }),
      );
    }
    return this.#readers;
  }

  async stop(): Promise<void> {
    for (const reader of this.#readers) reader.close();
    await this.torrx.stop();
    rmSync(this.#folder, { recursive: true });
  }

  async #must<T>(method: string, path: string, body?: object): Promise<T> {
    const answer = await this.torrx.call<T>(method, path, body);
    if (answer.status < 300) return answer.body;
    throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  }
}
