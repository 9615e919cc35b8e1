import { describe, expect, test } from "bun:test";
import { type BencodeInput, encodeBencode } from "../../../../src/metainfo/bencode.ts";
import { parseHttpReply } from "../../../../src/swarm/trackers/http-reply.ts";
import { TrackerError } from "../../../../src/swarm/trackers/tracker-error.ts";

const parse = (dict: Record<string, BencodeInput>) => parseHttpReply(encodeBencode(dict));

describe("an HTTP announce reply", () => {
  test("compact peers of both families, counts, warning and id are read", () => {
    const reply = parse({
      interval: 900,
      "min interval": 600,
      complete: 7,
      incomplete: 8,
      "tracker id": "abc",
      "warning message": "slow down",
      peers: Uint8Array.of(1, 2, 3, 4, 0x1a, 0xe1, 5, 6, 7, 8, 0, 0, 9, 9),
      peers6: Uint8Array.of(0x26, 0, ...new Array(13).fill(0), 1, 0, 80),
    });
    expect(reply).toEqual({
      intervalSec: 900,
      minIntervalSec: 600,
      seeders: 7,
      leechers: 8,
      warning: "slow down",
      trackerId: new Uint8Array(Buffer.from("abc")),
      peers: [
        { host: "1.2.3.4", port: 6881 },
        { host: "2600::1", port: 80 },
      ],
    });
  });

  test("listed peers are read; names, bad ports and other things are left out", () => {
    const peers = [
      { ip: "1.2.3.4", port: 1 },
      { ip: "2600::0001", port: 65535, "peer id": "x".repeat(20) },
      { ip: "::ffff:5.6.7.8", port: 9 },
      { ip: "localhost", port: 2 },
      { ip: "1.2.3.4", port: 0 },
      { ip: "1.2.3.4", port: 65536 },
      { ip: "1.2.3.4" },
      { port: 5 },
      7,
    ];
    expect(parse({ peers }).peers).toEqual([
      { host: "1.2.3.4", port: 1 },
      { host: "2600::1", port: 65535 },
      { host: "5.6.7.8", port: 9 },
    ]);
  });

  test.each([
    [0, 60],
    [1, 60],
    [59, 60],
    [60, 60],
    [61, 61],
    [14_400, 14_400],
    [14_401, 14_400],
    [2 ** 32, 14_400],
    [2 ** 53 - 1, 14_400],
    [-1, 60],
    ["abc", 1800],
    [[1], 1800],
  ])("interval %p becomes %i s", (interval, expected) => {
    expect(parse({ interval }).intervalSec).toBe(expected);
    expect(parse({ interval: 100, "min interval": interval }).minIntervalSec).toBe(
      typeof interval === "number" ? expected : 60,
    );
  });

  test("a failure is an error with the tracker's words", () => {
    expect(() => parse({ "failure reason": "unregistered torrent", interval: 5 })).toThrow(
      "unregistered torrent",
    );
    expect(() => parse({ "failure reason": "" })).toThrow("refused");
  });

  test("no more than 1,000 peers are taken, compact or listed", () => {
    expect(parse({ peers: new Uint8Array(6 * 100_000).fill(9) }).peers).toHaveLength(1000);
    expect(
      parse({ peers: Array.from({ length: 5000 }, () => ({ ip: "1.2.3.4", port: 5 })) }).peers,
    ).toHaveLength(1000);
    const both = parse({ peers: new Uint8Array(6000).fill(9), peers6: new Uint8Array(18_000).fill(0x2a) });
    expect(both.peers).toHaveLength(1000);
  });

  test.each(["", "d", "le", "i5e", "4:spam", "<html>", "d8:intervali5", "d5:peersi5e", "d1:a1:b1:a1:be"])(
    "%p is no reply",
    (text) => {
      expect(() => parseHttpReply(Buffer.from(text))).toThrow(TrackerError);
    },
  );

  test("a line feed behind the reply is forgiven; counts that are none are unknown", () => {
    expect(parseHttpReply(Buffer.from("d8:completei-4e8:intervali1800ee\n"))).toMatchObject({
      seeders: null,
    });
  });

  test("a long tracker id is not kept", () => {
    expect(parse({ "tracker id": "x".repeat(257) }).trackerId).toBeNull();
  });
});
