import { describe, expect, test } from "bun:test";
import { cleanMessage, publicUrl } from "../../../../src/swarm/trackers/tracker-secrets.ts";

const KEY = "0123456789abcdef0123456789abcdef";

describe("a tracker's URL in public", () => {
  test.each([
    ["http://t.test:8080/announce", "http://t.test:8080/announce"],
    [`https://t.test/${KEY}/announce`, "https://t.test/***/announce"],
    ["https://t.test/announce/aZ09aZ09aZ09aZ09q", "https://t.test/announce/***"],
    [`https://t.test/announce.php?passkey=${KEY}&x=1`, "https://t.test/announce.php?***"],
    ["https://user:pass@t.test/announce", "https://t.test/announce"],
    ["udp://t.test:6969", "udp://t.test:6969"],
    [`udp://t.test:6969/announce?k=${KEY}`, "udp://t.test:6969/announce?***"],
    ["not a url", "(malformed address)"],
  ])("%p is shown as %p", (url, shown) => {
    expect(publicUrl(url)).toBe(shown);
  });

  test("a tracker that repeats our key, whole, encoded or in its path, is not quoted with it", () => {
    for (const url of [
      `http://t.test/a?passkey=${KEY}`,
      `http://t.test/${KEY}/announce`,
      `http://u:${KEY}@t.test/`,
    ]) {
      expect(cleanMessage(`bad passkey ${KEY}!`, url)).toBe("bad passkey ***!");
    }
    expect(cleanMessage("a%26bcd and a&bcd", "http://t.test/?k=a%26bcd")).toBe("*** and ***");
  });

  test("messages are one printable line of bounded length", () => {
    expect(cleanMessage("a\r\nb\u0000\u202ec\u2028d\u200b", "http://t.test/")).toBe("a b c d");
    expect(cleanMessage("x".repeat(5000), "http://t.test/").length).toBe(201);
  });
});
