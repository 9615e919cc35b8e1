import { beforeEach, describe, expect, test } from "bun:test";
import { Bitfield } from "../../../src/base/bitfield.ts";
import { BLOCK_BYTES, LIMITS } from "../../../src/base/limits.ts";
import { silentLog } from "../../../src/base/log.ts";
import { Uploader } from "../../../src/engine/uploader.ts";
import type { TorrentStore } from "../../../src/store/index.ts";
import { makeTorrent } from "../../support/store-torrent.ts";
import { fakePeer } from "./fake-peer.ts";

const PIECE = 64 * BLOCK_BYTES;
const torrent = makeTorrent({ files: [{ path: "a", lengthBytes: 2 * PIECE }], pieceLengthBytes: PIECE });

class Reads {
  have = Bitfield.full(2);
  readonly lines: string[] = [];
  readonly #waiting: { resolve(bytes: Uint8Array): void; reject(error: Error): void; bytes: Uint8Array }[] =
    [];

  read(offset: number, length: number): Promise<Uint8Array> {
    this.lines.push(`${offset / BLOCK_BYTES}+${length / BLOCK_BYTES}`);
    return new Promise((resolve, reject) =>
      this.#waiting.push({ resolve, reject, bytes: torrent.bytes.slice(offset, offset + length) }),
    );
  }

  async answer(error?: Error): Promise<void> {
    for (const read of this.#waiting.splice(0)) {
      if (error === undefined) read.resolve(read.bytes);
      else read.reject(error);
    }
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}

let reads: Reads;
let allowedBytes: number;
let sentBytes: number;
let uploader: Uploader;

beforeEach(() => {
  reads = new Reads();
  allowedBytes = Number.POSITIVE_INFINITY;
  sentBytes = 0;
  uploader = new Uploader({
    store: reads as unknown as TorrentStore,
    geometry: torrent.geometry,
    log: silentLog,
    allowance: {
      available: () => allowedBytes,
      take: (bytes) => {
        allowedBytes -= bytes;
      },
    },
    onSent: (_peer, bytes) => {
      sentBytes += bytes;
    },
  });
});

function unchokedPeer() {
  const made = fakePeer();
  made.peer.amChoking = false;
  return made;
}

function ask({ peer }: ReturnType<typeof fakePeer>, ...blocks: number[]): boolean[] {
  return blocks.map((block) => uploader.request(peer, 0, block * BLOCK_BYTES, BLOCK_BYTES));
}

describe("the uploader", () => {
  test("neighbouring requests are read in one run and sent in order with the right bytes", async () => {
    const one = unchokedPeer();
    ask(one, 0, 1, 2, 3, 7, 8);
    expect(reads.lines).toEqual(["0+1"]);
    await reads.answer();
    expect(reads.lines).toEqual(["0+1", "1+3"]);
    await reads.answer();
    await reads.answer();
    expect(reads.lines).toEqual(["0+1", "1+3", "7+2"]);
    expect(one.link.take()).toEqual(
      [0, 1, 2, 3, 7, 8].map((block) => `piece 0 ${block * BLOCK_BYTES} ${BLOCK_BYTES}`),
    );
    const sent = Buffer.concat(one.link.blocks.slice(0, 4));
    expect(sent.equals(Buffer.from(torrent.bytes.subarray(0, 4 * BLOCK_BYTES)))).toBe(true);
    expect(sentBytes).toBe(6 * BLOCK_BYTES);
  });

  test("a run is no longer than 256 KiB", async () => {
    const one = unchokedPeer();
    ask(one, ...Array.from({ length: 40 }, (_, block) => block));
    await reads.answer();
    expect(reads.lines).toEqual(["0+1", "1+16"]);
  });

  test("a cancelled request is not sent, and is rejected", async () => {
    const one = unchokedPeer();
    ask(one, 0, 1, 2);
    uploader.cancel(one.peer, 0, BLOCK_BYTES);
    await reads.answer();
    await reads.answer();
    expect(one.link.take()).toEqual([
      `reject 0 ${BLOCK_BYTES} ${BLOCK_BYTES}`,
      `piece 0 0 ${BLOCK_BYTES}`,
      `piece 0 ${2 * BLOCK_BYTES} ${BLOCK_BYTES}`,
    ]);
  });

  test("a choke voids what waits; without BEP 6 also what is being read", async () => {
    const [fast, plain] = [unchokedPeer(), unchokedPeer()];
    plain.link.hasFast = false;
    for (const one of [fast, plain]) {
      ask(one, 0, 1);
      one.peer.amChoking = true;
      uploader.choked(one.peer);
    }
    await reads.answer();
    expect(fast.link.take()).toEqual([`reject 0 ${BLOCK_BYTES} ${BLOCK_BYTES}`, `piece 0 0 ${BLOCK_BYTES}`]);
    expect(plain.link.take()).toEqual([]);
  });

  test("requests while choked are borne in bounds, and forgotten with the next unchoke", () => {
    const one = fakePeer();
    const borne = LIMITS.peer.requestsTaken + LIMITS.peer.chokedRequests;
    const flood = () => ask(one, ...Array.from({ length: borne }, () => 0)).every(Boolean);
    expect(flood()).toBe(true);
    expect(ask(one, 0)).toEqual([false]);
    uploader.unchoked(one.peer);
    expect(flood()).toBe(true);
    expect(reads.lines).toEqual([]);
  });

  test("requests of what is not there are refused, and in the end a fault", () => {
    const one = unchokedPeer();
    reads.have = new Bitfield(2);
    const { invalidRequests } = LIMITS.peer;
    expect(ask(one, ...Array.from({ length: invalidRequests }, () => 0)).every(Boolean)).toBe(true);
    uploader.unchoked(one.peer);
    expect(uploader.request(one.peer, 9, 0, BLOCK_BYTES)).toBe(false);
    expect(one.link.take()[0]).toBe(`reject 0 0 ${BLOCK_BYTES}`);
  });

  test("a queue that is full refuses more but keeps the peer", () => {
    const one = unchokedPeer();
    allowedBytes = 0;
    const full = LIMITS.peer.requestsTaken + 250;
    expect(ask(one, ...Array.from({ length: full + 1 }, () => 0)).every(Boolean)).toBe(true);
    expect(one.link.take()).toEqual([`reject 0 0 ${BLOCK_BYTES}`]);
  });

  test("a flood past the full queue is a fault in the end", () => {
    const one = unchokedPeer();
    allowedBytes = 0;
    const { requestsTaken, chokedRequests } = LIMITS.peer;
    const borne = requestsTaken + 250 + requestsTaken + chokedRequests;
    expect(ask(one, ...Array.from({ length: borne }, () => 0)).every(Boolean)).toBe(true);
    expect(ask(one, 0)).toEqual([false]);
  });

  test("under a rate limit nothing is read without allowance, and every peer gets its turn", async () => {
    const peers = [unchokedPeer(), unchokedPeer(), unchokedPeer()];
    allowedBytes = 0;
    for (const one of peers) ask(one, 0, 2, 4, 6, 8, 10);
    expect(reads.lines).toEqual([]);
    for (let tick = 0; tick < 6; tick++) {
      allowedBytes = BLOCK_BYTES;
      uploader.pumpAll();
      await reads.answer();
    }
    expect(peers.map(({ link }) => link.take().length)).toEqual([2, 2, 2]);
  });

  test("a peer whose socket is full waits for its drain", async () => {
    const one = unchokedPeer();
    one.link.queuedBytes = 600 * 1024;
    ask(one, 0);
    uploader.pumpAll();
    expect(reads.lines).toEqual([]);
    one.link.queuedBytes = 0;
    uploader.pump(one.peer);
    await reads.answer();
    expect(one.link.take()).toHaveLength(1);
  });

  test("a failed read refuses its run and goes on with the next", async () => {
    const one = unchokedPeer();
    ask(one, 0, 5);
    await reads.answer(new Error("EIO"));
    await reads.answer();
    expect(one.link.take()).toEqual([
      `reject 0 0 ${BLOCK_BYTES}`,
      `piece 0 ${5 * BLOCK_BYTES} ${BLOCK_BYTES}`,
    ]);
    expect(sentBytes).toBe(BLOCK_BYTES);
  });

  test("a peer that is gone gets nothing, and nothing more is read for it", async () => {
    const one = unchokedPeer();
    ask(one, 0, 2, 4);
    uploader.forget(one.peer);
    await reads.answer();
    expect(one.link.take()).toEqual([]);
    expect(reads.lines).toEqual(["0+1"]);
    expect(sentBytes).toBe(0);
  });
});
