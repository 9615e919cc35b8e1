// The real server as a process of its own, as a user runs it, with its data in a temporary folder; and a client for
// its API. Peers on loopback are allowed, the DHT has no routers: nothing leaves the test's network.

import { join, resolve } from "node:path";
import { startProcess, type TestProcess } from "./process.ts";
import { tmpFolder } from "./tmp.ts";

const ROOT = resolve(import.meta.dir, "../..");
/** A server that does not answer is told as such. */
const ANSWER_MS = 60_000;

export interface TorrxOptions {
  /** Data of an earlier server to go on with. */
  readonly folder?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly password?: string;
  /** In front of the command, e.g. ["strace", …]. */
  readonly wrapper?: readonly string[];
}

export interface ApiAnswer<T> {
  readonly status: number;
  readonly body: T;
  readonly headers: Headers;
}

export class Torrx {
  readonly folder: string;
  readonly process: TestProcess;
  readonly authorization: string;
  #port = 0;
  #peerPort = 0;

  private constructor(options: TorrxOptions) {
    this.folder = options.folder ?? tmpFolder("torrx");
    const password = options.password ?? "a password of tests";
    this.authorization = `Basic ${Buffer.from(`admin:${password}`).toString("base64")}`;
    const command = [...(options.wrapper ?? []), process.execPath, join(ROOT, "src/main.ts"), "start"];
    this.process = startProcess(command, {
      cwd: this.folder,
      env: {
        TORRX_SERVER_HOST: "127.0.0.1",
        TORRX_SERVER_PORT: "0",
        TORRX_AUTH_PASSWORD: password,
        TORRX_TORRENT_PORT: "0",
        TORRX_TORRENT_DHT: "false",
        TORRX_TORRENT_ALLOW_LOOPBACK_PEERS: "true",
        ...options.env,
      },
    });
  }

  /** Resolves when the server has said that it is ready. */
  static async start(options: TorrxOptions = {}): Promise<Torrx> {
    return await Torrx.launch(options).ready();
  }

  /** Only starts the process: for starts that are meant to fail or to be cut short. */
  static launch(options: TorrxOptions = {}): Torrx {
    return new Torrx(options);
  }

  /** Resolves when a launched server has said that it is ready. */
  async ready(): Promise<this> {
    const ready = await this.process.waitForLine("TorrX is ready", 20_000);
    this.#port = Number(/ready: \S+:(\d+)/.exec(ready)?.[1]);
    const started = await this.process.waitForLine('"engine started"', 5_000);
    this.#peerPort = (JSON.parse(started) as { port: number }).port;
    return this;
  }

  get port(): number {
    return this.#port;
  }

  /** Where peers reach it. */
  get peerPort(): number {
    return this.#peerPort;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get downloads(): string {
    return join(this.folder, "data", "downloads");
  }

  async call<T = unknown>(method: string, path: string, body?: object): Promise<ApiAnswer<T>> {
    const headers: Record<string, string> = { authorization: this.authorization };
    if (body !== undefined && !(body instanceof FormData)) headers["content-type"] = "application/json";
    const response = await fetch(`${this.origin}${path}`, {
      method,
      headers,
      signal: AbortSignal.timeout(ANSWER_MS),
      ...(body === undefined ? {} : { body: body instanceof FormData ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.includes("json") ?? false;
    return {
      status: response.status,
      headers: response.headers,
      body: (isJson ? JSON.parse(text) : text) as T,
    };
  }

  /** Adds a .torrent by upload and returns the answer's body. */
  async upload<T = { id: string }>(torrentBytes: Uint8Array): Promise<ApiAnswer<T>> {
    const form = new FormData();
    form.append("torrent", new Blob([torrentBytes as Uint8Array<ArrayBuffer>]), "upload.torrent");
    return await this.call<T>("POST", "/api/torrents", form);
  }

  /** Asks for a torrent until `isReached` holds. */
  async waitFor(
    id: string,
    isReached: (torrent: TorrentBody) => boolean,
    options: { withinMs: number; what: string },
  ): Promise<TorrentBody> {
    const endMs = performance.now() + options.withinMs;
    for (;;) {
      const { body } = await this.call<TorrentBody>("GET", `/api/torrents/${id}`);
      if (isReached(body)) return body;
      if (performance.now() > endMs) {
        throw new Error(
          `${options.what}: not in ${options.withinMs} ms; ${JSON.stringify(body)}\n${this.process.tail()}`,
        );
      }
      await Bun.sleep(25);
    }
  }

  async stop(): Promise<void> {
    await this.process.stop();
  }
}

export interface FileBody {
  readonly index: number;
  readonly path: string;
  readonly size: number;
  readonly is_selected: boolean;
  readonly progress: number;
  readonly stream_url: string;
}

export interface TorrentBody {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly progress: number;
  readonly total_size: number | null;
  readonly downloaded: number;
  readonly uploaded: number;
  readonly download_speed: number;
  readonly peers: number;
  readonly files: readonly FileBody[];
}
