import { describe, expect, test } from "bun:test";
import { BanList } from "../../../../src/swarm/candidates/ban-list.ts";

describe("banned hosts", () => {
  test("a v4 ban is one address in any spelling, a v6 ban its /64", () => {
    const bans = new BanList();
    bans.add("1.2.3.4", "misbehaviour");
    expect([bans.has("1.2.3.4"), bans.has("::ffff:1.2.3.4"), bans.has("1.2.3.5")]).toEqual([
      true,
      true,
      false,
    ]);
    bans.add("2600:1:2:3:4::1", "misbehaviour");
    expect([bans.has("2600:1:2:3:ffff::9"), bans.has("2600:1:2:4::1")]).toEqual([true, false]);
  });

  test("our own network is banned for corrupt data only, one host at a time", () => {
    const bans = new BanList();
    for (const host of ["192.168.1.2", "127.0.0.1", "fd00::1"]) {
      expect(bans.add(host, "misbehaviour")).toBe(false);
      expect(bans.add(host, "corrupt_data")).toBe(true);
      expect(bans.add(host, "misbehaviour")).toBe(true);
    }
    expect(bans.has("fd00::2")).toBe(false);
  });

  test("10,000 are kept, the oldest goes first", () => {
    const bans = new BanList();
    for (let n = 0; n <= 10_000; n++) bans.add(`20.0.${n >> 8}.${n & 255}`, "misbehaviour");
    expect(bans.size).toBe(10_000);
    expect([bans.has("20.0.0.0"), bans.has("20.0.0.1"), bans.has("20.0.39.16")]).toEqual([false, true, true]);
  });
});
