import { afterEach, describe, expect, test } from "bun:test";
import type { PeerAddress } from "../../../../src/base/address.ts";
import { systemClock } from "../../../../src/base/clock.ts";
import { seededRandom, systemRandom } from "../../../../src/base/random.ts";
import type { UdpNet } from "../../../../src/swarm/ports.ts";
import { UdpTracker } from "../../../../src/swarm/trackers/udp-tracker.ts";
import { someFacts } from "../../../support/announce-facts.ts";
import { loopbackUdp } from "../../../support/loopback-udp.ts";
import { errorOf, SteppedClock } from "../../../support/stepped-clock.ts";
import {
  announceReply,
  connectReply,
  errorReply,
  udpTrackerServer,
} from "../../../support/udp-tracker-server.ts";

const query = { facts: someFacts, event: "started", key: 1, trackerId: null } as const;
const open: UdpTracker[] = [];

afterEach(() => {
  for (const tracker of open.splice(0)) tracker.close();
});

function realTracker(): UdpTracker {
  const tracker = new UdpTracker({ udp: loopbackUdp, clock: systemClock, random: systemRandom });
  open.push(tracker);
  return tracker;
}

function request(port: number, signal = new AbortController().signal) {
  return { tracker: { host: "127.0.0.1", port }, query, urlData: "/announce", signal };
}

describe("a UDP tracker over real sockets", () => {
  test("connects once, announces many times with the same id", async () => {
    using server = await udpTrackerServer((asked) => [
      asked.action === 0 ? connectReply(asked) : announceReply(asked, { peers: [1, 2, 3, 4, 0, 80] }),
    ]);
    const tracker = realTracker();
    const replies = await Promise.all(
      Array.from({ length: 20 }, () => tracker.announce(request(server.port))),
    );
    await tracker.announce(request(server.port));
    expect(replies[19]).toMatchObject({ seeders: 2, leechers: 1, peers: [{ host: "1.2.3.4", port: 80 }] });
    expect(server.requests.filter((asked) => asked.action === 0)).toHaveLength(1);
    expect(server.requests).toHaveLength(22);
    expect(server.requests.at(-1)?.connectionId).toBe(0x1122334455667788n);
    expect(server.requests.at(-1)?.bytes.subarray(98).toString("latin1")).toBe("\x02\x09/announce");
  });

  test("a restarted tracker, which knows the id no more, is asked with a new one at once", async () => {
    let generation = 1n;
    using server = await udpTrackerServer((asked) => {
      if (asked.action === 0) return [connectReply(asked, generation)];
      return [
        asked.connectionId === generation
          ? announceReply(asked)
          : errorReply(asked, "Connection ID mismatch."),
      ];
    });
    const tracker = realTracker();
    await tracker.announce(request(server.port));
    generation = 2n;
    expect(await tracker.announce(request(server.port))).toMatchObject({ seeders: 2 });
  });

  test("a refusal is told in the tracker's words", async () => {
    using server = await udpTrackerServer((asked) => [
      asked.action === 0 ? connectReply(asked) : errorReply(asked, "not registered"),
    ]);
    await expect(realTracker().announce(request(server.port))).rejects.toThrow("not registered");
  });

  test("answers for other transactions, short ones and duplicates change nothing", async () => {
    using server = await udpTrackerServer((asked) => [
      new Uint8Array(3),
      connectReply({ ...asked, transactionId: (asked.transactionId ^ 1) >>> 0 }, 9n),
      ...(asked.action === 0 ? [connectReply(asked), connectReply(asked, 5n)] : [announceReply(asked)]),
    ]);
    await realTracker().announce(request(server.port));
    expect(server.requests.at(-1)?.connectionId).toBe(0x1122334455667788n);
  });

  test("an IPv6 tracker hands out IPv6 peers", async () => {
    using server = await udpTrackerServer(
      (asked) => [
        asked.action === 0
          ? connectReply(asked)
          : announceReply(asked, { peers: [0x26, ...new Array(14).fill(0), 1, 0, 80] }),
      ],
      "::1",
    );
    const reply = await realTracker().announce({
      ...request(server.port),
      tracker: { host: "::1", port: server.port },
    });
    expect(reply.peers).toEqual([{ host: "2600::1", port: 80 }]);
  });
});

describe("a UDP tracker that does not answer", () => {
  /** A net that records what is sent and answers what the test says. */
  function scripted(clock: SteppedClock) {
    const sent: { atMs: number; action: number; transactionId: number }[] = [];
    let receive: (bytes: Uint8Array, from: PeerAddress) => void = () => undefined;
    let closed = 0;
    const udp: UdpNet = {
      bind: (_options, onPacket) => {
        receive = onPacket;
        const send = (bytes: Uint8Array) => {
          const packet = Buffer.from(bytes);
          sent.push({
            atMs: clock.nowMs() - 1000,
            action: packet.readUInt32BE(8),
            transactionId: packet.readUInt32BE(12),
          });
        };
        return Promise.resolve({ port: 1, send, close: () => closed++ });
      },
    };
    const tracker = new UdpTracker({ udp, clock, random: seededRandom(1) });
    return {
      tracker,
      sent,
      answer: (bytes: Uint8Array, from: PeerAddress) => receive(bytes, from),
      closed: () => closed,
    };
  }

  test("is asked twice, 15 s apart, and given up after 45 s", async () => {
    const clock = new SteppedClock();
    const { tracker, sent } = scripted(clock);
    const failed = errorOf(tracker.announce(request(80)));
    await clock.advance(44_999);
    expect(sent.map((packet) => packet.atMs)).toEqual([0, 15_000]);
    await clock.advance(1);
    expect((await failed).message).toContain("no answer");
    expect(clock.timerCount).toBe(0);
  });

  test("an answer counts only from the address that was asked", async () => {
    const clock = new SteppedClock();
    const { tracker, sent, answer } = scripted(clock);
    const announced = tracker.announce(request(80));
    await clock.advance(0);
    const asked = { ...sent[0]!, connectionId: 0n, bytes: Buffer.alloc(0) };
    answer(connectReply(asked, 1n), { host: "127.0.0.1", port: 81 });
    answer(connectReply(asked, 1n), { host: "127.0.0.2", port: 80 });
    await clock.advance(0);
    expect(sent).toHaveLength(1);
    answer(connectReply(asked, 2n), { host: "127.0.0.1", port: 80 });
    await clock.advance(0);
    expect(sent).toHaveLength(2);
    answer(announceReply({ ...asked, transactionId: sent[1]!.transactionId }), {
      host: "127.0.0.1",
      port: 80,
    });
    expect(await announced).toMatchObject({ seeders: 2 });
  });

  test("the id is asked anew after its minute", async () => {
    const clock = new SteppedClock();
    const { tracker, sent, answer } = scripted(clock);
    const from = { host: "127.0.0.1", port: 80 };
    const round = async () => {
      const announced = tracker.announce(request(80));
      for (let step = 0; step < 2; step++) {
        await clock.advance(0);
        const last = { ...sent.at(-1)!, connectionId: 0n, bytes: Buffer.alloc(0) };
        answer(last.action === 0 ? connectReply(last) : announceReply(last), from);
      }
      await announced;
    };
    await round();
    await clock.advance(59_999);
    await round();
    expect(sent.map((packet) => packet.action)).toEqual([0, 1, 1]);
    await clock.advance(1);
    await round();
    expect(sent.map((packet) => packet.action)).toEqual([0, 1, 1, 0, 1]);
  });

  test("an abort ends the announce, a close ends the sockets", async () => {
    const clock = new SteppedClock();
    const { tracker, closed } = scripted(clock);
    const controller = new AbortController();
    const failed = errorOf(tracker.announce(request(80, controller.signal)));
    await clock.advance(0);
    controller.abort();
    expect((await failed).message).toBe("stopped");
    tracker.close();
    await clock.advance(0);
    expect(closed()).toBe(1);
    expect(clock.timerCount).toBe(0);
    await expect(tracker.announce(request(80))).rejects.toThrow("stopped");
  });
});
