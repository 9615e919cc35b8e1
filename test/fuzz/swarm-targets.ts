import { tryInfoHash } from "../../src/base/brand.ts";
import { silentLog } from "../../src/base/log.ts";
import { PeerFault } from "../../src/base/peer-fault.ts";
import { decodeBencode, encodeBencode } from "../../src/metainfo/index.ts";
import { parseKrpc } from "../../src/swarm/dht/krpc.ts";
import { encodeMetadataData } from "../../src/swarm/metadata/message.ts";
import { MetadataFetch } from "../../src/swarm/metadata/metadata-fetch.ts";
import { MetadataServe } from "../../src/swarm/metadata/metadata-serve.ts";
import { FakeClock } from "../support/fake-clock.ts";
import type { FuzzTarget } from "./fuzz.ts";

const bytes = (text: string) => new Uint8Array(Buffer.from(text));
const id = new Uint8Array(20).fill(0x61);
const DICTIONARY = [
  "d",
  "l",
  "e",
  "i0e",
  "i-1e",
  "i99999e",
  "0:",
  "1:q",
  "1:r",
  "1:e",
  "1:y",
  "1:t2:aa",
  "9:info_hash",
  "6:target",
  "5:token",
  "6:values",
  "5:nodes",
  "12:implied_porti1e",
  "2:roi1e",
  "8:msg_typei1e",
  "8:msg_typei2e",
  "5:piecei0e",
  "5:piecei-1e",
  "10:total_sizei9e",
].map(bytes);

const krpc: FuzzTarget = {
  name: "KRPC packet",
  corpus: [
    encodeBencode({ t: "aa", y: "q", q: "ping", a: { id }, ro: 1 }),
    encodeBencode({ t: "aa", y: "q", q: "find_node", a: { id, target: id } }),
    encodeBencode({ t: "aa", y: "q", q: "get_peers", a: { id, info_hash: id } }),
    encodeBencode({
      t: "aa",
      y: "q",
      q: "announce_peer",
      a: { id, info_hash: id, token: "x", port: 6881, implied_port: 0 },
    }),
    encodeBencode({
      t: "aa",
      y: "r",
      r: { id, nodes: new Uint8Array(52).fill(9), token: "x", values: [new Uint8Array(6).fill(9)] },
    }),
    encodeBencode({ t: "aa", y: "e", e: [203, "x"] }),
    // Each of these ends a process that gives them to the package unchecked.
    encodeBencode({ t: "aa", y: "q", q: "get_peers", a: { id, info_hash: 5 } }),
    encodeBencode({ t: "aa", y: "q", q: "find_node", a: { id, target: 9 } }),
    encodeBencode({ t: "aa", y: "q", q: "announce_peer", a: { id, info_hash: id, port: 6881, token: 7 } }),
    encodeBencode({ t: "aa", y: "q", q: "get", a: { id, target: 9 } }),
  ],
  dictionary: DICTIONARY,
  run(input) {
    const packet = parseKrpc(input, { host: "8.8.4.4", port: 6881 });
    if (packet === null) throw new Dropped();
    if (packet.kind === "query") decodeBencode(packet.bytes);
    if (packet.kind === "reply") decodeBencode(packet.rebuilt(new Uint8Array(4)));
  },
  isExpected: (error) => error instanceof Dropped,
};

class Dropped extends Error {}

const INFO = new Uint8Array(40_000).fill(5);
const infoHash = tryInfoHash(new Bun.CryptoHasher("sha1").update(INFO).digest("hex"));

const metadata: FuzzTarget = {
  name: "metadata message",
  corpus: [
    encodeMetadataData(0, INFO),
    encodeMetadataData(2, INFO),
    encodeBencode({ msg_type: 0, piece: 1 }),
    encodeBencode({ msg_type: 2, piece: 1 }),
  ],
  dictionary: DICTIONARY,
  run(input) {
    if (infoHash === null) throw new Error("no hash");
    const fetch = new MetadataFetch({
      infoHash,
      clock: new FakeClock(),
      log: silentLog,
      onComplete: () => undefined,
    });
    fetch.addPeer(1, INFO.length, () => undefined);
    new MetadataServe(INFO).answer(input);
    fetch.onMessage(1, input);
    fetch.tick();
  },
  isExpected: (error) => error instanceof PeerFault,
};

export const SWARM_TARGETS: readonly FuzzTarget[] = [krpc, metadata];
