import { describe, expect, test } from "bun:test";
import { LIMITS } from "../../../src/base/limits.ts";
import { silentLog } from "../../../src/base/log.ts";
import { listenForPeers } from "../../../src/wire/listen.ts";
import type { IncomingAcceptor, OpenSocket, PeerNet } from "../../../src/wire/ports.ts";
import { frames, HandClock, HandSocket, INFO_HASH, identity, Recorder, turn } from "./links.ts";

async function listening(acceptor: IncomingAcceptor) {
  const clock = new HandClock();
  let onSocket: (socket: OpenSocket) => void = () => undefined;
  const net: PeerNet = {
    dial: () => Promise.reject(new Error("not here")),
    listen: (_, callback) => {
      onSocket = callback;
      return Promise.resolve({ port: 7, close: () => undefined });
    },
  };
  const listener = await listenForPeers({ net, clock, log: silentLog }, { host: "::", port: 0, acceptor });
  const arrive = (host?: string) => {
    const socket = new HandSocket(host);
    onSocket(socket);
    return socket;
  };
  return { clock, listener, arrive };
}

describe("incoming connections", () => {
  test("are answered with both handshakes when their torrent is ours", async () => {
    const handler = new Recorder();
    const asked: string[] = [];
    const { arrive, listener } = await listening({
      accept: (infoHash, link) => {
        asked.push(`${infoHash} ${link.isIncoming} ${link.connectMs}`);
        return { identity: identity(), handler };
      },
    });
    expect(listener.port).toBe(7);
    const socket = arrive();
    await socket.arrive(frames.handshake().subarray(0, 60));
    expect(socket.take().length).toBe(0);
    await socket.arrive(frames.handshake().subarray(60), frames.of(15));
    expect(asked).toEqual([`${INFO_HASH} true null`]);
    expect(handler.lines).toEqual(["handshake", "have-none"]);
    const sent = socket.take();
    expect([sent[0], sent[68 + 4], sent[68 + 5]]).toEqual([19, 20, 0]);
  });

  test("are closed unanswered when it is not, and when it names ourselves", async () => {
    const handler = new Recorder();
    const { arrive, clock } = await listening({
      accept: (infoHash) => (infoHash === INFO_HASH ? { identity: identity(), handler } : null),
    });
    const stranger = arrive();
    await stranger.arrive(frames.handshake({ infoHash: "00".repeat(20) }));
    expect(stranger.isDestroyed).toBe(true);
    const self = arrive();
    await self.arrive(frames.handshake({ peerId: identity().peerId }));
    expect(self.isDestroyed).toBe(true);
    expect(handler.lines).toEqual(["close self_connection"]);
    expect(stranger.take().length + self.take().length).toBe(0);
    expect(clock.timers).toBe(0);
  });

  test("have eight seconds for their handshake", async () => {
    const { arrive, clock } = await listening({ accept: () => null });
    const socket = arrive();
    clock.advance(LIMITS.peer.handshakeMs - 1);
    expect(socket.isDestroyed).toBe(false);
    clock.advance(1);
    expect(socket.isDestroyed).toBe(true);
  });

  test("without a handshake are few from one address and bounded in all, and make room when they go", async () => {
    const handler = new Recorder();
    const { arrive } = await listening({ accept: () => ({ identity: identity(), handler }) });
    const ofOne = Array.from({ length: LIMITS.peer.pendingIncomingPerHost + 1 }, () => arrive("10.0.0.1"));
    expect(ofOne.filter((socket) => socket.isDestroyed)).toEqual([ofOne.at(-1)!]);
    await ofOne[0]?.arrive(frames.handshake());
    expect(arrive("10.0.0.1").isDestroyed).toBe(false);
    ofOne[1]?.drop(null);
    expect(arrive("10.0.0.1").isDestroyed).toBe(false);
    const others = Array.from({ length: LIMITS.peer.pendingIncoming }, (_, i) => arrive(`10.0.1.${i}`));
    expect(others.filter((socket) => socket.isDestroyed).length).toBe(LIMITS.peer.pendingIncomingPerHost);
  });

  test("that wait end with the listener, those accepted do not", async () => {
    const { arrive, listener, clock } = await listening({
      accept: () => ({ identity: identity(), handler: new Recorder() }),
    });
    const waiting = arrive();
    const accepted = arrive();
    await accepted.arrive(frames.handshake());
    listener.close();
    await turn();
    expect([waiting.isDestroyed, accepted.isDestroyed]).toEqual([true, false]);
    expect(clock.timers).toBe(1);
  });
});
