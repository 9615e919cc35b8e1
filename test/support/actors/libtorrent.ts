// libtorrent (Debian's python3-libtorrent) as a seeder, a leecher or a liar. DHT, LSD, UPnP, PEX and uTP are off unless
// asked for.

import { join } from "node:path";
import { PRIVATE_ADDRESS } from "../namespace.ts";
import { startProcess, type TestProcess } from "../process.ts";
import type { Actor, PeerEnd } from "./actor.ts";

export interface LibtorrentOptions {
  readonly host?: string;
  readonly port?: number;
  /** A .torrent file; or a magnet link. One of the two. */
  readonly torrentPath?: string;
  readonly magnet?: string;
  readonly saveFolder: string;
  /** true: has all of it. "lie": says so and serves whatever lies on the disk. */
  readonly seed?: boolean | "lie";
  /** Bytes/s of this torrent. */
  readonly uploadLimit?: number;
  readonly downloadLimit?: number;
  readonly peers?: readonly PeerEnd[];
  readonly isSequential?: boolean;
  readonly dht?: boolean;
  /** "host:port,host:port" */
  readonly dhtBootstrap?: string;
  readonly lsd?: boolean;
  readonly pex?: boolean;
  readonly utp?: boolean;
  /** How often it tells its state; 100 if not given. */
  readonly reportEveryMs?: number;
  /** libtorrent's own settings, by their names. */
  readonly settings?: Readonly<Record<string, string | number | boolean>>;
}

export interface LibtorrentState {
  readonly state: string;
  /** 0 … 1, blocks of unfinished pieces included. */
  readonly progress: number;
  /** Verified ones. */
  readonly pieces: number;
  readonly is_complete: boolean;
  readonly has_metadata: boolean;
  readonly downloaded: number;
  readonly uploaded: number;
  readonly download_rate: number;
  readonly upload_rate: number;
  readonly peers: number;
}

const COMMAND = ["/usr/bin/python3", join(import.meta.dir, "libtorrent_peer.py")];

export class LibtorrentPeer implements Actor {
  readonly host: string;
  readonly process: TestProcess;
  #port = 0;
  #state: LibtorrentState | null = null;

  private constructor(options: LibtorrentOptions) {
    this.host = options.host ?? PRIVATE_ADDRESS;
    this.process = startProcess(COMMAND, { onLine: (line) => this.#take(line) });
    this.process.writeLine(JSON.stringify(jobOf(options, [this.host])));
  }

  static async start(options: LibtorrentOptions): Promise<LibtorrentPeer> {
    const peer = new LibtorrentPeer(options);
    await peer.process.waitForLine('"event": "listening"', 20_000);
    return peer;
  }

  get port(): number {
    return this.#port;
  }

  get peer(): string {
    return `${this.host}:${this.#port}`;
  }

  /** What it told last. */
  get state(): LibtorrentState | null {
    return this.#state;
  }

  /** The first state from now on that `wants` accepts. */
  async waitForState(
    wants: (state: LibtorrentState) => boolean,
    withinMs = 20_000,
  ): Promise<LibtorrentState> {
    if (this.#state !== null && wants(this.#state)) return this.#state;
    await this.process.waitForNewLine((line) => {
      const event = eventOf(line);
      return event?.event === "state" && wants(event as unknown as LibtorrentState);
    }, withinMs);
    return this.#state as LibtorrentState;
  }

  async waitForComplete(withinMs = 30_000): Promise<LibtorrentState> {
    return await this.waitForState((state) => state.is_complete, withinMs);
  }

  connect(peer: PeerEnd): void {
    this.#order({ command: "connect", host: peer.host, port: peer.port });
  }

  /** 0 = no limit. */
  setUploadLimit(bytesPerSec: number): void {
    this.#order({ command: "upload_limit", bytes_per_sec: bytesPerSec });
  }

  setDownloadLimit(bytesPerSec: number): void {
    this.#order({ command: "download_limit", bytes_per_sec: bytesPerSec });
  }

  pause(): void {
    this.#order({ command: "pause" });
  }

  resume(): void {
    this.#order({ command: "resume" });
  }

  reannounce(): void {
    this.#order({ command: "reannounce" });
  }

  async stop(): Promise<void> {
    await this.process.stop("SIGKILL");
  }

  #order(order: Readonly<Record<string, unknown>>): void {
    this.process.writeLine(JSON.stringify(order));
  }

  #take(line: string): void {
    const event = eventOf(line);
    if (event?.event === "listening") this.#port = Number(event["port"]);
    if (event?.event === "state") this.#state = event as unknown as LibtorrentState;
  }
}

export interface SeederSwarm {
  readonly peers: readonly PeerEnd[];
  readonly process: TestProcess;
  stop(): Promise<void>;
}

/** `count` seeders in one process, each on an address of its own (10.77.0.101 …); limits count for each. */
export async function startSeederSwarm(
  options: Omit<LibtorrentOptions, "host" | "port" | "seed"> & { readonly count: number },
): Promise<SeederSwarm> {
  const hosts = Array.from({ length: options.count }, (_, index) => `10.77.0.${101 + index}`);
  const peers: PeerEnd[] = [];
  const child = startProcess(COMMAND, {
    onLine: (line) => {
      const event = eventOf(line);
      if (event?.event === "listening")
        peers.push({ host: String(event["host"]), port: Number(event["port"]) });
    },
  });
  child.writeLine(JSON.stringify(jobOf({ ...options, seed: true }, hosts)));
  await child.waitForLine('"event": "state"', 30_000);
  return { peers, process: child, stop: async () => void (await child.stop("SIGKILL")) };
}

function eventOf(line: string): ({ event: string } & Record<string, unknown>) | null {
  return line.startsWith('{"event"') ? JSON.parse(line) : null;
}

function jobOf(options: LibtorrentOptions, hosts: readonly string[]): Record<string, unknown> {
  return {
    hosts,
    port: options.port ?? 0,
    ...(options.magnet === undefined ? { torrent: options.torrentPath } : { magnet: options.magnet }),
    save_path: options.saveFolder,
    seed: options.seed ?? false,
    upload_limit: options.uploadLimit ?? -1,
    download_limit: options.downloadLimit ?? -1,
    // Read one by one: an actor's port is no plain property.
    peers: (options.peers ?? []).map((peer) => ({ host: peer.host, port: peer.port })),
    sequential: options.isSequential ?? false,
    dht: options.dht ?? false,
    dht_bootstrap: options.dhtBootstrap ?? "",
    lsd: options.lsd ?? false,
    pex: options.pex ?? false,
    utp: options.utp ?? false,
    report_every_ms: options.reportEveryMs ?? 100,
    settings: options.settings ?? {},
  };
}
