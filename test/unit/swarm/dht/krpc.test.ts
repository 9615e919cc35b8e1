import { describe, expect, test } from "bun:test";
import { type BencodeInput, decodeBencode, encodeBencode } from "../../../../src/metainfo/index.ts";
import { parseKrpc } from "../../../../src/swarm/dht/krpc.ts";

const PUBLIC = { host: "8.8.4.4", port: 6881 };
const PRIVATE = { host: "192.168.1.7", port: 6881 };
const LOOPBACK = { host: "127.0.0.1", port: 6881 };
const id = new Uint8Array(20).fill(0x61);
const hash = new Uint8Array(20).fill(0x62);

type Message = Record<string, BencodeInput | undefined>;
const query = (q: BencodeInput, a: BencodeInput, more: Message = {}) =>
  encodeBencode({ t: "aa", y: "q", q, a, ...more });
const answer = (r: BencodeInput) => encodeBencode({ t: "aa", y: "r", r });
const compact = (host: string, port: number) =>
  new Uint8Array([...host.split(".").map(Number), port >> 8, port & 0xff]);
const node = (host: string, port: number) => new Uint8Array([...id, ...compact(host, port)]);
const joined = (...parts: Uint8Array[]) => new Uint8Array(Buffer.concat(parts));

const asked = (bytes: Uint8Array, from = PUBLIC) => {
  const packet = parseKrpc(bytes, from);
  if (packet?.kind !== "query") throw new Error(`not a query: ${packet?.kind}`);
  return decodeBencode(packet.bytes);
};
const told = (bytes: Uint8Array, from = PUBLIC) => {
  const packet = parseKrpc(bytes, from);
  if (packet?.kind !== "reply") throw new Error(`not a reply: ${packet?.kind}`);
  return decodeBencode(packet.rebuilt(new Uint8Array([1, 2])));
};
const rebuilt = (message: Message) => decodeBencode(encodeBencode(message as BencodeInput));

describe("KRPC queries", () => {
  test.each([
    ["ping", { id }],
    ["find_node", { id, target: hash }],
    ["get_peers", { id, info_hash: hash }],
    ["announce_peer", { id, info_hash: hash, port: 6881, token: "tok" }],
  ] as [string, BencodeInput][])("%s goes on, without what is not understood", (q, a) => {
    const noisy = new Map<string, BencodeInput>([
      ...Object.entries(a),
      ["want", ["n6"]],
      ["__proto__", new Map([["id", 1]])],
    ]);
    expect(asked(query(q, noisy, { v: "LT", x: [] }))).toEqual(rebuilt({ t: "aa", y: "q", q, a }));
  });

  test("get is answered as find_node", () => {
    expect(asked(query("get", { id, target: hash }))).toEqual(
      rebuilt({ t: "aa", y: "q", q: "find_node", a: { id, target: hash } }),
    );
  });

  test("an implied port is the packet's own", () => {
    const a = { id, info_hash: hash, implied_port: 1, port: 1, token: "tok" };
    expect(asked(query("announce_peer", a), { host: "8.8.4.4", port: 7777 })).toEqual(
      rebuilt({ t: "aa", y: "q", q: "announce_peer", a: { id, info_hash: hash, port: 7777, token: "tok" } }),
    );
  });

  test("a read-only node (BEP 43) is answered but not made a contact", () => {
    expect(asked(query("ping", { id }, { ro: 1 }))).toEqual(rebuilt({ t: "aa", y: "q", q: "ping", a: {} }));
  });

  test.each(["put", "vote", "sample_infohashes", "", "__proto__"])("%p is unknown", (q) => {
    expect(parseKrpc(query(q, { id }), PUBLIC)?.kind).toBe("unknown_query");
  });

  test.each([
    ["info_hash that is a number", query("get_peers", { id, info_hash: 5 })],
    ["info_hash too short", query("get_peers", { id, info_hash: hash.subarray(1) })],
    ["no info_hash", query("get_peers", { id })],
    ["target that is a number", query("find_node", { id, target: 9 })],
    ["target that is a list", query("get", { id, target: [] })],
    ["token that is a number", query("announce_peer", { id, info_hash: hash, port: 6881, token: 7 })],
    ["empty token", query("announce_peer", { id, info_hash: hash, port: 6881, token: "" })],
    ["long token", query("announce_peer", { id, info_hash: hash, port: 6881, token: new Uint8Array(129) })],
    ["port 0", query("announce_peer", { id, info_hash: hash, port: 0, token: "x" })],
    ["port -1", query("announce_peer", { id, info_hash: hash, port: -1, token: "x" })],
    ["port 65536", query("announce_peer", { id, info_hash: hash, port: 65_536, token: "x" })],
    ["port of a mail server", query("announce_peer", { id, info_hash: hash, port: 25, token: "x" })],
    ["port that is text", query("announce_peer", { id, info_hash: hash, port: "1", token: "x" })],
    ["id too short", query("ping", { id: id.subarray(1) })],
    ["id that is a number", query("ping", { id: 1 })],
    ["no id", query("ping", {})],
    ["arguments that are text", query("ping", "x")],
    ["a method that is a number", query(1, { id })],
    ["a transaction that is a number", encodeBencode({ t: 1, y: "q", q: "ping", a: { id } })],
    ["an empty transaction", encodeBencode({ t: "", y: "q", q: "ping", a: { id } })],
    ["a long transaction", encodeBencode({ t: new Uint8Array(33), y: "q", q: "ping", a: { id } })],
    ["no type", encodeBencode({ t: "aa", q: "ping", a: { id } })],
    ["another type", encodeBencode({ t: "aa", y: "z" })],
    ["a list", encodeBencode([])],
    ["no bencode", new Uint8Array([0x78])],
    ["nothing", new Uint8Array(0)],
    ["a negative string length", new Uint8Array(Buffer.from("-9:"))],
    ["open lists", new Uint8Array(Buffer.from("l".repeat(1_500)))],
    ["an answer without an id", answer({ nodes: "" })],
    ["an answer that is a list", answer([])],
  ])("%s is dropped", (_, bytes) => {
    expect(parseKrpc(bytes, PUBLIC)).toBeNull();
  });

  test("a packet from an IPv6 address is dropped", () => {
    expect(parseKrpc(query("ping", { id }), { host: "2001:db8::1", port: 6881 })).toBeNull();
  });
});

describe("KRPC answers", () => {
  test("what is understood goes on under the transaction given", () => {
    const fields = { id, nodes: node("9.9.9.9", 6881), token: "tok", values: [compact("9.9.9.8", 51_413)] };
    expect(told(answer({ ...fields, p: 5, samples: "x" }))).toEqual(
      rebuilt({ t: new Uint8Array([1, 2]), y: "r", r: fields }),
    );
  });

  test("nodes and peers in places that the teller has no business to name are left out", () => {
    const bad = [
      ["0.1.2.3", 6881],
      ["127.0.0.1", 6881],
      ["10.0.0.1", 6881],
      ["192.168.0.1", 6881],
      ["172.16.0.1", 6881],
      ["100.64.0.1", 6881],
      ["169.254.169.254", 6881],
      ["224.0.0.1", 6881],
      ["255.255.255.255", 6881],
      ["9.9.9.9", 0],
      ["9.9.9.9", 1],
      ["9.9.9.9", 53],
      ["9.9.9.9", 22],
    ] as [string, number][];
    const nodes = joined(...bad.map(([host, port]) => node(host, port)), node("9.9.9.9", 6881));
    const values = [...bad.map(([host, port]) => compact(host, port)), compact("9.9.9.9", 6881)];
    const kept = { id, nodes: node("9.9.9.9", 6881), values: [compact("9.9.9.9", 6881)] };
    expect(told(answer({ id, nodes, values }))).toEqual(
      rebuilt({ t: new Uint8Array([1, 2]), y: "r", r: kept }),
    );
  });

  test.each([
    ["a private node may name private places", PRIVATE, "192.168.1.9", true],
    ["a private node may not name this machine", PRIVATE, "127.0.0.1", false],
    ["a loopback node may name both", LOOPBACK, "127.0.0.1", true],
    ["a loopback node may name private places", LOOPBACK, "10.0.0.1", true],
  ] as const)("%s", (_, from, host, isKept) => {
    const values = isKept ? [compact(host, 7_000)] : [];
    expect(told(answer({ id, values: [compact(host, 7_000)] }), from)).toEqual(
      rebuilt({ t: new Uint8Array([1, 2]), y: "r", r: { id, values } }),
    );
  });

  test("half a node, values of wrong type and size, and tokens that are none are left out", () => {
    const fields = { id, nodes: new Uint8Array(25), values: [1, "x", new Uint8Array(18), []], token: 5 };
    expect(told(answer(fields as BencodeInput))).toEqual(
      rebuilt({ t: new Uint8Array([1, 2]), y: "r", r: { id, nodes: "", values: [] } }),
    );
  });

  test.each([
    [[201, "x"], 201],
    [[], 201],
    ["x", 201],
    [[203, 5, []], 203],
  ] as [BencodeInput, number][])("the error %p goes on as its code alone", (e, code) => {
    expect(told(encodeBencode({ t: "aa", y: "e", e }))).toEqual(
      rebuilt({ t: new Uint8Array([1, 2]), y: "e", e: [code, "refused"] }),
    );
  });
});
