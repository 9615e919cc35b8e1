// Serves one file on loopback with ranges, as the player's own route does for a torrent: it may stall, break off, or
// refuse, and knows who asked for what.

import { closeSync, openSync, readSync, statSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { LoopbackInput } from "../../src/media/ports.ts";
import type { OpenInput } from "../../src/media/runs/ports.ts";

const CHUNK_BYTES = 64 * 1024;

export class FilmServer {
  readonly #server: Server;
  readonly #descriptor: number;
  readonly lengthBytes: number;
  /** Where the requests of each input began. */
  readonly ranges: number[] = [];
  /** What openInput was told. */
  readonly openedFrom: (number | null)[] = [];
  /** Inputs that are open now. */
  openInputs = 0;
  /** No byte from here on is sent while it is set. */
  #gateBytes = Number.POSITIVE_INFINITY;
  #openGate: (() => void)[] = [];
  /** Set: the next connection breaks off here, once. */
  breakAtBytes: number | null = null;
  /** Answered instead of bytes. */
  refuseWith: number | null = null;

  private constructor(path: string) {
    this.#descriptor = openSync(path, "r");
    this.lengthBytes = statSync(path).size;
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  static async start(path: string): Promise<FilmServer> {
    const server = new FilmServer(path);
    await new Promise<void>((resolve) => server.#server.listen(0, "127.0.0.1", resolve));
    return server;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  readonly openInput: OpenInput = (fromBytes) => {
    this.openedFrom.push(fromBytes);
    this.openInputs++;
    let isOpen = true;
    const input: LoopbackInput = {
      url: `http://127.0.0.1:${this.port}/film?token=abc`,
      close: () => {
        if (isOpen) this.openInputs--;
        isOpen = false;
      },
    };
    return Promise.resolve(input);
  };

  /** Bytes from here on are missing until missFrom(Infinity). */
  missFrom(bytes: number): void {
    this.#gateBytes = bytes;
    for (const open of this.#openGate.splice(0)) open();
  }

  close(): void {
    this.missFrom(Number.POSITIVE_INFINITY);
    this.#server.closeAllConnections();
    this.#server.close();
    closeSync(this.#descriptor);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const asked = /bytes=(\d+)-/.exec(request.headers.range ?? "");
    const from = Number(asked?.[1] ?? 0);
    this.ranges.push(from);
    if (this.refuseWith !== null) {
      response.writeHead(this.refuseWith).end();
      return;
    }
    response.writeHead(206, {
      "content-length": this.lengthBytes - from,
      "accept-ranges": "bytes",
      "content-range": `bytes ${from}-${this.lengthBytes - 1}/${this.lengthBytes}`,
    });
    let isGone = false;
    let wake: () => void = () => undefined;
    response.on("close", () => {
      isGone = true;
      wake();
    });
    response.on("drain", () => wake());
    for (let at = from; at < this.lengthBytes && !isGone; ) {
      while (at >= this.#gateBytes && !isGone) {
        await new Promise<void>((resolve) => {
          wake = resolve;
          this.#openGate.push(resolve);
        });
      }
      if (isGone) return;
      if (this.breakAtBytes !== null && at >= this.breakAtBytes) {
        this.breakAtBytes = null;
        response.destroy();
        return;
      }
      const chunk = new Uint8Array(Math.min(CHUNK_BYTES, this.lengthBytes - at, this.#gateBytes - at));
      readSync(this.#descriptor, chunk, 0, chunk.length, at);
      at += chunk.length;
      if (!response.write(chunk)) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
    response.end();
  }
}
