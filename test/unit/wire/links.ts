// What the tests of wire share: a network in memory, handlers that write down what they are told, frames by hand.

import type { PeerAddress } from "../../../src/base/address.ts";
import type { InfoHash } from "../../../src/base/brand.ts";
import type { Clock, Timer } from "../../../src/base/clock.ts";
import { silentLog } from "../../../src/base/log.ts";
import { dialPeer } from "../../../src/wire/dial.ts";
import type {
  BlockTarget,
  LocalIdentity,
  OpenSocket,
  PeerHandler,
  PeerLink,
  PeerNet,
  SocketEvents,
} from "../../../src/wire/ports.ts";
import { BytesTarget } from "../../support/bytes-target.ts";

export const INFO_HASH = "0123456789abcdef0123456789abcdef01234567" as InfoHash;

export function identity(over: Partial<LocalIdentity> = {}): LocalIdentity {
  return {
    infoHash: INFO_HASH,
    peerId: new Uint8Array(20).fill(65),
    hasDht: true,
    listenPort: 6881,
    metadataBytes: null,
    extensions: ["ut_metadata", "ut_pex"],
    clientName: "TorrX test",
    ...over,
  };
}

/** Time that moves only when told to. */
export class HandClock implements Clock {
  #nowMs = 0;
  #tasks: { atMs: number; periodMs: number | null; task: () => void }[] = [];

  nowMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, task: () => void): Timer {
    return this.#add(delayMs, null, task);
  }

  every(periodMs: number, task: () => void): Timer {
    return this.#add(periodMs, periodMs, task);
  }

  get timers(): number {
    return this.#tasks.length;
  }

  advance(ms: number): void {
    const endMs = this.#nowMs + ms;
    for (;;) {
      const due = this.#tasks.filter((entry) => entry.atMs <= endMs).sort((a, b) => a.atMs - b.atMs)[0];
      if (due === undefined) break;
      this.#nowMs = due.atMs;
      if (due.periodMs === null) this.#tasks = this.#tasks.filter((entry) => entry !== due);
      else due.atMs += due.periodMs;
      due.task();
    }
    this.#nowMs = endMs;
  }

  #add(delayMs: number, periodMs: number | null, task: () => void): Timer {
    const entry = { atMs: this.#nowMs + delayMs, periodMs, task };
    this.#tasks.push(entry);
    return {
      cancel: () => {
        this.#tasks = this.#tasks.filter((other) => other !== entry);
      },
    };
  }
}

/** One end of a connection whose other end is the test. */
export class HandSocket implements OpenSocket {
  readonly remote: PeerAddress;
  readonly written: number[] = [];
  writes = 0;
  /** How many bytes it takes before it is full. */
  roomBytes = Number.POSITIVE_INFINITY;
  isPaused = true;
  isDestroyed = false;
  #events: SocketEvents | null = null;

  constructor(host = "10.0.0.9") {
    this.remote = { host, port: 4000 };
  }

  start(events: SocketEvents): void {
    this.#events = events;
    this.isPaused = false;
  }

  write(bytes: Uint8Array): number {
    const taken = Math.min(bytes.length, this.roomBytes);
    this.writes++;
    this.roomBytes -= taken;
    for (let i = 0; i < taken; i++) this.written.push(bytes[i]!);
    return taken;
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  destroy(): void {
    this.isDestroyed = true;
    this.drop(null);
  }

  /** What arrives from the remote; the chunk is spoilt afterwards, as a socket's own buffer would be. */
  arrive(...parts: Uint8Array[]): Promise<void> {
    const chunk = Buffer.concat(parts);
    this.#events?.onData(chunk);
    chunk.fill(0xee);
    return turn();
  }

  drain(roomBytes = Number.POSITIVE_INFINITY): void {
    this.roomBytes = roomBytes;
    this.#events?.onDrain();
  }

  drop(error: Error | null): void {
    const events = this.#events;
    this.#events = null;
    events?.onClose(error);
  }

  /** Takes what was written so far. */
  take(): Uint8Array {
    return new Uint8Array(this.written.splice(0));
  }
}

/** Lets every microtask run. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Writes down each call as a line; blocks go to `targets`. */
export class Recorder implements PeerHandler {
  readonly lines: string[] = [];
  readonly blocks = new Map<string, Uint8Array>();
  isTaking = true;
  /** Thrown from the handler method of this name. */
  readonly throwing = new Map<string, Error>();

  #note(name: string, ...values: unknown[]): void {
    this.lines.push([name, ...values.map(String)].join(" "));
    const error = this.throwing.get(name);
    if (error !== undefined) throw error;
  }

  onHandshake = () => this.#note("handshake");
  onExtendedHandshake = (remote: { extensions: ReadonlySet<string> }) =>
    this.#note("extended-handshake", [...remote.extensions].sort());
  onExtended = (name: string, payload: Uint8Array) =>
    this.#note("extended", name, Buffer.from(payload).toString("hex"));
  onChoke = () => this.#note("choke");
  onUnchoke = () => this.#note("unchoke");
  onInterested = () => this.#note("interested");
  onNotInterested = () => this.#note("not-interested");
  onHave = (piece: number) => this.#note("have", piece);
  onBitfield = (bits: Uint8Array) => this.#note("bitfield", Buffer.from(bits).toString("hex"));
  onHaveAll = () => this.#note("have-all");
  onHaveNone = () => this.#note("have-none");
  onAllowedFast = (piece: number) => this.#note("allowed-fast", piece);
  onReject = (piece: number, begin: number, length: number) => this.#note("reject", piece, begin, length);
  onRequest = (piece: number, begin: number, length: number) => this.#note("request", piece, begin, length);
  onCancel = (piece: number, begin: number, length: number) => this.#note("cancel", piece, begin, length);
  onDhtPort = (port: number) => this.#note("port", port);
  onBlock = (piece: number, begin: number, length: number) => this.#note("block", piece, begin, length);
  onBlockAborted = (piece: number, begin: number, length: number) =>
    this.#note("aborted", piece, begin, length);
  onDrain = () => this.#note("drain");
  onClose = (reason: string) => this.#note("close", reason);

  blockTarget(piece: number, begin: number, length: number): BlockTarget | null {
    if (!this.isTaking) return null;
    const target = new BytesTarget(new Uint8Array(length), begin);
    this.blocks.set(`${piece}/${begin}`, target.bytes);
    return target;
  }
}

export const frames = {
  handshake(over: { infoHash?: string; peerId?: Uint8Array; reserved?: readonly number[] } = {}): Uint8Array {
    const bytes = Buffer.alloc(68);
    bytes.write("\x13BitTorrent protocol", "latin1");
    bytes.set(over.reserved ?? [0, 0, 0, 0, 0, 0x10, 0, 0x05], 20);
    bytes.write(over.infoHash ?? INFO_HASH, 28, "hex");
    bytes.set(over.peerId ?? new Uint8Array(20).fill(66), 48);
    return new Uint8Array(bytes);
  },
  of(id: number, body: Uint8Array | readonly number[] = []): Uint8Array {
    const bytes = Buffer.alloc(5 + body.length);
    bytes.writeUInt32BE(1 + body.length);
    bytes[4] = id;
    bytes.set(body, 5);
    return new Uint8Array(bytes);
  },
  numbers(id: number, ...values: number[]): Uint8Array {
    const body = Buffer.alloc(4 * values.length);
    values.forEach((value, i) => {
      body.writeUInt32BE(value >>> 0, 4 * i);
    });
    return frames.of(id, body);
  },
  piece(piece: number, begin: number, block: Uint8Array): Uint8Array {
    const body = Buffer.alloc(8 + block.length);
    body.writeUInt32BE(piece >>> 0, 0);
    body.writeUInt32BE(begin >>> 0, 4);
    body.set(block, 8);
    return frames.of(7, body);
  },
  extended(id: number, payload: string | Uint8Array): Uint8Array {
    return frames.of(
      20,
      Buffer.concat([
        Buffer.from([id]),
        typeof payload === "string" ? Buffer.from(payload, "latin1") : payload,
      ]),
    );
  },
};

export interface Rig {
  readonly clock: HandClock;
  readonly socket: HandSocket;
  readonly handler: Recorder;
  readonly link: PeerLink;
}

/** A dialled link whose remote is the test; our handshake is already taken from the socket. */
export async function dialled(over: Partial<LocalIdentity> = {}): Promise<Rig> {
  const clock = new HandClock();
  const socket = new HandSocket();
  const handler = new Recorder();
  const net: PeerNet = {
    dial: () => Promise.resolve(socket),
    listen: () => Promise.reject(new Error("not here")),
  };
  const link = await dialPeer(
    { net, clock, log: silentLog },
    {
      address: socket.remote,
      timeoutMs: 1000,
      signal: new AbortController().signal,
      identity: identity(over),
      createHandler: () => handler,
    },
  );
  return { clock, socket, handler, link };
}

/** The same after both handshakes, lines and bytes so far forgotten. */
export async function connected(over: Partial<LocalIdentity> = {}): Promise<Rig> {
  const rig = await dialled(over);
  await rig.socket.arrive(frames.handshake());
  rig.handler.lines.length = 0;
  rig.socket.take();
  return rig;
}

/** 10 pieces of 32 KiB, the last of 20 KiB. */
export const PIECES = {
  pieceCount: 10,
  pieceLength: (piece: number) => (piece === 9 ? 20 * 1024 : 32 * 1024),
};
