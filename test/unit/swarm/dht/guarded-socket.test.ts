import { describe, expect, test } from "bun:test";
import type { PeerAddress } from "../../../../src/base/address.ts";
import { LIMITS } from "../../../../src/base/limits.ts";
import { createLog, silentLog } from "../../../../src/base/log.ts";
import { seededRandom } from "../../../../src/base/random.ts";
import {
  asBytes,
  asDict,
  asList,
  asText,
  type BencodeInput,
  decodeBencode,
  encodeBencode,
} from "../../../../src/metainfo/index.ts";
import { GuardedSocket } from "../../../../src/swarm/dht/guarded-socket.ts";
import { FakeClock } from "../../../support/fake-clock.ts";

const id = new Uint8Array(20).fill(0x61);
const NODE = { host: "8.8.4.4", port: 6881 };
const ping = encodeBencode({ t: "aa", y: "q", q: "ping", a: { id } });

function scene(log = silentLog) {
  const clock = new FakeClock();
  const sent: { bytes: Uint8Array; to: PeerAddress }[] = [];
  const socket = new GuardedSocket({ clock, random: seededRandom(1), log });
  let isClosed = false;
  socket.attach({
    port: 5_000,
    send: (bytes, to) => sent.push({ bytes, to }),
    close: () => {
      isClosed = true;
    },
  });
  const got: { message: ReadonlyMap<string, unknown>; from: { address: string; port: number } }[] = [];
  socket.on("message", (bytes: Buffer, from: { address: string; port: number }) => {
    got.push({ message: asDict(decodeBencode(bytes))!, from });
  });
  const send = (message: BencodeInput, to: PeerAddress = NODE) => {
    const bytes = encodeBencode(message);
    socket.send(bytes, 0, bytes.length, to.port, to.host);
  };
  return { clock, socket, sent, got, send, isClosed: () => isClosed };
}

const transactionOf = (bytes: Uint8Array) => asBytes(asDict(decodeBencode(bytes))!.get("t"))!;
const question = { t: new Uint8Array([0, 1]), y: "q", q: "get_peers", a: { id, info_hash: id } };

describe("guarded socket", () => {
  test("a query reaches the package with its source", () => {
    const { socket, got } = scene();
    socket.receive(ping, NODE);
    expect(got.map(({ from }) => [from.address, from.port])).toEqual([["8.8.4.4", 6881]]);
  });

  test("an answer to a question reaches the package under the package's transaction, once", () => {
    const { socket, sent, got, send } = scene();
    send(question);
    const reply = encodeBencode({ t: transactionOf(sent[0]!.bytes), y: "r", r: { id } });
    socket.receive(reply, NODE);
    socket.receive(reply, NODE);
    expect(got.map(({ message }) => message.get("t"))).toEqual([new Uint8Array([0, 1])]);
    expect(transactionOf(sent[0]!.bytes)).toHaveLength(4);
  });

  test.each([
    ["another address", { host: "8.8.4.5", port: 6881 }],
    ["another port", { host: "8.8.4.4", port: 6882 }],
  ])("an answer from %s is dropped", (_, from) => {
    const { socket, sent, got, send } = scene();
    send(question);
    socket.receive(encodeBencode({ t: transactionOf(sent[0]!.bytes), y: "r", r: { id } }), from);
    expect([got.length, socket.dropped]).toEqual([0, 1]);
  });

  test("an answer that nobody asked for, or that comes too late, is dropped", () => {
    const { clock, socket, sent, got, send } = scene();
    socket.receive(encodeBencode({ t: "aaaa", y: "r", r: { id } }), NODE);
    send(question);
    clock.advance(LIMITS.dht.questionMs + 1);
    send(question);
    socket.receive(encodeBencode({ t: transactionOf(sent[0]!.bytes), y: "r", r: { id } }), NODE);
    expect(got).toEqual([]);
  });

  test("open questions are bounded; the oldest is given up", () => {
    const { socket, sent, got, send } = scene();
    for (let i = 0; i <= LIMITS.dht.questions; i++) send(question);
    socket.receive(encodeBencode({ t: transactionOf(sent[0]!.bytes), y: "r", r: { id } }), NODE);
    expect(got).toHaveLength(0);
    socket.receive(encodeBencode({ t: transactionOf(sent[1]!.bytes), y: "r", r: { id } }), NODE);
    expect(got).toHaveLength(1);
  });

  test("each host has its rate, and one host's flood is no other's", () => {
    const { clock, socket, got } = scene();
    for (let i = 0; i < 1_000; i++) socket.receive(ping, NODE);
    expect(got).toHaveLength(2 * LIMITS.dht.packetsPerSecPerHost);
    socket.receive(ping, { host: "8.8.8.8", port: 6881 });
    expect(got).toHaveLength(2 * LIMITS.dht.packetsPerSecPerHost + 1);
    clock.advance(1_000);
    for (let i = 0; i < 1_000; i++) socket.receive(ping, NODE);
    expect(got).toHaveLength(3 * LIMITS.dht.packetsPerSecPerHost + 1);
  });

  test("made-up hosts together have a rate, and only so many are remembered", () => {
    const { clock, socket, got } = scene();
    const hostOf = (i: number) => ({ host: `9.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`, port: 6881 });
    for (let i = 0; i < 10_000; i++) socket.receive(ping, hostOf(i));
    expect(got).toHaveLength(LIMITS.dht.packetsPerSec);
    clock.advance(1_000);
    for (let i = 0; i < 1_000; i++) socket.receive(ping, NODE);
    for (let i = 0; i < LIMITS.dht.hostsTracked; i++) socket.receive(ping, hostOf(i));
    clock.advance(1_000);
    const before = got.length;
    for (let i = 0; i < 1_000; i++) socket.receive(ping, NODE);
    // Forgotten meanwhile: it has a whole burst again, not one second's worth.
    expect(got.length - before).toBe(2 * LIMITS.dht.packetsPerSecPerHost);
  });

  test("a packet of 2 KiB is read, a longer one dropped", () => {
    const { socket, got } = scene();
    const sized = (bytes: number) => {
      const rest = encodeBencode({ t: "aa", y: "q", q: "ping", a: { id }, z: new Uint8Array(1_900) }).length;
      return encodeBencode({
        t: "aa",
        y: "q",
        q: "ping",
        a: { id },
        z: new Uint8Array(1_900 + bytes - rest),
      });
    };
    socket.receive(sized(LIMITS.dht.packetBytes + 1), NODE);
    expect(got).toHaveLength(0);
    socket.receive(sized(LIMITS.dht.packetBytes), NODE);
    expect(got).toHaveLength(1);
  });

  test.each([
    { host: "8.8.4.4", port: 0 },
    { host: "8.8.4.4", port: 53 },
    { host: "224.0.0.1", port: 6881 },
    { host: "::1", port: 6881 },
    { host: "0.0.0.0", port: 6881 },
  ])("nothing is taken from %p, and nothing sent there", (address) => {
    const { socket, sent, got, send } = scene();
    socket.receive(ping, address);
    send(question, address);
    expect([got, sent]).toEqual([[], []]);
  });

  test("a method that is not served is answered 204", () => {
    const { socket, sent, got } = scene();
    socket.receive(encodeBencode({ t: "xy", y: "q", q: "put", a: { id } }), NODE);
    expect(got).toEqual([]);
    const answer = asDict(decodeBencode(sent[0]!.bytes))!;
    expect([asText(answer.get("t")), asList(answer.get("e"))?.[0]]).toEqual(["xy", 204]);
  });

  test("answers are bounded in size and in bytes a second, questions are not held back by them", () => {
    const { clock, sent, send } = scene();
    const values = Array.from({ length: 5_000 }, (_, i) => new Uint8Array([9, 9, i >> 8, i & 255, 26, 225]));
    send({ t: "aa", y: "r", r: { id, token: "t", values } });
    const answer = asDict(asDict(decodeBencode(sent[0]!.bytes))!.get("r"))!;
    expect(asList(answer.get("values"))).toHaveLength(LIMITS.dht.peersPerAnswer);
    expect(asText(answer.get("token"))).toBe("t");
    for (let i = 0; i < 10_000; i++) send({ t: "aa", y: "r", r: { id } });
    const bytes = () => sent.reduce((sum, packet) => sum + packet.bytes.length, 0);
    expect(bytes()).toBeLessThanOrEqual(4 * LIMITS.dht.answerBytesPerSec);
    const before = sent.length;
    send(question);
    expect(sent).toHaveLength(before + 1);
    clock.advance(1_000);
    send({ t: "aa", y: "r", r: { id } });
    expect(sent).toHaveLength(before + 2);
  });

  test("a throw of the package ends here and is logged", () => {
    const lines: string[] = [];
    const { socket } = scene(createLog("warn", (line) => lines.push(line)));
    socket.on("message", () => {
      throw new TypeError("boom");
    });
    expect(() => socket.receive(ping, NODE)).not.toThrow();
    expect(lines.join()).toContain("boom");
  });

  test("after close nothing is received or sent, and close is told", async () => {
    const { socket, sent, got, send, isClosed } = scene();
    const closed = new Promise((resolve) => socket.on("close", resolve));
    socket.close();
    await closed;
    socket.receive(ping, NODE);
    send(question);
    expect([got.length, sent.length, isClosed()]).toEqual([0, 0, true]);
  });
});
