import { describe, expect, test } from "bun:test";
import type { NetworkInterfaceInfo } from "node:os";
import { loadConfig } from "../../../src/config/index.ts";
import { lanAddressOf, type WelcomeOptions, welcome } from "../../../src/server/welcome.ts";

const absent = () => {
  throw Object.assign(new Error("absent"), { code: "ENOENT" });
};

function lines(options: Partial<WelcomeOptions> & { host?: string } = {}): string[] {
  const env = { TORRX_SERVER_HOST: options.host ?? "0.0.0.0" };
  const config = loadConfig({ configPath: null, env, cwd: "/w", readFile: absent });
  const rest = {
    port: 8080,
    username: "ann",
    generatedPassword: null,
    passwordSource: "user",
    lanAddress: null,
  };
  return welcome({ config, ...(rest as Omit<WelcomeOptions, "config">), ...options }).split("\n");
}

describe("the lines of a start", () => {
  test("are two: the address, also the one in the network, and the login", () => {
    expect(lines({ lanAddress: "192.168.1.7" })).toEqual([
      "TorrX is ready: http://localhost:8080 (on your network: http://192.168.1.7:8080)",
      "Login: ann with the password that you set (torrx passwd sets a new one)",
    ]);
    expect(lines()[0]).toBe("TorrX is ready: http://localhost:8080");
  });

  test("name the one address that is listened on and no other", () => {
    const lanAddress = "192.168.1.7";
    expect(lines({ host: "127.0.0.1", lanAddress })[0]).toBe("TorrX is ready: http://127.0.0.1:8080");
    expect(lines({ host: "fd00::1", lanAddress })[0]).toBe("TorrX is ready: http://[fd00::1]:8080");
  });

  test("show a password that was made now, and say of no other that the user set it", () => {
    const made = { text: "abc", keep: () => Promise.resolve() };
    expect(lines({ generatedPassword: made, passwordSource: "generated" })[1]).toContain("ann / abc ");
    for (const passwordSource of ["generated", "config"] as const) {
      expect(lines({ passwordSource })[1]).not.toContain("you set");
    }
    expect(lines({ passwordSource: "generated" })[1]).toContain("torrx passwd sets a new one");
  });
});

describe("the address in the network", () => {
  const of = (address: string, internal = false) =>
    ({ address, internal, family: address.includes(":") ? "IPv6" : "IPv4" }) as NetworkInterfaceInfo;

  test("is the first private IPv4 address of a real interface", () => {
    expect(
      lanAddressOf({
        lo: [of("127.0.0.1", true), of("10.77.0.1", true)],
        docker0: [of("172.17.0.1")],
        ppp0: [of("203.0.113.9")],
        eth0: [of("fd00::1"), of("192.168.1.7")],
        eth1: [of("10.0.0.7")],
      }),
    ).toBe("192.168.1.7");
  });

  test("is none where there is none", () => {
    expect(lanAddressOf({ eth0: [of("203.0.113.9"), of("172.32.0.1")], gone: undefined })).toBeNull();
  });
});
