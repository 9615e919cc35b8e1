import { describe, expect, test } from "bun:test";
import { tryInfoHash } from "../../../../src/base/brand.ts";
import { LIMITS } from "../../../../src/base/limits.ts";
import { silentLog } from "../../../../src/base/log.ts";
import { PeerFault, type PeerFaultReason } from "../../../../src/base/peer-fault.ts";
import { seededRandom } from "../../../../src/base/random.ts";
import { encodeBencode } from "../../../../src/metainfo/index.ts";
import { encodeMetadataData, parseMetadataMessage } from "../../../../src/swarm/metadata/message.ts";
import { MetadataFetch } from "../../../../src/swarm/metadata/metadata-fetch.ts";
import { MetadataServe } from "../../../../src/swarm/metadata/metadata-serve.ts";
import { FakeClock } from "../../../support/fake-clock.ts";

const PART = 16_384;
const random = seededRandom(7);
const INFO = random.bytes(5 * PART + 100);
const LIE = random.bytes(INFO.length);

class Scene {
  readonly clock = new FakeClock();
  readonly faults = new Map<number, PeerFaultReason>();
  /** What each peer was sent and has not yet answered. */
  readonly inbox = new Map<number, Uint8Array[]>();
  result: Uint8Array | null = null;
  completions = 0;
  readonly fetch: MetadataFetch;

  constructor(info = INFO) {
    this.fetch = new MetadataFetch({
      infoHash: tryInfoHash(new Bun.CryptoHasher("sha1").update(info).digest("hex"))!,
      clock: this.clock,
      log: silentLog,
      onComplete: (bytes) => {
        this.result = bytes;
        this.completions++;
      },
    });
  }

  join(peer: number, size = INFO.length): void {
    this.inbox.set(peer, this.inbox.get(peer) ?? []);
    this.fetch.addPeer(peer, size, (payload) => this.inbox.get(peer)!.push(payload));
  }

  requestsOf(peer: number): number[] {
    return (this.inbox.get(peer) ?? []).map((payload) => {
      const message = parseMetadataMessage(payload);
      return message.kind === "request" ? message.part : -1;
    });
  }

  tell(peer: number, payload: Uint8Array): void {
    try {
      this.fetch.onMessage(peer, payload);
    } catch (error) {
      if (!(error instanceof PeerFault)) throw error;
      this.faults.set(peer, error.reason);
      this.fetch.removePeer(peer);
    }
  }

  /** Lets a peer answer everything it was asked from `bytes`; true where there was anything. */
  answer(peer: number, bytes: Uint8Array): boolean {
    const asked = this.inbox.get(peer)!.splice(0);
    const serve = new MetadataServe(bytes);
    for (const payload of asked) {
      if (this.faults.has(peer)) break;
      const reply = serve.answer(payload);
      if (reply !== null) this.tell(peer, reply);
    }
    return asked.length > 0;
  }

  /** Rounds of answers until nothing moves; `peers` maps a peer to the bytes it serves, null = it stays silent. */
  run(peers: Map<number, Uint8Array | null>, seconds = 120): void {
    for (let second = 0; second < seconds && this.result === null; second++) {
      let moved = true;
      while (moved && this.result === null) {
        moved = false;
        for (const [peer, bytes] of peers) if (bytes !== null && this.answer(peer, bytes)) moved = true;
      }
      this.clock.advance(1_000);
      this.fetch.tick();
    }
  }
}

const data = (part: number, bytes: Uint8Array, total: number | undefined = INFO.length) =>
  new Uint8Array(Buffer.concat([encodeBencode({ msg_type: 1, piece: part, total_size: total }), bytes]));

describe("metadata fetch", () => {
  test("one honest peer gives the dictionary", () => {
    const scene = new Scene();
    scene.join(1);
    expect(scene.fetch.progress).toEqual({ haveParts: 0, totalParts: 6 });
    scene.answer(1, INFO);
    expect(scene.result).toEqual(INFO);
    expect(scene.completions).toBe(1);
    expect(scene.fetch.isComplete).toBe(true);
  });

  test("a dictionary of one byte and one of exactly whole parts arrive", () => {
    for (const info of [INFO.slice(0, 1), INFO.slice(0, PART), INFO.slice(0, 2 * PART)]) {
      const scene = new Scene(info);
      scene.join(1, info.length);
      scene.answer(1, info);
      expect(scene.result).toEqual(info);
    }
  });

  test("parts are spread over peers, none asked for twice at first, at most eight a peer", () => {
    const info = random.bytes(20 * PART);
    const scene = new Scene(info);
    for (const peer of [1, 2, 3]) scene.join(peer, info.length);
    const asked = [1, 2, 3].map((peer) => scene.requestsOf(peer));
    expect(asked.map((parts) => parts.length)).toEqual([8, 8, 4]);
    expect(new Set(asked.flat()).size).toBe(20);
    scene.run(new Map([1, 2, 3].map((peer) => [peer, info] as const)));
    expect(scene.result).toEqual(info);
  });

  test("a silent peer's parts are asked from another after 1.5 s, and the silent one rests after 5 s", () => {
    const scene = new Scene();
    scene.join(1);
    scene.join(2);
    expect(scene.requestsOf(2)).toEqual([]);
    scene.clock.advance(1_500);
    scene.fetch.tick();
    expect(scene.requestsOf(2)).toEqual([0, 1, 2, 3, 4, 5]);
    scene.clock.advance(3_500);
    scene.fetch.tick();
    scene.answer(2, INFO);
    expect(scene.result).toEqual(INFO);
  });

  test("a slow peer that keeps delivering is not taken for silent", () => {
    const scene = new Scene();
    scene.join(1);
    for (let part = 0; part < 6; part++) {
      scene.clock.advance(3_000);
      scene.fetch.tick();
      scene.tell(1, encodeMetadataData(part, INFO));
    }
    expect(scene.result).toEqual(INFO);
    expect(scene.requestsOf(1)).toEqual([0, 1, 2, 3, 4, 5]);
  });

  test("a late answer still counts and is no fault", () => {
    const scene = new Scene();
    scene.join(1);
    scene.clock.advance(20_000);
    scene.fetch.tick();
    for (let part = 0; part < 6; part++) scene.tell(1, encodeMetadataData(part, INFO));
    expect(scene.faults.size).toBe(0);
    expect(scene.result).toEqual(INFO);
  });

  test("a reject rests the peer for 60 s and its parts go to another", () => {
    const scene = new Scene();
    scene.join(1);
    scene.tell(1, encodeBencode({ msg_type: 2, piece: 0 }));
    scene.inbox.get(1)!.length = 0;
    scene.clock.advance(59_000);
    scene.fetch.tick();
    expect(scene.requestsOf(1)).toEqual([]);
    scene.join(2);
    expect(scene.requestsOf(2)).toHaveLength(6);
    scene.fetch.removePeer(2);
    scene.clock.advance(1_000);
    scene.fetch.tick();
    expect(scene.requestsOf(1)).toHaveLength(6);
  });

  test("what a peer that left was asked for goes to those that stay", () => {
    const scene = new Scene();
    scene.join(1);
    scene.join(2);
    scene.fetch.removePeer(1);
    expect(scene.requestsOf(2)).toEqual([0, 1, 2, 3, 4, 5]);
  });

  test("a request to us, who have nothing, is rejected, but not without end", () => {
    const scene = new Scene();
    scene.join(1);
    scene.inbox.get(1)!.length = 0;
    for (let i = 0; i < 1_000; i++) scene.tell(1, encodeBencode({ msg_type: 0, piece: 3 }));
    expect(scene.inbox.get(1)!.length).toBe(64);
    expect(parseMetadataMessage(scene.inbox.get(1)![0]!)).toEqual({ kind: "reject", part: 3 });
  });

  test("a type of a later version is ignored", () => {
    const scene = new Scene();
    scene.join(1);
    scene.tell(1, encodeBencode({ msg_type: 9 }));
    expect(scene.faults.size).toBe(0);
  });

  test.each([0, -1, 1.5, Number.NaN, LIMITS.metainfo.infoBytes + 1, 2 ** 40])(
    "a claimed size of %p is not asked for",
    (size) => {
      const scene = new Scene();
      scene.join(1, size);
      expect(scene.inbox.get(1)).toEqual([]);
      expect(scene.fetch.progress.totalParts).toBe(0);
    },
  );

  test("16 MiB are asked for", () => {
    const scene = new Scene();
    scene.join(1, LIMITS.metainfo.infoBytes);
    expect(scene.fetch.progress.totalParts).toBe(1_024);
  });

  test.each([
    ["no bencode", new Uint8Array([1, 2, 3]), "bad_frame"],
    ["nothing", new Uint8Array(0), "bad_frame"],
    ["a list", encodeBencode([1]), "bad_frame"],
    ["no type", encodeBencode({ piece: 0 }), "bad_frame"],
    ["a type that is text", encodeBencode({ msg_type: "1", piece: 0 }), "bad_frame"],
    ["no part", encodeBencode({ msg_type: 1 }), "bad_frame"],
    ["part -1", data(-1, INFO.slice(0, PART)), "bad_frame"],
    ["part 999", data(999, INFO.slice(0, PART)), "unsolicited_data"],
    ["a part too long", data(0, INFO.slice(0, PART + 1)), "bad_frame"],
    ["a part too short", data(0, INFO.slice(0, PART - 1)), "bad_frame"],
    ["a last part too long", data(5, INFO.slice(0, PART)), "bad_frame"],
    ["an empty part", data(0, new Uint8Array(0)), "bad_frame"],
    ["another size", data(0, INFO.slice(0, PART), INFO.length + 1), "bad_frame"],
    [
      "a dictionary of 1,000 entries",
      encodeBencode(Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`k${i}`, 1]))),
      "bad_frame",
    ],
    ["200,000 open lists", new Uint8Array(Buffer.from("l".repeat(200_000))), "bad_frame"],
  ] as [string, Uint8Array, PeerFaultReason][])("%s ends that peer alone", (_, payload, reason) => {
    const scene = new Scene();
    scene.join(1);
    scene.join(2);
    scene.tell(1, payload);
    expect(scene.faults).toEqual(new Map([[1, reason]]));
    scene.answer(2, INFO);
    expect(scene.result).toEqual(INFO);
  });

  test("the same part a second time is unsolicited", () => {
    const scene = new Scene();
    scene.join(1);
    scene.tell(1, encodeMetadataData(0, INFO));
    scene.tell(1, encodeMetadataData(0, INFO));
    expect(scene.faults.get(1)).toBe("unsolicited_data");
  });

  test("data from a peer that is not known is ignored", () => {
    const scene = new Scene();
    scene.tell(9, encodeMetadataData(0, INFO));
    expect(scene.faults.size).toBe(0);
  });

  test("a liar alone is cut off at its first set", () => {
    const scene = new Scene();
    scene.join(1);
    scene.answer(1, LIE);
    expect(scene.faults).toEqual(new Map([[1, "corrupt_data"]]));
    expect(scene.result).toBeNull();
    scene.join(2);
    scene.answer(2, INFO);
    expect(scene.result).toEqual(INFO);
  });

  test("liars among honest peers delay but do not win, and only liars are cut off", () => {
    for (let seed = 1; seed <= 30; seed++) {
      const info = seededRandom(seed).bytes(20 * PART + 5);
      const lie = seededRandom(seed + 1_000).bytes(info.length);
      const scene = new Scene(info);
      const order = seededRandom(seed);
      const peers = new Map<number, Uint8Array | null>();
      for (let peer = 1; peer <= 8; peer++) {
        const roll = order.below(3);
        peers.set(peer, roll === 0 ? info : roll === 1 ? lie : null);
      }
      peers.set(9, info);
      for (const peer of peers.keys()) scene.join(peer, info.length);
      scene.run(peers, 600);
      expect(scene.result, `seed ${seed}`).toEqual(info);
      for (const liar of scene.faults.keys()) expect(peers.get(liar), `seed ${seed}`).toBe(lie);
    }
  });

  test("an honest peer's answers to an earlier round are no fault", () => {
    const info = random.bytes(12 * PART);
    const scene = new Scene(info);
    scene.join(1, info.length);
    scene.join(2, info.length);
    // Peer 1 lies about its eight parts; peer 2 answers its four, which completes a bad set.
    scene.answer(1, random.bytes(info.length));
    scene.answer(2, info);
    expect(scene.result).toBeNull();
    scene.answer(2, info);
    expect(scene.faults.has(2)).toBe(false);
  });

  test("three sizes are fetched beside one another and the right one wins", () => {
    const scene = new Scene();
    scene.join(1, INFO.length + 1);
    scene.join(2, INFO.length + PART);
    scene.join(3);
    expect([1, 2, 3].map((peer) => scene.requestsOf(peer).length)).toEqual([6, 7, 6]);
    scene.answer(3, INFO);
    expect(scene.result).toEqual(INFO);
  });

  test("three stalled sizes give way to a fourth", () => {
    const scene = new Scene();
    for (const peer of [1, 2, 3]) scene.join(peer, INFO.length + peer);
    scene.join(4);
    expect(scene.inbox.get(4)).toEqual([]);
    scene.run(new Map([[4, INFO]]), 30);
    expect(scene.result).toEqual(INFO);
  });

  test("sizes that trickle give way to one that more peers name", () => {
    const scene = new Scene();
    for (const peer of [1, 2, 3]) scene.join(peer, LIMITS.metainfo.infoBytes - peer);
    scene.join(4);
    scene.join(5);
    for (let part = 0; part < 8 && scene.result === null; part++) {
      for (const peer of [1, 2, 3])
        scene.tell(peer, data(part, new Uint8Array(PART), LIMITS.metainfo.infoBytes - peer));
      for (let second = 0; second < 10; second++) {
        scene.clock.advance(1_000);
        scene.fetch.tick();
        scene.answer(4, INFO);
        scene.answer(5, INFO);
      }
    }
    expect(scene.result).toEqual(INFO);
  });

  test("after the end nothing is asked and nothing is a fault", () => {
    const scene = new Scene();
    scene.join(1);
    scene.join(2);
    scene.answer(1, INFO);
    scene.join(3);
    scene.fetch.tick();
    scene.tell(2, encodeMetadataData(0, INFO));
    expect([scene.inbox.get(3), scene.faults.size, scene.completions]).toEqual([[], 0, 1]);
  });
});

describe("metadata serve", () => {
  const serve = new MetadataServe(INFO);

  test("gives each part with the total size", () => {
    for (const part of [0, 5]) {
      const reply = parseMetadataMessage(serve.answer(encodeBencode({ msg_type: 0, piece: part }))!);
      expect(reply).toEqual({
        kind: "data",
        part,
        totalBytes: INFO.length,
        bytes: INFO.slice(part * PART, (part + 1) * PART),
      });
    }
  });

  test.each([6, 999, 2 ** 40])("rejects part %p, which does not exist", (part) => {
    expect(parseMetadataMessage(serve.answer(encodeBencode({ msg_type: 0, piece: part }))!)).toEqual({
      kind: "reject",
      part,
    });
  });

  test.each([1, 2, 7])("has no answer to type %p", (type) => {
    expect(serve.answer(encodeBencode({ msg_type: type, piece: 0 }))).toBeNull();
  });

  test("a malformed request is the peer's fault", () => {
    expect(() => serve.answer(new Uint8Array([0x78]))).toThrow(PeerFault);
    expect(() => serve.answer(encodeBencode({ msg_type: 0, piece: -1 }))).toThrow(PeerFault);
  });
});
