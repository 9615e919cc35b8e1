import { describe, expect, test } from "bun:test";
import { LIMITS } from "../../../src/base/limits.ts";
import { PeerFault } from "../../../src/base/peer-fault.ts";
import { decodeBencode } from "../../../src/metainfo/bencode.ts";
import { connected, dialled, frames, INFO_HASH, identity, PIECES, turn } from "./links.ts";

describe("handshake", () => {
  test("is on the wire when the dial resolves", async () => {
    const { socket, clock } = await dialled();
    const sent = Buffer.from(socket.take());
    expect(sent.length).toBe(68);
    expect(sent.toString("latin1", 1, 20)).toBe("BitTorrent protocol");
    expect(sent.toString("hex", 28, 48)).toBe(INFO_HASH);
    expect([sent[25], sent[27]]).toEqual([0x10, 0x05]);
    expect(clock.timers).toBe(2);
  });

  test("is told before anything else, and answered with the extended one", async () => {
    const { socket, handler, link } = await dialled({ metadataBytes: 777 });
    socket.take();
    await socket.arrive(frames.handshake(), frames.of(14), frames.of(1));
    expect(handler.lines).toEqual(["handshake", "have-all", "unchoke"]);
    expect(link.hasFast).toBe(true);
    const sent = Buffer.from(socket.take());
    expect(sent.readUInt32BE(0)).toBe(sent.length - 4);
    expect([sent[4], sent[5]]).toEqual([20, 0]);
    const fields = decodeBencode(sent.subarray(6)) as Map<string, unknown>;
    expect(fields.get("m")).toEqual(
      new Map([
        ["ut_metadata", 1],
        ["ut_pex", 2],
      ]) as never,
    );
    expect(fields.get("reqq")).toBe(2000);
    expect(fields.get("p")).toBe(6881);
    expect(fields.get("metadata_size")).toBe(777);
    expect(fields.get("yourip")).toEqual(Buffer.from([10, 0, 0, 9]) as never);
    expect(Buffer.from(fields.get("v") as Uint8Array).toString()).toBe("TorrX test");
  });

  test.each([
    ["another info hash", frames.handshake({ infoHash: "ff".repeat(20) }), "bad_handshake"],
    ["our own peer id", frames.handshake({ peerId: identity().peerId }), "self_connection"],
    ["another protocol", Buffer.from("GET / HTTP/1.1\r\n"), "bad_handshake"],
    ["a wrong last letter", Buffer.from("\x13BitTorrent protocoL"), "bad_handshake"],
  ])("with %s ends the connection", async (_, bytes, reason) => {
    const { socket, handler, clock } = await dialled();
    await socket.arrive(bytes);
    expect(handler.lines).toEqual([`close ${reason}`]);
    expect(socket.isDestroyed).toBe(true);
    expect(clock.timers).toBe(0);
  });

  test("has eight seconds, which bytes do not stretch", async () => {
    const { socket, handler, clock } = await dialled();
    const bytes = frames.handshake();
    for (let i = 0; i < 7; i++) {
      clock.advance(1000);
      await socket.arrive(bytes.subarray(i, i + 1));
    }
    clock.advance(999);
    expect(handler.lines).toEqual([]);
    clock.advance(1);
    expect(handler.lines).toEqual(["close handshake_timeout"]);
  });
});

describe("frames", () => {
  test("reach the handler in the order of the wire, also behind frames that Wire decodes", async () => {
    const { socket, handler, link } = await connected();
    link.setPieces(PIECES);
    const block = new Uint8Array(1000).fill(7);
    await socket.arrive(
      frames.numbers(4, 3),
      frames.piece(1, 0, block),
      frames.of(1),
      frames.numbers(6, 0, 0, 16384),
      frames.of(0),
      frames.numbers(16, 2, 0, 16384),
      frames.numbers(17, 5),
      frames.numbers(13, 5),
      frames.of(9, [0x1a, 0xe1]),
      frames.of(2),
      frames.numbers(8, 0, 0, 16384),
      frames.of(3),
      frames.piece(9, 16384, block),
    );
    expect(handler.lines).toEqual([
      "have 3",
      "block 1 0 1000",
      "unchoke",
      "request 0 0 16384",
      "choke",
      "reject 2 0 16384",
      "allowed-fast 5",
      "port 6881",
      "interested",
      "cancel 0 0 16384",
      "not-interested",
      "block 9 16384 1000",
    ]);
    expect(handler.blocks.get("1/0")).toEqual(block);
    expect(link.traffic.payloadIn).toBe(2000);
  });

  test("that arrive while Wire still holds one wait their turn", async () => {
    const { socket, handler } = await connected();
    const all = Buffer.concat([frames.numbers(4, 3), frames.of(1), frames.numbers(6, 0, 0, 16384)]);
    for (const byte of all) void socket.arrive(new Uint8Array([byte]));
    await turn();
    expect(handler.lines).toEqual(["have 3", "unchoke", "request 0 0 16384"]);
  });

  test("a bitfield before metadata is passed on raw, also of the greatest size", async () => {
    const { socket, handler } = await connected();
    const bits = new Uint8Array(LIMITS.frame.bitfieldBeforeMetadataBytes).fill(0xff);
    await socket.arrive(frames.of(5, bits));
    expect(handler.lines).toEqual([`bitfield ${"ff".repeat(bits.length)}`]);
  });

  test("a flood of small ones is dealt with over several turns, with reading paused between", async () => {
    const { socket, handler, clock } = await connected();
    const count = LIMITS.peer.controlFramesPerTurn * 2 + 10;
    await socket.arrive(...Array.from({ length: count }, (_, i) => frames.numbers(4, i)));
    expect(handler.lines.length).toBe(LIMITS.peer.controlFramesPerTurn);
    expect(socket.isPaused).toBe(true);
    clock.advance(0);
    await turn();
    clock.advance(0);
    await turn();
    expect(handler.lines.length).toBe(count);
    expect(handler.lines.at(-1)).toBe(`have ${count - 1}`);
    expect(socket.isPaused).toBe(false);
  });
});

describe("extended messages", () => {
  const handshake =
    "d1:md11:ut_metadatai3e6:ut_pexi0ee13:metadata_sizei31235e1:pi6881e4:reqqi500e1:v5:abc\x07de";

  test("are named by our ids when they come and by the peer's when they go", async () => {
    const { socket, handler, link } = await connected();
    link.extended("ut_metadata", new Uint8Array([9]));
    link.flush();
    expect(socket.take().length).toBe(0);
    await socket.arrive(frames.extended(0, handshake), frames.extended(1, "abc"), frames.extended(77, "x"));
    expect(handler.lines).toEqual(["extended-handshake ut_metadata", "extended ut_metadata 616263"]);
    link.extended("ut_metadata", new Uint8Array([9, 8]));
    link.extended("ut_pex", new Uint8Array([9, 8]));
    link.flush();
    expect([...socket.take()]).toEqual([0, 0, 0, 4, 20, 3, 9, 8]);
  });

  test.each([
    ["no bencode", "hello"],
    ["no dictionary", "i5e"],
    ["lists without end", "l".repeat(15_000)],
  ])("a handshake of %s ends the peer", async (_, text) => {
    const { socket, handler } = await connected();
    await socket.arrive(frames.extended(0, text));
    expect(handler.lines).toEqual(["close bad_frame"]);
  });

  test("a handshake whose ids are dictionaries or prototypes hurts nobody", async () => {
    const { socket, handler } = await connected();
    await socket.arrive(frames.extended(0, "d1:md9:__proto__d1:ai1ee1:xd8:toStringi5ee1:yi300eee"));
    expect(handler.lines).toEqual(["extended-handshake "]);
  });
});

describe("sending", () => {
  test("is one write for all that was queued since the last flush, in order", async () => {
    const { socket, link } = await connected();
    const before = socket.writes;
    link.interested();
    for (let i = 0; i < 200; i++) link.request(1, i * 16384, 16384);
    link.cancel(1, 0, 16384);
    link.have(4);
    link.unchoke();
    link.piece(3, 0, new Uint8Array(16384).fill(3));
    link.dhtPort(6881);
    expect(socket.writes).toBe(before);
    link.flush();
    expect(socket.writes).toBe(before + 1);
    const sent = Buffer.from(socket.take());
    expect(sent.subarray(0, 5)).toEqual(Buffer.from([0, 0, 0, 1, 2]));
    expect(sent.subarray(5, 22)).toEqual(Buffer.from(frames.numbers(6, 1, 0, 16384)));
    const end = 5 + 200 * 17;
    expect(sent.subarray(end, end + 17)).toEqual(Buffer.from(frames.numbers(8, 1, 0, 16384)));
    expect(sent.subarray(end + 17, end + 26)).toEqual(Buffer.from(frames.numbers(4, 4)));
    expect(sent.subarray(end + 26, end + 31)).toEqual(Buffer.from(frames.of(1)));
    expect(sent.subarray(end + 31, end + 31 + 16397)).toEqual(
      Buffer.from(frames.piece(3, 0, new Uint8Array(16384).fill(3))),
    );
    expect(sent.subarray(end + 31 + 16397)).toEqual(Buffer.from(frames.of(9, [0x1a, 0xe1])));
  });

  test("what the socket does not take goes out when it drains, and the handler hears of it", async () => {
    const { socket, link, handler } = await connected();
    socket.roomBytes = 20_000;
    for (let i = 0; i < 3; i++) link.piece(i, 0, new Uint8Array(16384).fill(i + 1));
    link.flush();
    expect(link.queuedBytes).toBe(3 * 16397 - 20_000);
    expect(link.traffic.payloadOut).toBe(20_000 - 26);
    socket.drain(10_000);
    expect(handler.lines).toEqual([]);
    socket.drain();
    expect(handler.lines).toEqual(["drain"]);
    expect(link.queuedBytes).toBe(0);
    const expected = [1, 2, 3].map((n, i) => frames.piece(i, 0, new Uint8Array(16384).fill(n)));
    expect(Buffer.compare(socket.take(), Buffer.concat(expected))).toBe(0);
    expect(link.traffic.payloadOut).toBe(3 * 16384);
  });

  test("haves say all and none as the peer can take it", async () => {
    const fast = await connected();
    fast.link.sendHaves("all");
    fast.link.sendHaves("none");
    fast.link.allowedFast(2);
    fast.link.reject(1, 0, 5);
    fast.link.flush();
    expect(fast.socket.take()).toEqual(
      new Uint8Array(
        Buffer.concat([frames.of(14), frames.of(15), frames.numbers(17, 2), frames.numbers(16, 1, 0, 5)]),
      ),
    );
    const slow = await dialled();
    await slow.socket.arrive(frames.handshake({ reserved: [0, 0, 0, 0, 0, 0, 0, 0] }));
    slow.socket.take();
    slow.link.setPieces(PIECES);
    slow.link.sendHaves("none");
    slow.link.sendHaves("all");
    slow.link.allowedFast(2);
    slow.link.reject(1, 0, 5);
    slow.link.flush();
    expect(slow.socket.take()).toEqual(frames.of(5, [0xff, 0xc0]));
  });
});

describe("time", () => {
  test("we keep the connection alive after 100 s of our own silence", async () => {
    const { clock, socket, handler } = await connected();
    clock.advance(60_000);
    await socket.arrive(new Uint8Array(4));
    clock.advance(39_000);
    expect(socket.take().length).toBe(0);
    clock.advance(6_000);
    expect([...socket.take()]).toEqual([0, 0, 0, 0]);
    expect(handler.lines).toEqual([]);
  });

  test("a peer that says nothing for 120 s is dropped, but not while we do not listen", async () => {
    const { clock, handler, link } = await connected();
    link.pauseReading();
    clock.advance(300_000);
    expect(handler.lines).toEqual([]);
    link.resumeReading();
    clock.advance(119_000);
    expect(handler.lines).toEqual([]);
    clock.advance(6_000);
    expect(handler.lines).toEqual(["close silent"]);
  });

  test.each([
    ["at the bound stays", 0, []],
    ["past the bound is dropped", 1, ["close send_queue_full"]],
  ])("a peer that does not read for 60 s with our queue %s", async (_, over, lines) => {
    const { clock, socket, handler, link } = await connected();
    socket.roomBytes = 0;
    link.sendHaves(new Uint8Array(LIMITS.peer.outQueueBytes - 5 - 9 + over));
    link.have(1);
    link.flush();
    for (let i = 0; i < 13; i++) {
      clock.advance(5_000);
      await socket.arrive(new Uint8Array(4));
    }
    expect(handler.lines).toEqual(lines as string[]);
  });
});

describe("the end", () => {
  test.each([
    ["a PeerFault", new PeerFault("unsolicited_data", "x"), "unsolicited_data"],
    ["anything else", new TypeError("bug"), "error"],
  ])("a handler that throws %s ends its link, wherever it was called from", async (_, error, reason) => {
    const cases: [string, Uint8Array][] = [
      ["unchoke", frames.of(1)],
      ["request", frames.numbers(6, 0, 0, 5)],
      ["block", frames.piece(0, 0, new Uint8Array(5))],
      ["extended", frames.extended(1, "x")],
    ];
    for (const [name, frame] of cases) {
      const { socket, handler } = await connected();
      handler.throwing.set(name, error);
      await socket.arrive(frame, frames.of(0), frames.numbers(6, 1, 0, 5));
      expect(handler.lines.length).toBe(2);
      expect(handler.lines[1]).toBe(`close ${reason}`);
      expect(socket.isDestroyed).toBe(true);
    }
  });

  test("inside a block that has a target tells of it, once, then closes", async () => {
    const { socket, handler } = await connected();
    await socket.arrive(frames.piece(3, 16384, new Uint8Array(100)).subarray(0, 50));
    socket.drop(null);
    expect(handler.lines).toEqual(["aborted 3 16384 100", "close remote"]);
  });

  test("inside a skipped block tells only of the end", async () => {
    const { socket, handler } = await connected();
    handler.isTaking = false;
    await socket.arrive(frames.piece(3, 16384, new Uint8Array(100)).subarray(0, 50));
    socket.drop(Object.assign(new Error("x"), { code: "ETIMEDOUT" }));
    expect(handler.lines).toEqual(["close error"]);
  });

  test("after close nothing is sent, delivered or timed any more", async () => {
    const { socket, handler, link, clock } = await connected();
    const arrival = socket.arrive(frames.of(1), frames.of(0));
    link.close("bored");
    await arrival;
    link.request(1, 0, 5);
    link.interested();
    link.piece(0, 0, new Uint8Array(5));
    link.flush();
    link.close("again");
    expect(handler.lines).toEqual(["close bored"]);
    expect(socket.take().length).toBe(0);
    expect(link.queuedBytes).toBe(0);
    expect(clock.timers).toBe(0);
  });

  test("a handler may close the link from inside any call", async () => {
    const { socket, handler, link } = await connected();
    handler.onRequest = () => link.close("enough");
    await socket.arrive(frames.numbers(6, 0, 0, 5), frames.numbers(6, 1, 0, 5));
    expect(handler.lines).toEqual(["close enough"]);
  });
});
