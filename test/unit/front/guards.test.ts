import { describe, expect, test } from "bun:test";
import { checkHost } from "../../../src/front/host-guard.ts";
import { checkSite, type SiteProof } from "../../../src/front/site-guard.ts";
import { StreamLimits } from "../../../src/front/stream-limits.ts";
import { parseTarget } from "../../../src/front/target.ts";

const codeOf = (run: () => unknown) => {
  try {
    run();
    return "pass";
  } catch (error) {
    return (error as { code?: string }).code ?? "other";
  }
};

test("B4 #2: the Host guard lets in addresses and local names, and nothing that another site can own", () => {
  const table: [string[], string][] = [
    [["localhost"], "pass"],
    [["localhost:8080"], "pass"],
    [["LOCALHOST"], "pass"],
    [["app.localhost"], "pass"],
    [["10.0.0.1"], "pass"],
    [["10.0.0.1:8080"], "pass"],
    [["[::1]:8080"], "pass"],
    [["[fe80::1]"], "pass"],
    [["nas"], "pass"],
    [["torrx_1:8080"], "pass"],
    [["nas.local"], "pass"],
    [["nas.local."], "pass"],
    [["a.b.lan:80"], "pass"],
    [["nas.home.arpa"], "pass"],
    [["torrx.example.org"], "pass"],
    [["TorrX.Example.org:443"], "pass"],
    [["sub.torrx.example.org"], "wrong_host"],
    [["evil.com"], "wrong_host"],
    [["evil.com:8080"], "wrong_host"],
    [["10.0.0.1.evil.com"], "wrong_host"],
    [["10.0.0.256"], "wrong_host"],
    [["localhost.evil.com"], "wrong_host"],
    [["evillocal.com"], "wrong_host"],
    [["xlan.x"], "wrong_host"],
    [["[::1].evil.com"], "bad_request"],
    [["[zz]"], "bad_request"],
    [["[::1::2]"], "wrong_host"],
    [["a, b"], "bad_request"],
    [["a@b"], "bad_request"],
    [["a@b:99/x"], "bad_request"],
    [["localhost:99999"], "bad_request"],
    [["localhost:x"], "bad_request"],
    [["local host"], "bad_request"],
    [["localhost/"], "bad_request"],
    [[""], "bad_request"],
    [["."], "bad_host"],
    [["a".repeat(300)], "bad_request"],
    [[], "bad_request"],
    [["localhost", "localhost"], "bad_request"],
    [["localhost", "evil.com"], "bad_request"],
  ];
  for (const [hosts, expected] of table) {
    const code = codeOf(() => checkHost(hosts, ["torrx.example.org"]));
    if (expected === "bad_host") expect(["bad_request", "wrong_host"]).toContain(code);
    else expect(code, hosts.join(" | ").slice(0, 50)).toBe(expected);
  }
});

test("the answer to a foreign Host names the setting and not the host", () => {
  expect(() => checkHost(["evil.com"], [])).toThrow("server.allowed_hosts");
  expect(() => checkHost(["evil.com"], [])).not.toThrow("evil");
});

test("B4 #1: a page of another site can neither write nor load what is under /api/", () => {
  const proof = (changes: Partial<SiteProof>): SiteProof => ({
    method: "POST",
    host: "localhost:8080",
    origin: undefined,
    secFetchSite: undefined,
    secFetchMode: undefined,
    isApi: true,
    hasToken: false,
    ...changes,
  });
  const writes: [Partial<SiteProof>, string][] = [
    [{}, "pass"],
    [{ secFetchSite: "same-origin" }, "pass"],
    [{ secFetchSite: "none" }, "pass"],
    [{ secFetchSite: "same-site" }, "forbidden"],
    [{ secFetchSite: "cross-site" }, "forbidden"],
    [{ secFetchSite: "x" }, "forbidden"],
    [{ secFetchSite: "cross-site", origin: "http://localhost:8080" }, "forbidden"],
    [{ secFetchSite: "cross-site", hasToken: true }, "forbidden"],
    [{ secFetchSite: "cross-site", secFetchMode: "navigate" }, "forbidden"],
    [{ origin: "http://localhost:8080" }, "pass"],
    [{ origin: "https://LOCALHOST:8080" }, "pass"],
    [{ origin: "http://localhost" }, "forbidden"],
    [{ origin: "http://localhost:3000" }, "forbidden"],
    [{ origin: "http://evil.com" }, "forbidden"],
    [{ origin: "http://localhost:8080.evil.com" }, "forbidden"],
    [{ origin: "http://localhost:8080/" }, "forbidden"],
    [{ origin: "null" }, "forbidden"],
    [{ origin: "" }, "forbidden"],
    [{ origin: "file://localhost:8080" }, "forbidden"],
    [{ host: "nas.lan", origin: "https://nas.lan:443" }, "pass"],
  ];
  for (const method of ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"]) {
    for (const [changes, expected] of writes) {
      const code = codeOf(() => checkSite(proof({ method, ...changes })));
      expect(code, `${method} ${JSON.stringify(changes)}`).toBe(expected);
    }
  }
  const reads: [Partial<SiteProof>, string][] = [
    [{}, "pass"],
    [{ secFetchSite: "same-origin" }, "pass"],
    [{ secFetchSite: "cross-site" }, "forbidden"],
    [{ secFetchSite: "cross-site", hasToken: true }, "pass"],
    [{ secFetchSite: "cross-site", secFetchMode: "navigate" }, "pass"],
    [{ secFetchSite: "cross-site", isApi: false }, "pass"],
    [{ origin: "http://evil.com" }, "forbidden"],
    [{ origin: "http://evil.com", hasToken: true }, "pass"],
    [{ origin: "http://localhost:8080" }, "pass"],
  ];
  for (const method of ["GET", "HEAD"]) {
    for (const [changes, expected] of reads) {
      const code = codeOf(() => checkSite(proof({ method, ...changes })));
      expect(code, `${method} ${JSON.stringify(changes)}`).toBe(expected);
    }
  }
});

describe("targets", () => {
  const ID = "AB".repeat(20);
  const lower = ID.toLowerCase();

  test("bytes are what a file's path with at most one name asks for", () => {
    const table: [string, boolean][] = [
      [`/api/stream/${ID}/0`, true],
      [`/api/stream/${ID}/12/`, true],
      [`/api/stream/${ID}/12/a%2fb.mkv?mode=direct`, true],
      [`/api/stream/${ID}/12/info`, false],
      [`/api/stream/${ID}/12/info/x`, false],
      [`/api/stream/${ID}/12/segment/3`, false],
      [`/api/stream/${ID}/12/master.m3u8`, false],
      [`/api/stream/${ID}/-1`, false],
      [`/api/stream/${ID}/1.5`, false],
      [`/api/stream/${ID}/99999999`, false],
      [`/api/stream/${ID.slice(1)}/1`, false],
      [`/api/stream/${ID}0/1`, false],
      [`/api/stream//${ID}/1`, false],
      [`/x/api/stream/${ID}/1`, false],
    ];
    for (const [url, isBytes] of table) {
      expect(parseTarget(url, "GET").bytes !== null, url).toBe(isBytes);
      expect(parseTarget(url, "POST").bytes, url).toBeNull();
    }
    expect(parseTarget(`/api/stream/${ID}/12/x`, "GET").bytes).toEqual({ torrent: lower as never, file: 12 });
  });

  test("links belong to a file's stream and a torrent's playlist, to nothing else", () => {
    const kinds: [string, string | undefined][] = [
      [`/api/stream/${ID}/1/info`, "stream"],
      [`/api/stream/${ID}/1/segment/4`, "stream"],
      [`/api/torrents/${ID}/playlist.m3u8`, "playlist"],
      [`/api/torrents/${ID}/playlist.m3u8/`, undefined],
      [`/api/torrents/${ID}`, undefined],
      ["/api/settings", undefined],
      ["/", undefined],
    ];
    for (const [url, kind] of kinds) expect(parseTarget(url, "GET").link?.kind, url).toBe(kind as never);
  });

  test("health alone is open, under its one spelling and for reading", () => {
    expect(parseTarget("/api/health?x", "GET").isOpen).toBe(true);
    for (const url of ["/api/health/", "//api/health", "/API/health", "/api/health%20", "/api//health"]) {
      expect(parseTarget(url, "GET").isOpen, url).toBe(false);
    }
    expect(parseTarget("/api/health", "POST").isOpen).toBe(false);
  });

  test("what a URL parser would turn into another path is refused", () => {
    const bad = [
      "",
      "x",
      "*",
      "http://evil/x",
      "/a\\b",
      "/a b",
      "/a\tb",
      "/a\0b",
      "/a#b",
      "/..",
      "/../a",
      "/a/../b",
      "/a/./b",
      `/api/stream/${ID}/0/../../../settings`,
      "/a/%2e%2e/b",
      "/a/%2E./b",
      "/a/.%2e",
    ];
    for (const url of bad)
      expect(
        codeOf(() => parseTarget(url, "GET")),
        url,
      ).toBe("bad_request");
    for (const url of ["/...", "/.well-known", "/a/..b", "/%zz", "//x"]) {
      expect(
        codeOf(() => parseTarget(url, "GET")),
        url,
      ).toBe("pass");
    }
  });
});

describe("limits of streams", () => {
  const place = (file: number, clientAddress = "192.0.2.1", viewer = "v") => ({
    viewer,
    clientAddress,
    torrent: "t",
    file,
  });

  test("an address gets sixteen streams, a stream sixteen connections, and each place comes back once", () => {
    const limits = new StreamLimits();
    const leave = Array.from({ length: 16 }, (_, i) => limits.take(place(i)));
    expect(codeOf(() => limits.take(place(16)))).toBe("busy");
    const more = Array.from({ length: 15 }, () => limits.take(place(0)));
    expect(codeOf(() => limits.take(place(0)))).toBe("busy");
    expect(codeOf(() => limits.take(place(16, "192.0.2.2")))).toBe("pass");
    leave[1]?.();
    leave[1]?.();
    expect(codeOf(() => limits.take(place(16)))).toBe("pass");
    expect(codeOf(() => limits.take(place(17)))).toBe("busy");
    for (const one of [...leave, ...more]) one();
    expect(limits.streams).toBe(2);
  });

  test("the house gets sixty-four", () => {
    const limits = new StreamLimits();
    for (let i = 0; i < 64; i++) limits.take(place(i, `192.0.2.${i}`));
    expect(codeOf(() => limits.take(place(0, "192.0.2.99")))).toBe("busy");
  });
});
