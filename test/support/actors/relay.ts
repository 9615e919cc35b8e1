// A TCP relay in front of a real peer that notes every frame of the wire protocol (BEP 3) as it passes, with its time.
// Bytes go through unchanged and with back-pressure; an encrypted connection passes too, but its frames stay unknown.
// It can be the narrow place of a swarm: what comes from the target then passes at a given rate, all connections together.

import { createConnection, createServer, type Socket } from "node:net";
import { PRIVATE_ADDRESS } from "../namespace.ts";
import type { PeerEnd } from "./actor.ts";

const FRAME_NAMES = [
  "choke",
  "unchoke",
  "interested",
  "uninterested",
  "have",
  "bitfield",
  "request",
  "piece",
  "cancel",
] as const;
export type FrameName = (typeof FRAME_NAMES)[number] | "handshake" | "keep-alive" | "extended" | "other";

export interface SeenFrame {
  /** performance.now() when its first bytes passed. */
  readonly atMs: number;
  readonly connection: number;
  readonly isToTarget: boolean;
  readonly name: FrameName;
  /** Of have, request, piece and cancel. */
  readonly piece: number | null;
  readonly beginBytes: number | null;
  /** Of the whole frame behind its length field. */
  readonly lengthBytes: number;
}

export interface Relay extends PeerEnd {
  readonly peer: string;
  readonly frames: readonly SeenFrame[];
  /** The first frame from now on that `wants` accepts. */
  waitForFrame(wants: (frame: SeenFrame) => boolean, withinMs?: number): Promise<SeenFrame>;
  stop(): Promise<void>;
}

export interface RelayOptions {
  readonly host?: string;
  /** From the target, of all connections together; limitless where it is not given. */
  readonly bytesPerSec?: number;
}

export async function startRelay(target: PeerEnd, options: RelayOptions = {}): Promise<Relay> {
  const host = options.host ?? PRIVATE_ADDRESS;
  const pace = options.bytesPerSec === undefined ? null : new Pace(options.bytesPerSec);
  const frames: SeenFrame[] = [];
  const waiters = new Set<(frame: SeenFrame) => void>();
  const sockets = new Set<Socket>();
  const note = (frame: SeenFrame) => {
    frames.push(frame);
    for (const waiter of [...waiters]) waiter(frame);
  };
  let connections = 0;
  const server = createServer((client) => {
    const connection = connections++;
    const behind = createConnection({ host: target.host, port: target.port });
    join(client, behind, { reader: new FrameReader(connection, true, note), sockets, pace: null });
    join(behind, client, { reader: new FrameReader(connection, false, note), sockets, pace });
  });
  const port = await listen(server, host);
  return {
    host,
    port,
    peer: `${host}:${port}`,
    frames,
    async waitForFrame(wants, withinMs = 10_000) {
      const { promise, resolve, reject } = Promise.withResolvers<SeenFrame>();
      const waiter = (frame: SeenFrame) => (wants(frame) ? resolve(frame) : undefined);
      const timer = setTimeout(() => reject(new Error(`no such frame in ${withinMs} ms`)), withinMs);
      waiters.add(waiter);
      try {
        return await promise;
      } finally {
        clearTimeout(timer);
        waiters.delete(waiter);
      }
    },
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

interface Passage {
  readonly reader: FrameReader;
  readonly sockets: Set<Socket>;
  readonly pace: Pace | null;
}

function join(from: Socket, to: Socket, { reader, sockets, pace }: Passage): void {
  sockets.add(from);
  from.setNoDelay(true);
  const pass = (bytes: Buffer) => {
    if (to.destroyed) return true;
    reader.take(bytes);
    return to.write(bytes);
  };
  from.on("data", (chunk) => {
    if (pace === null) {
      if (!pass(chunk as Buffer)) from.pause();
      return;
    }
    from.pause();
    pace.pass(chunk as Buffer, pass, () => from.resume());
  });
  to.on("drain", () => (pace === null ? from.resume() : undefined));
  // One side's end is the other's end; errors (a reset) end both and are no failure of the relay.
  from.on("error", () => to.destroy());
  from.on("end", () => to.end());
  from.on("close", () => {
    sockets.delete(from);
    to.destroy();
  });
}

const SLICE_BYTES = 4096;

/** Lets bytes through at one rate, slice by slice, in the order in which they came. */
class Pace {
  readonly #msPerByte: number;
  #freeAtMs = 0;

  constructor(bytesPerSec: number) {
    this.#msPerByte = 1000 / bytesPerSec;
  }

  pass(chunk: Buffer, pass: (bytes: Buffer) => boolean, done: () => void): void {
    const nowMs = performance.now();
    let at = 0;
    this.#freeAtMs = Math.max(this.#freeAtMs, nowMs - 1);
    while (at < chunk.length && this.#freeAtMs <= nowMs) {
      const slice = chunk.subarray(at, at + SLICE_BYTES);
      pass(slice);
      at += slice.length;
      this.#freeAtMs += slice.length * this.#msPerByte;
    }
    if (at >= chunk.length) done();
    else setTimeout(() => this.pass(chunk.subarray(at), pass, done), Math.max(1, this.#freeAtMs - nowMs));
  }
}

async function listen(server: ReturnType<typeof createServer>, host: string): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, host, resolve);
  });
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

const HANDSHAKE_BYTES = 68;
/** Length, id and the two numbers that some frames begin with. */
const HEAD_BYTES = 13;

/** Follows one direction of a connection and keeps no more than the head of the current frame. */
class FrameReader {
  readonly #connection: number;
  readonly #isToTarget: boolean;
  readonly #note: (frame: SeenFrame) => void;
  #head = Buffer.alloc(0);
  #skipBytes = 0;
  #isShaken = false;
  #isOpaque = false;

  constructor(connection: number, isToTarget: boolean, note: (frame: SeenFrame) => void) {
    this.#connection = connection;
    this.#isToTarget = isToTarget;
    this.#note = note;
  }

  take(chunk: Buffer): void {
    let rest = chunk;
    while (rest.length > 0 && !this.#isOpaque) {
      const skipped = Math.min(this.#skipBytes, rest.length);
      this.#skipBytes -= skipped;
      rest = rest.subarray(skipped);
      if (rest.length > 0) rest = this.#takeHead(rest);
    }
  }

  /** Adds to the head until it is whole; gives back what is behind it. */
  #takeHead(bytes: Buffer): Buffer {
    const before = this.#head.length;
    this.#head = Buffer.concat([this.#head, bytes.subarray(0, HANDSHAKE_BYTES - before)]);
    const used = this.#isShaken ? this.#frame() : this.#handshake();
    if (used === 0) return bytes.subarray(this.#head.length - before);
    this.#head = Buffer.alloc(0);
    return bytes.subarray(used - before);
  }

  #handshake(): number {
    if (this.#head.length < HANDSHAKE_BYTES) return 0;
    this.#isOpaque = this.#head[0] !== 19;
    this.#isShaken = true;
    if (!this.#isOpaque) this.#say("handshake", HANDSHAKE_BYTES);
    return HANDSHAKE_BYTES;
  }

  /** Bytes of the head that belong to a whole one, 0 when more are needed. */
  #frame(): number {
    if (this.#head.length < 4) return 0;
    const lengthBytes = this.#head.readUInt32BE(0);
    const headBytes = Math.min(HEAD_BYTES, 4 + lengthBytes);
    if (this.#head.length < headBytes) return 0;
    this.#skipBytes = 4 + lengthBytes - headBytes;
    this.#say(lengthBytes === 0 ? "keep-alive" : nameOf(this.#head[4] ?? 0), lengthBytes);
    return headBytes;
  }

  #say(name: FrameName, lengthBytes: number): void {
    const hasPiece = name === "have" || name === "request" || name === "piece" || name === "cancel";
    this.#note({
      atMs: performance.now(),
      connection: this.#connection,
      isToTarget: this.#isToTarget,
      name,
      piece: hasPiece ? this.#head.readUInt32BE(5) : null,
      beginBytes: hasPiece && name !== "have" ? this.#head.readUInt32BE(9) : null,
      lengthBytes,
    });
  }
}

function nameOf(id: number): FrameName {
  return id === 20 ? "extended" : (FRAME_NAMES[id] ?? "other");
}
