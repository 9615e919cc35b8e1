// A viewer of its own who reads one stream at a pace, or stops reading, and compares every byte with the file.

import { closeSync, openSync, readSync } from "node:fs";
import type { Socket } from "node:net";
import { openStream, readBody } from "../support/raw-stream.ts";
import type { Torrx } from "../support/torrx.ts";

const MIB = 1024 * 1024;
/** What a reader that stops takes first: its stream then has a place and a pace. */
const TAKEN_BEFORE_STOP_BYTES = MIB;
/** The pace is kept to within this. */
const SLACK_MS = 20;

export interface SlowReaderOptions {
  readonly server: Torrx;
  /** Of the file, with or without a token; the login is sent as well. */
  readonly path: string;
  /** What the server ought to send. */
  readonly source: string;
  readonly startBytes: number;
  readonly bytesPerSec: number;
  readonly stops?: boolean;
  /** One for each reader: the User-Agent tells viewers apart. */
  readonly viewer: string;
}

export class SlowReader {
  readonly #options: SlowReaderOptions;
  readonly #socket: Socket;
  readonly #source: number;
  readonly #expected = Buffer.alloc(MIB);
  #received = 0;
  #startMs = performance.now();
  #fault: Error | null = null;
  #isClosed = false;

  constructor(options: SlowReaderOptions) {
    const { server, path, startBytes, viewer } = options;
    this.#options = options;
    this.#source = openSync(options.source, "r");
    this.#socket = openStream({
      port: server.port,
      path: `${path.split("?")[0]}?mode=direct`,
      headers: {
        authorization: server.authorization,
        "user-agent": viewer,
        range: `bytes=${startBytes}-`,
      },
    });
    readBody(this.#socket, (bytes) => this.#take(bytes)).then(
      () => this.#end(new Error("the server closed the connection")),
      (error) => this.#end(error),
    );
  }

  get receivedBytes(): number {
    return this.#received;
  }

  /** @throws what went wrong with this stream, if anything did. */
  check(): void {
    if (this.#fault !== null) {
      throw new Error(`${this.#options.viewer} after ${this.#received} bytes: ${this.#fault.message}`);
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#socket.destroy();
    closeSync(this.#source);
  }

  #end(fault: Error): void {
    if (!this.#isClosed) this.#fault ??= fault;
  }

  #take(bytes: Buffer): void {
    if (this.#isClosed) return;
    if (this.#received === 0) this.#startMs = performance.now();
    this.#compare(bytes);
    this.#received += bytes.length;
    const { stops, bytesPerSec } = this.#options;
    if (stops) {
      if (this.#received >= TAKEN_BEFORE_STOP_BYTES) this.#socket.pause();
      return;
    }
    const dueMs = this.#startMs + (this.#received * 1000) / bytesPerSec;
    const earlyMs = dueMs - performance.now();
    if (earlyMs < SLACK_MS) return;
    this.#socket.pause();
    setTimeout(() => this.#socket.resume(), earlyMs);
  }

  #compare(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; at += MIB) {
      const part = bytes.subarray(at, at + MIB);
      const place = this.#options.startBytes + this.#received + at;
      readSync(this.#source, this.#expected, 0, part.length, place);
      if (!part.equals(this.#expected.subarray(0, part.length))) {
        this.#end(new Error(`wrong bytes behind ${place}`));
      }
    }
  }
}
