// Two links of our own over real loopback sockets, and a peer that announces far more than it may.

import { afterEach, describe, expect, test } from "bun:test";
import { systemClock } from "../../src/base/clock.ts";
import { silentLog } from "../../src/base/log.ts";
import { bunPeerNet, dialPeer, listenForPeers, type PeerLink } from "../../src/wire/index.ts";
import { frames, identity, Recorder } from "../unit/wire/links.ts";

const deps = { net: bunPeerNet, clock: systemClock, log: silentLog };
const NEVER = new AbortController().signal;
const PIECE_BYTES = 256 * 1024;
const BLOCK = 16 * 1024;
const BLOCKS = PIECE_BYTES / BLOCK;
const pieces = { pieceCount: 64, pieceLength: () => PIECE_BYTES };
const open: { close(): void }[] = [];

afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

function blockOf(piece: number, begin: number): Uint8Array {
  return new Uint8Array(BLOCK).fill((piece * 31 + begin / BLOCK) & 0xff);
}

/** Serves every request; keeps what is not sent within bounds by answering as the queue drains. */
class Seeder extends Recorder {
  link: PeerLink | null = null;
  override onHandshake = () => {
    this.link?.setPieces(pieces);
    this.link?.sendHaves("all");
    this.link?.unchoke();
    this.link?.flush();
  };
  override onRequest = (piece: number, begin: number) => {
    this.link?.piece(piece, begin, blockOf(piece, begin));
    if ((this.link?.queuedBytes ?? 0) >= 8 * BLOCK) this.link?.flush();
  };
}

/** Fetches all pieces, `window` blocks outstanding. */
class Leecher extends Recorder {
  link: PeerLink | null = null;
  readonly done = Promise.withResolvers<string>();
  next = 0;
  wrong = 0;
  received = 0;

  override onHandshake = () => {
    this.link?.setPieces(pieces);
    this.link?.interested();
    this.link?.flush();
  };
  override onUnchoke = () => this.ask(100);
  override onBlock = (piece: number, begin: number) => {
    const got = this.blocks.get(`${piece}/${begin}`);
    if (got === undefined || Buffer.compare(got, blockOf(piece, begin)) !== 0) this.wrong++;
    this.blocks.delete(`${piece}/${begin}`);
    if (++this.received === pieces.pieceCount * BLOCKS) this.done.resolve("all");
    else this.ask(1);
  };
  override onClose = (reason: string) => this.done.resolve(reason);

  ask(count: number): void {
    for (let i = 0; i < count && this.next < pieces.pieceCount * BLOCKS; i++, this.next++) {
      this.link?.request(Math.floor(this.next / BLOCKS), (this.next % BLOCKS) * BLOCK, BLOCK);
    }
    this.link?.flush();
  }
}

describe("two links", () => {
  test.each(["127.0.0.1", "::1"])(
    "carry 16 MiB of right blocks over %s",
    async (host) => {
      const seeder = new Seeder();
      const listener = await listenForPeers(deps, {
        host,
        port: 0,
        acceptor: {
          accept: (_, link) => {
            seeder.link = link;
            return { identity: identity({ peerId: new Uint8Array(20).fill(83) }), handler: seeder };
          },
        },
      });
      const leecher = new Leecher();
      const link = await dialPeer(deps, {
        address: { host, port: listener.port },
        timeoutMs: 2000,
        signal: NEVER,
        identity: identity(),
        createHandler: (made) => {
          leecher.link = made;
          return leecher;
        },
      });
      open.push(listener, { close: () => link.close("test over") });
      const flushing = setInterval(() => seeder.link?.flush(), 1);
      open.push({ close: () => clearInterval(flushing) });
      expect(await leecher.done.promise).toBe("all");
      expect(leecher.wrong).toBe(0);
      expect(link.traffic.payloadIn).toBe(pieces.pieceCount * PIECE_BYTES);
      expect(link.connectMs).toBeGreaterThanOrEqual(0);
      expect(leecher.lines).toContain("have-all");
      expect(leecher.lines).toContain("extended-handshake ut_metadata,ut_pex");
    },
    20_000,
  );
});

/** Connects to `port`, sends `head`, then `body` over and over up to `limitBytes`, and reads to the end. */
function attack(port: number, head: Uint8Array, body: Uint8Array, limitBytes: number) {
  const script = `
import socket, sys
s = socket.create_connection(("127.0.0.1", ${port}))
s.sendall(bytes.fromhex(sys.argv[1]))
body = bytes.fromhex(sys.argv[2])
sent = 0
try:
    while sent < ${limitBytes}:
        s.sendall(body); sent += len(body)
    s.shutdown(socket.SHUT_WR)
    while s.recv(65536): pass
except OSError:
    pass
print(sent, flush=True)`;
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
  return Bun.spawn(["python3", "-c", script, hex(head), hex(body)], { stdout: "pipe" });
}

/** The longest that we held up our own loop, in milliseconds: time in which another process had the CPU is not ours. */
function watchLag(): { readonly maxMs: number } {
  const lag = { maxMs: 0 };
  let lastMs = performance.now();
  let lastCpu = process.cpuUsage();
  const timer = setInterval(() => {
    const used = process.cpuUsage(lastCpu);
    const heldMs = Math.min(performance.now() - lastMs - 1, (used.user + used.system) / 1000);
    lag.maxMs = Math.max(lag.maxMs, heldMs);
    lastMs = performance.now();
    lastCpu = process.cpuUsage();
  }, 1);
  open.push({ close: () => clearInterval(timer) });
  return lag;
}

async function victim() {
  const handler = new Recorder();
  const closed = Promise.withResolvers<string>();
  handler.onClose = closed.resolve;
  const acceptor = { accept: () => ({ identity: identity(), handler }) };
  const listener = await listenForPeers(deps, { host: "127.0.0.1", port: 0, acceptor });
  open.push(listener);
  return { handler, port: listener.port, closed: closed.promise };
}

describe("a hostile peer", () => {
  test("that announces 2 GiB is gone at once, with the loop free and memory flat", async () => {
    const { port, closed } = await victim();
    const head = Buffer.concat([frames.handshake(), new Uint8Array([0x7f, 0xff, 0xff, 0xff, 5])]);
    const lag = watchLag();
    const rssBefore = process.memoryUsage.rss();
    const attacker = attack(port, head, new Uint8Array(32 << 10), 64 << 20);
    expect(await closed).toBe("frame_too_large");
    expect(Number(await new Response(attacker.stdout).text())).toBeLessThan(64 << 20);
    expect(lag.maxMs).toBeLessThan(50);
    expect(process.memoryUsage.rss() - rssBefore).toBeLessThan(8 << 20);
  }, 20_000);

  test("that floods small frames holds up nobody else", async () => {
    const { port, handler, closed } = await victim();
    const haves = Buffer.concat(Array.from({ length: 2000 }, (_, i) => frames.numbers(4, i)));
    const lag = watchLag();
    await attack(port, frames.handshake(), haves, 1 << 20).exited;
    expect(await closed).toBe("remote");
    expect(handler.lines.filter((line) => line.startsWith("have")).length).toBe(2000);
    expect(lag.maxMs).toBeLessThan(50);
  }, 20_000);
});
