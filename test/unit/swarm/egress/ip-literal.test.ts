import { describe, expect, test } from "bun:test";
import { seededRandom } from "../../../../src/base/random.ts";
import { canonicalIp, formatIp, parseIp } from "../../../../src/swarm/egress/ip-literal.ts";

describe("IP literals", () => {
  test.each([
    "",
    "1.2.3",
    "1.2.3.4.5",
    "256.1.1.1",
    "01.2.3.4",
    "0x7f.0.0.1",
    "2130706433",
    "1.2.3.4 ",
    "a.b.c.d",
    ":",
    ":::",
    "1::2::3",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "12345::",
    "::g",
    "fe80::1%eth0",
    "[::1]",
    "::1.2.3",
    "::1.2.3.4:5",
    "1:2:3:4:5:6:7::8",
    "tracker.test",
  ])("%p is none", (text) => {
    expect(parseIp(text)).toBeNull();
  });

  test.each([
    ["127.0.0.1", "127.0.0.1"],
    ["::", "::"],
    ["::1", "::1"],
    ["0:0:0:0:0:0:0:1", "::1"],
    ["2001:DB8::00Ff", "2001:db8::ff"],
    ["::ffff:10.0.0.1", "10.0.0.1"],
    ["::FFFF:0a00:0001", "10.0.0.1"],
    ["64:ff9b::10.0.0.1", "64:ff9b::a00:1"],
    ["1:0:0:2:0:0:0:3", "1:0:0:2::3"],
    ["1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7"],
  ])("%p is written %p", (text, canonical) => {
    expect(canonicalIp(text)).toBe(canonical);
  });

  test("any 16 bytes survive being written and read, and are written as the URL standard writes them", () => {
    const seed = 7;
    const random = seededRandom(seed);
    for (let round = 0; round < 3000; round++) {
      const bytes = random.bytes(16).map((byte) => (random.next() < 0.5 ? 0 : byte));
      const text = formatIp(bytes);
      const read = parseIp(text);
      if (text.includes(":")) {
        expect(read, `seed ${seed} round ${round}`).toEqual(bytes);
        expect(new URL(`http://[${text}]/`).hostname).toBe(`[${text}]`);
      }
    }
  });
});
