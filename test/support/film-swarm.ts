// A film, one real seeder that has it, and the real server that is to have it: what tests of watching begin with. The
// relay in between knows when each byte was on its way to the server.

import { LibtorrentPeer } from "./actors/libtorrent.ts";
import { type Relay, startRelay } from "./actors/relay.ts";
import type { Film } from "./film.ts";
import { fileLink, HlsViewer, type ViewerOptions } from "./hls-viewer.ts";
import { PieceTimes } from "./piece-times.ts";
import { type MadeTorrent, makeTorrent } from "./torrent-maker.ts";
import { type FileBody, type TorrentBody, Torrx, type TorrxOptions } from "./torrx.ts";

export interface FilmSwarmOptions extends TorrxOptions {
  readonly pieceBytes?: number;
  /** Of the seeder, bytes/s; 0 = no limit. */
  readonly uploadLimit: number;
}

export class FilmSwarm {
  readonly film: Film;
  readonly torrent: MadeTorrent;
  readonly seeder: LibtorrentPeer;
  readonly pieces: PieceTimes;
  #server: Torrx;
  readonly #relay: Relay;
  readonly #options: FilmSwarmOptions;

  private constructor(
    parts: { film: Film; torrent: MadeTorrent; server: Torrx; seeder: LibtorrentPeer; relay: Relay },
    options: FilmSwarmOptions,
  ) {
    this.film = parts.film;
    this.torrent = parts.torrent;
    this.seeder = parts.seeder;
    this.#server = parts.server;
    this.#relay = parts.relay;
    this.#options = options;
    this.pieces = new PieceTimes(parts.relay, parts.torrent);
  }

  /** The server has the torrent, but nobody to get it from. */
  static async start(film: Film, options: FilmSwarmOptions): Promise<FilmSwarm> {
    const torrent = await makeTorrent(film.folder, { pieceBytes: options.pieceBytes ?? 64 * 1024 });
    const { torrentPath, dataFolder } = torrent;
    const [server, seeder] = await Promise.all([
      Torrx.start(options),
      LibtorrentPeer.start({
        torrentPath,
        saveFolder: dataFolder,
        seed: true,
        uploadLimit: options.uploadLimit,
      }),
    ]);
    const relay = await startRelay(seeder);
    const swarm = new FilmSwarm({ film, torrent, server, seeder, relay }, options);
    await server.upload(torrent.bytes);
    await swarm.waitFor((body) => body.files.length > 0, 10_000, "the file list");
    return swarm;
  }

  get server(): Torrx {
    return this.#server;
  }

  /** The server learns of the seeder. */
  async connect(): Promise<void> {
    await this.#server.call("POST", "/api/torrents", { magnet: this.torrent.magnet([this.#relay.peer]) });
  }

  async waitFor(
    isReached: (torrent: TorrentBody) => boolean,
    withinMs: number,
    what: string,
  ): Promise<TorrentBody> {
    return await this.#server.waitFor(this.torrent.infoHash, isReached, { withinMs, what });
  }

  /** The film's share of the torrent is as good as all of it. */
  async waitForShare(share: number, withinMs = 30_000): Promise<number> {
    const { progress } = await this.waitFor(
      ({ progress: has }) => has >= share,
      withinMs,
      `${share} of the film`,
    );
    return progress;
  }

  async file(): Promise<FileBody> {
    const { body } = await this.#server.call<TorrentBody>("GET", `/api/torrents/${this.torrent.infoHash}`);
    const file = body.files.find(({ path }) => path.endsWith(".mkv"));
    if (file === undefined) throw new Error(`no film in ${JSON.stringify(body.files)}`);
    return file;
  }

  /** Where the film is streamed, with what opens it. */
  async link(): Promise<string> {
    return fileLink(this.#server, await this.file());
  }

  async open(options: ViewerOptions = {}): Promise<HlsViewer> {
    return await HlsViewer.open(this.#server, await this.file(), options);
  }

  /** A new server goes on with the data of the one that has ended, and has the seeder. */
  async startAgain(): Promise<void> {
    this.#server = await Torrx.start({ ...this.#options, folder: this.#server.folder });
    await this.connect();
  }

  async stop(): Promise<void> {
    await this.#relay.stop();
    await Promise.all([this.#server.stop(), this.seeder.stop()]);
  }
}
