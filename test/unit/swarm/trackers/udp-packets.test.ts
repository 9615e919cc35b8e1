import { describe, expect, test } from "bun:test";
import { TrackerError } from "../../../../src/swarm/trackers/tracker-error.ts";
import {
  announcePacket,
  connectPacket,
  parseAnnounceReply,
  parseConnectReply,
  transactionOf,
} from "../../../../src/swarm/trackers/udp-packets.ts";
import { someFacts } from "../../../support/announce-facts.ts";

const base = {
  facts: { ...someFacts, downloadedBytes: 2 ** 40, leftBytes: 2 ** 41, uploadedBytes: 2 ** 42 },
  event: "started",
  key: 0xdeadbeef,
  trackerId: null,
  connectionId: 0x0102030405060708n,
  transactionId: 0xf0000001,
  urlData: "",
} as const;
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

describe("packets of UDP trackers", () => {
  test("connect is the protocol id, action 0 and the transaction", () => {
    expect(hex(connectPacket(0xf0000001))).toBe("000004172710198000000000f0000001");
  });

  test("announce has BEP 15's 98 bytes in their order", () => {
    expect(hex(announcePacket(base))).toBe(
      `010203040506070800000001f0000001${someFacts.infoHash}${hex(someFacts.peerId)}` +
        "0000010000000000" +
        "0000020000000000" +
        "0000040000000000" +
        "00000002" +
        "00000000" +
        "deadbeef" +
        "000000c8" +
        "c8d6",
    );
    expect(Buffer.from(announcePacket({ ...base, event: null })).readUInt32BE(80)).toBe(0);
    expect(Buffer.from(announcePacket({ ...base, event: "completed" })).readUInt32BE(80)).toBe(1);
    const stopped = Buffer.from(announcePacket({ ...base, event: "stopped" }));
    expect([stopped.readUInt32BE(80), stopped.readUInt32BE(92)]).toEqual([3, 0]);
  });

  test("path and query follow as BEP 41 options of at most 255 bytes", () => {
    const short = announcePacket({ ...base, urlData: "/announce?k=1" });
    expect(Buffer.from(short.subarray(98)).toString("latin1")).toBe("\x02\x0d/announce?k=1");
    const long = announcePacket({ ...base, urlData: `/${"a".repeat(299)}` }).subarray(98);
    expect([long[0], long[1], long[257], long[258], long.length]).toEqual([2, 255, 2, 45, 304]);
    expect(announcePacket({ ...base, urlData: "a".repeat(100_000) }).length).toBeLessThan(1000);
  });

  test("replies of both families are read; −1 as an interval is clamped", () => {
    const head = "00000001f0000001" + "ffffffff" + "00000005" + "00000006";
    const v4 = parseAnnounceReply(Buffer.from(`${head}010203041ae1`, "hex"), 4);
    expect(v4).toMatchObject({
      intervalSec: 60,
      leechers: 5,
      seeders: 6,
      peers: [{ host: "1.2.3.4", port: 6881 }],
    });
    const v6 = parseAnnounceReply(Buffer.from(`${head}26${"00".repeat(14)}011ae1ff`, "hex"), 16);
    expect(v6.peers).toEqual([{ host: "2600::1", port: 6881 }]);
  });

  test("errors carry the tracker's words; short and foreign packets are bad replies", () => {
    const error = Buffer.concat([Buffer.from("0000000300000001", "hex"), Buffer.from("go away")]);
    expect(() => parseConnectReply(error)).toThrow("go away");
    expect(() => parseAnnounceReply(error, 4)).toThrow("go away");
    for (const packet of ["", "00", "0000000000000001", "000000010000000100000000", "0000000200000001"]) {
      expect(() => parseConnectReply(Buffer.from(packet, "hex"))).toThrow(TrackerError);
      expect(() => parseAnnounceReply(Buffer.from(packet, "hex"), 4)).toThrow(TrackerError);
    }
    expect(transactionOf(new Uint8Array(7))).toBeNull();
  });
});
