// Whatever a tracker answers, reading it ends soon, with bounded values or with a TrackerError.

import { describe, expect, test } from "bun:test";
import { LIMITS } from "../../src/base/limits.ts";
import { type Random, seededRandom } from "../../src/base/random.ts";
import { encodeBencode } from "../../src/metainfo/bencode.ts";
import { classifyAddress } from "../../src/swarm/egress/address-class.ts";
import { parseHttpReply } from "../../src/swarm/trackers/http-reply.ts";
import { TrackerError } from "../../src/swarm/trackers/tracker-error.ts";
import type { TrackerReply } from "../../src/swarm/trackers/tracker-reply.ts";
import { parseAnnounceReply, parseConnectReply } from "../../src/swarm/trackers/udp-packets.ts";

const ROUNDS = Number(process.env["TORRX_FUZZ_ROUNDS"] ?? 30_000);
const SEED = Number(process.env["TORRX_FUZZ_SEED"] ?? Date.now() % 2 ** 31);

const HTTP_SAMPLES = [
  encodeBencode({
    interval: 1800,
    "min interval": 900,
    complete: 3,
    incomplete: 4,
    "tracker id": "x",
    peers: new Uint8Array(60).fill(7),
    peers6: new Uint8Array(54).fill(0x26),
    "warning message": "w",
  }),
  encodeBencode({
    interval: 60,
    peers: [
      { ip: "1.2.3.4", port: 5 },
      { ip: "::1", port: 6, "peer id": "abc" },
    ],
  }),
  encodeBencode({ "failure reason": "no" }),
].map((bytes) => Buffer.from(bytes));

const UDP_SAMPLES = [
  Buffer.from(`00000001000000010000070800000001000000020${"1".repeat(71)}`, "hex"),
  Buffer.from("00000000000000010102030405060708", "hex"),
  Buffer.from("0000000300000001676f2061776179", "hex"),
];

const BITS = [
  "i-1e",
  "i0e",
  "i4294967296e",
  "99999999999999999999",
  "d",
  "l",
  "e",
  "4:",
  "0:",
  "-",
  "i",
  ":",
];

function mutated(samples: readonly Buffer[], random: Random): Uint8Array {
  let bytes = Buffer.from(samples[random.below(samples.length)] ?? []);
  for (let step = random.below(6); step >= 0; step--) {
    const at = random.below(bytes.length + 1);
    const kind = random.below(5);
    if (kind === 0) bytes = bytes.subarray(0, at);
    else if (kind === 1)
      bytes = Buffer.concat([bytes.subarray(0, at), random.bytes(random.below(9)), bytes.subarray(at)]);
    else if (kind === 2) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + random.below(9))]);
    else if (kind === 3) {
      const bit = Buffer.from(BITS[random.below(BITS.length)] ?? "");
      bytes = Buffer.concat([bytes.subarray(0, at), bit, bytes.subarray(at)]);
    } else if (bytes.length > 0)
      bytes = Buffer.from(bytes.map((byte, index) => (index === at ? random.below(256) : byte)));
  }
  return bytes;
}

function expectBounded(reply: TrackerReply): void {
  const { intervalMinSec, intervalMaxSec, peersPerReply } = LIMITS.tracker;
  for (const sec of [reply.intervalSec, reply.minIntervalSec]) {
    expect(sec >= intervalMinSec && sec <= intervalMaxSec).toBe(true);
  }
  expect(reply.peers.length).toBeLessThanOrEqual(peersPerReply);
  for (const { host, port } of reply.peers) {
    expect(port >= 1 && port <= 65535).toBe(true);
    expect(() => classifyAddress(host)).not.toThrow();
  }
}

function fuzz(samples: readonly Buffer[], read: (bytes: Uint8Array) => void): void {
  const random = seededRandom(SEED);
  let slowestMs = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const bytes = mutated(samples, random);
    const startMs = performance.now();
    try {
      read(bytes);
    } catch (error) {
      if (!(error instanceof TrackerError)) {
        throw new Error(`seed ${SEED} round ${round}: ${Buffer.from(bytes).toString("hex")}`, {
          cause: error,
        });
      }
    }
    slowestMs = Math.max(slowestMs, performance.now() - startMs);
  }
  expect(slowestMs, `seed ${SEED}`).toBeLessThan(500);
}

describe("fuzz: tracker replies", () => {
  test("HTTP", () => fuzz(HTTP_SAMPLES, (bytes) => expectBounded(parseHttpReply(bytes))), 60_000);

  test("UDP announce", () => {
    fuzz(UDP_SAMPLES, (bytes) => expectBounded(parseAnnounceReply(bytes, 4)));
    fuzz(UDP_SAMPLES, (bytes) => expectBounded(parseAnnounceReply(bytes, 16)));
  }, 60_000);

  test("UDP connect", () => fuzz(UDP_SAMPLES, (bytes) => void parseConnectReply(bytes)), 60_000);

  test("the largest reply that is let in, of deepest nesting or most peers, is read in bounded time", () => {
    const size = LIMITS.tracker.responseBytes;
    const worst = [
      Buffer.alloc(size, "l"),
      Buffer.alloc(size, "d0:"),
      Buffer.from(`d5:peers${size - 100}:${"x".repeat(size - 100)}e`),
      Buffer.from(`d5:peersl${"de".repeat(40_000)}ee`),
      Buffer.from(`i${"9".repeat(size)}e`),
    ];
    for (const bytes of worst) {
      const startMs = performance.now();
      try {
        expectBounded(parseHttpReply(bytes));
      } catch (error) {
        expect(error).toBeInstanceOf(TrackerError);
      }
      expect(performance.now() - startMs).toBeLessThan(500);
    }
  });
});
