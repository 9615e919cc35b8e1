import { describe, expect, test } from "bun:test";
import { classifyAddress } from "../../../../src/swarm/egress/address-class.ts";
import { systemDns } from "../../../../src/swarm/egress/system-dns.ts";

describe("the system's resolver", () => {
  test("leaves literals as they are", async () => {
    expect(await systemDns.resolve("1.2.3.4")).toEqual(["1.2.3.4"]);
    expect(await systemDns.resolve("::1")).toEqual(["::1"]);
  });

  test("knows the hosts file", async () => {
    const found = await systemDns.resolve("localhost");
    expect(found.length).toBeGreaterThan(0);
    for (const address of found) expect(classifyAddress(address)).toBe("loopback");
  });
});
