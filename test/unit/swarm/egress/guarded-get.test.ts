import { describe, expect, test } from "bun:test";
import { EgressError, type EgressFault } from "../../../../src/swarm/egress/egress-error.ts";
import { type GetAnswer, guardedGet } from "../../../../src/swarm/egress/guarded-get.ts";
import type { Dns, HttpGet } from "../../../../src/swarm/ports.ts";
import { SteppedClock } from "../../../support/stepped-clock.ts";

type Site = { status?: number; location?: string | null; body?: string } | Error;

/** Names with one or more addresses, and what each URL answers. */
class World {
  readonly clock = new SteppedClock();
  readonly asked: string[] = [];
  readonly names: Record<string, string[]> = {
    "public.test": ["1.2.3.4"],
    "other.test": ["5.6.7.8"],
    "lan.test": ["192.168.1.5"],
    "both.test": ["1.2.3.4", "10.0.0.1"],
    "meta.test": ["169.254.169.254"],
    "mixed.test": ["1.2.3.4", "169.254.169.254"],
  };
  readonly sites: Record<string, Site> = {};

  readonly dns: Dns = {
    resolve: (host) => {
      const found = this.names[host];
      return found === undefined ? Promise.reject(new Error("ENOTFOUND")) : Promise.resolve(found);
    },
  };

  readonly http: HttpGet = {
    get: ({ url, pinnedAddress }) => {
      this.asked.push(`${pinnedAddress} ${url.href}`);
      const site = this.sites[url.href] ?? this.sites[pinnedAddress] ?? {};
      if (site instanceof Error) return Promise.reject(site);
      const { status = 200, location = null, body = "" } = site;
      return Promise.resolve({ status, location, body: Buffer.from(body) });
    },
  };

  get(url: string, allowPrivate = false): Promise<GetAnswer> {
    return guardedGet(this, {
      url: new URL(url),
      policy: () => allowPrivate,
      maxBytes: 1000,
      timeoutMs: 5000,
      signal: new AbortController().signal,
    });
  }

  redirect(from: string, to: string, status = 302): void {
    this.sites[from] = { status, location: to };
  }
}

async function faultOf(promise: Promise<unknown>): Promise<EgressFault> {
  const error = await promise.then(
    () => null,
    (caught) => caught,
  );
  expect(error).toBeInstanceOf(EgressError);
  return (error as EgressError).fault;
}

describe("a guarded GET", () => {
  test("connects to the address that was checked", async () => {
    const world = new World();
    world.sites["http://public.test/x"] = { body: "hello" };
    const answer = await world.get("http://public.test/x");
    expect(Buffer.from(answer.body).toString()).toBe("hello");
    expect(answer.addressClass).toBe("public");
    expect(world.asked).toEqual(["1.2.3.4 http://public.test/x"]);
  });

  test.each([
    "http://127.0.0.1/",
    "http://127.1/",
    "http://2130706433/",
    "http://0x7f.1/",
    "http://[::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://10.0.0.1/",
    "http://169.254.169.254/latest",
    "http://0.0.0.0/",
    "http://[64:ff9b::7f00:1]/",
    "http://lan.test/",
    "http://both.test/",
    "http://meta.test/",
    "http://mixed.test/",
  ])("never asks %s", async (url) => {
    const world = new World();
    expect(await faultOf(world.get(url))).toBe("forbidden_address");
    expect(world.asked).toEqual([]);
  });

  test("link-local addresses stay forbidden where private ones are allowed", async () => {
    const world = new World();
    expect(await faultOf(world.get("http://169.254.169.254/", true))).toBe("forbidden_address");
    expect(await faultOf(world.get("http://mixed.test/", true))).toBe("forbidden_address");
    expect((await world.get("http://lan.test/", true)).addressClass).toBe("private");
    expect(world.asked).toEqual(["192.168.1.5 http://lan.test/"]);
  });

  test("a name with public and private addresses is asked at its public ones only", async () => {
    const world = new World();
    expect((await world.get("http://both.test/", true)).addressClass).toBe("public");
    expect(world.asked).toEqual(["1.2.3.4 http://both.test/"]);
  });

  test("a name that resolves to no literal is forbidden", async () => {
    const world = new World();
    world.names["odd.test"] = ["1.2.3.4", "localhost"];
    expect(await faultOf(world.get("http://odd.test/"))).toBe("forbidden_address");
  });

  test.each(["ftp://public.test/", "file:///etc/passwd", "gopher://public.test/", "data:text/plain,x"])(
    "takes no %s",
    async (url) => {
      const world = new World();
      expect(await faultOf(world.get(url))).toBe("bad_url");
      world.redirect("http://public.test/", url);
      expect(await faultOf(world.get("http://public.test/"))).toBe("bad_url");
    },
  );

  test.each([25, 6379, 22, 53])("does not knock at port %i", async (port) => {
    const world = new World();
    expect(await faultOf(world.get(`http://public.test:${port}/`))).toBe("forbidden_address");
    expect(world.asked).toEqual([]);
  });

  test("follows three redirects, relative ones too, and no fourth", async () => {
    const world = new World();
    world.redirect("http://public.test/0", "/1", 301);
    world.redirect("http://public.test/1", "http://other.test/2", 307);
    world.redirect("http://other.test/2", "https://other.test/3", 308);
    world.sites["https://other.test/3"] = { body: "end" };
    expect(Buffer.from((await world.get("http://public.test/0")).body).toString()).toBe("end");
    world.redirect("https://other.test/3", "/4");
    expect(await faultOf(world.get("http://public.test/0"))).toBe("bad_redirect");
  });

  test("a loop ends after three redirects", async () => {
    const world = new World();
    world.redirect("http://public.test/", "http://public.test/");
    expect(await faultOf(world.get("http://public.test/"))).toBe("bad_redirect");
    expect(world.asked).toHaveLength(4);
  });

  test.each([
    ["http://169.254.169.254/latest/meta-data", "forbidden_address"],
    ["http://lan.test/announce", "bad_redirect"],
    ["http://127.0.0.1:8080/announce", "bad_redirect"],
    ["//[::1]/announce", "bad_redirect"],
    ["http://[", "bad_redirect"],
  ] as const)(
    "a public host cannot send it to %s, even where private ones are allowed",
    async (to, fault) => {
      const world = new World();
      world.redirect("http://public.test/", to);
      expect(await faultOf(world.get("http://public.test/", true))).toBe(fault);
      expect(world.asked).toEqual(["1.2.3.4 http://public.test/"]);
    },
  );

  test("a redirect never goes from https to http", async () => {
    const world = new World();
    world.redirect("https://public.test/", "http://public.test/");
    expect(await faultOf(world.get("https://public.test/"))).toBe("bad_redirect");
  });

  test("each hop resolves anew, so a name that turns private is refused", async () => {
    const world = new World();
    world.redirect("http://public.test/", "http://public.test/2");
    const answers = [["1.2.3.4"], ["127.0.0.1"]];
    const get = guardedGet(
      { ...world, http: world.http, clock: world.clock, dns: { resolve: async () => answers.shift() ?? [] } },
      {
        url: new URL("http://public.test/"),
        policy: () => true,
        maxBytes: 10,
        timeoutMs: 1000,
        signal: new AbortController().signal,
      },
    );
    expect(await faultOf(get)).toBe("bad_redirect");
    expect(world.asked).toHaveLength(1);
  });

  test("the next address is tried when one takes no connection, and only then", async () => {
    const world = new World();
    world.names["dual.test"] = ["2606:4700::1", "1.2.3.4"];
    world.sites["1.2.3.4"] = new EgressError("connect_failed", "refused");
    world.sites["2606:4700::1"] = { body: "v6" };
    expect(Buffer.from((await world.get("http://dual.test/")).body).toString()).toBe("v6");
    expect(world.asked.map((line) => line.split(" ")[0])).toEqual(["1.2.3.4", "2606:4700::1"]);
    world.sites["1.2.3.4"] = new EgressError("bad_certificate", "no");
    expect(await faultOf(world.get("http://dual.test/"))).toBe("bad_certificate");
  });

  test("a resolver that never answers is cut off", async () => {
    const world = new World();
    const get = guardedGet(
      { http: world.http, clock: world.clock, dns: { resolve: () => new Promise(() => undefined) } },
      {
        url: new URL("http://public.test/"),
        policy: () => true,
        maxBytes: 10,
        timeoutMs: 5000,
        signal: new AbortController().signal,
      },
    );
    const fault = faultOf(get);
    await world.clock.advance(5000);
    expect(await fault).toBe("timed_out");
    expect(world.clock.timerCount).toBe(0);
  });

  test("an abort ends it at once", async () => {
    const world = new World();
    const controller = new AbortController();
    const get = guardedGet(
      { http: world.http, clock: world.clock, dns: { resolve: () => new Promise(() => undefined) } },
      {
        url: new URL("http://a.test/"),
        policy: () => true,
        maxBytes: 10,
        timeoutMs: 5000,
        signal: controller.signal,
      },
    );
    controller.abort();
    expect(await faultOf(get)).toBe("aborted");
  });
});
