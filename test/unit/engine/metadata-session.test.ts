import { describe, expect, test } from "bun:test";
import { silentLog } from "../../../src/base/log.ts";
import { MetadataSession } from "../../../src/engine/metadata-session.ts";
import { testTorrent } from "../../support/engine-world.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { fakePeer } from "./fake-peer.ts";

const torrent = testTorrent([3_000_000], { pieceBytes: 16 * 1024 });
const PART = 16 * 1024;

function session(infoBytes: Uint8Array | null, clock = new FakeClock()) {
  const complete: Uint8Array[] = [];
  const made = new MetadataSession({
    infoHash: torrent.id,
    infoBytes,
    clock,
    log: silentLog,
    onComplete: (bytes) => complete.push(bytes),
  });
  return { session: made, complete, clock };
}

function peerWith(metadataBytes: number | null, extensions = ["ut_metadata"]) {
  const made = fakePeer();
  made.peer.extended = {
    extensions: new Set(extensions),
    clientName: null,
    listenPort: null,
    requestQueue: null,
    metadataBytes,
    isUploadOnly: false,
  };
  return made;
}

const ask = (part: number) => Buffer.from(`d8:msg_typei0e5:piecei${part}ee`);

function data(part: number): Uint8Array {
  const size = torrent.infoBytes.length;
  const head = Buffer.from(`d8:msg_typei1e5:piecei${part}e10:total_sizei${size}ee`);
  return new Uint8Array(Buffer.concat([head, torrent.infoBytes.subarray(part * PART, (part + 1) * PART)]));
}

describe("the metadata session", () => {
  test("without metadata it asks a peer that has it, and ends with the whole of it", () => {
    const { session: fetching, complete } = session(null);
    const one = peerWith(torrent.infoBytes.length);
    expect(fetching.progress).toBeNull();
    fetching.addPeer(one.peer);
    const parts = Math.ceil(torrent.infoBytes.length / PART);
    expect(one.link.take()).toHaveLength(parts);
    expect(fetching.progress).toEqual({ have: 0, total: parts });
    for (let part = 0; part < parts; part++) fetching.onMessage(one.peer, data(part));
    expect(complete).toHaveLength(1);
    expect(Buffer.from(complete[0]!).equals(Buffer.from(torrent.infoBytes))).toBe(true);
    expect(fetching.progress).toBeNull();
    fetching.onMessage(one.peer, ask(0));
    expect(one.link.take()).toHaveLength(1);
  });

  test("peers that do not offer metadata are not asked", () => {
    const { session: fetching } = session(null);
    for (const one of [peerWith(null), peerWith(5_000, ["ut_pex"]), fakePeer()]) {
      fetching.addPeer(one.peer);
      expect(one.link.take()).toEqual([]);
    }
  });

  test("with metadata it answers, but no peer more than its share", () => {
    const { session: serving, clock } = session(torrent.infoBytes);
    const [greedy, other] = [peerWith(null), peerWith(null)];
    for (let count = 0; count < 3_000; count++) serving.onMessage(greedy.peer, ask(0));
    expect(greedy.link.take()).toHaveLength(1_024);
    serving.onMessage(other.peer, ask(0));
    expect(other.link.take()).toHaveLength(1);
    clock.advance(1_000);
    for (let count = 0; count < 100; count++) serving.onMessage(greedy.peer, ask(0));
    expect(greedy.link.take()).toHaveLength(16);
  });
});
