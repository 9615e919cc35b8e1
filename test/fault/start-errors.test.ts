// B5 #7 and #24: a start that cannot work ends at once with one line that says what to do, and touches nothing.

import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describeIsolated } from "../support/namespace.ts";
import { tmpFolder } from "../support/tmp.ts";
import { Torrx, type TorrxOptions } from "../support/torrx.ts";

const BOUND_MS = 2_000;

interface Refusal {
  readonly exitCode: number;
  readonly lines: readonly string[];
  readonly tookMs: number;
}

async function refused(options: TorrxOptions): Promise<Refusal> {
  const startMs = performance.now();
  const server = Torrx.launch(options);
  const exitCode = await server.process.waitForExit(10_000);
  // Structured log lines apart: the user's line is the one that is no JSON.
  const lines = server.process.lines.filter((line) => line.trim() !== "" && !isInfo(line));
  return { exitCode, lines, tookMs: performance.now() - startMs };
}

const isInfo = (line: string) => /"level":"(info|debug)"/.test(line);

function expectOneLine(refusal: Refusal, pattern: RegExp): void {
  expect(refusal.lines).toHaveLength(1);
  expect(refusal.lines[0]).toMatch(pattern);
  expect(refusal.lines[0]).toStartWith("torrx: ");
  expect(refusal.exitCode).toBe(1);
  expect(refusal.tookMs).toBeLessThan(BOUND_MS);
}

async function portHolder(): Promise<{ port: number; close(): void }> {
  const holder = createServer();
  const { promise, resolve } = Promise.withResolvers<void>();
  holder.listen(0, "0.0.0.0", () => resolve());
  await promise;
  return { port: (holder.address() as { port: number }).port, close: () => holder.close() };
}

describeIsolated("a start that cannot work", () => {
  test("a taken HTTP port is named with its key", async () => {
    const holder = await portHolder();
    const refusal = await refused({ env: { TORRX_SERVER_PORT: String(holder.port) } });
    holder.close();
    expectOneLine(refusal, new RegExp(`${holder.port}.*server\\.port`));
  });

  test("a taken port for peers is named with its key", async () => {
    const holder = await portHolder();
    const refusal = await refused({ env: { TORRX_TORRENT_PORT: String(holder.port) } });
    holder.close();
    expectOneLine(
      refusal,
      new RegExp(
        `^torrx: port ${holder.port} for peers is taken; set torrent\\.port \\(TORRX_TORRENT_PORT\\)`,
      ),
    );
  });

  test("a port for peers that is taken for UDP alone is told in the same words", async () => {
    const holder = await Bun.udpSocket({ hostname: "0.0.0.0", port: 0 });
    const env = { TORRX_TORRENT_PORT: String(holder.port), TORRX_TORRENT_DHT: "true" };
    const refusal = await refused({ env: { ...env, TORRX_TORRENT_DHT_BOOTSTRAP: "127.0.0.1:1" } });
    holder.close();
    expectOneLine(refusal, new RegExp(`port ${holder.port} for peers is taken; set torrent\\.port`));
  });

  test("an address that this machine has not is named with its key", async () => {
    const refusal = await refused({ env: { TORRX_SERVER_HOST: "203.0.113.1" } });
    expectOneLine(refusal, /203\.0\.113\.1.*server\.host/);
  });

  test.each(["TORRX_SERVER_PORT", "TORRX_TORRENT_PORT"])(
    "a first start that fails on a taken %s does not use up the generated password",
    async (variable) => {
      const folder = tmpFolder("first-start");
      const holder = await portHolder();
      await refused({ folder, env: { TORRX_AUTH_PASSWORD: "", [variable]: String(holder.port) } });
      holder.close();
      const server = await Torrx.start({ folder, env: { TORRX_AUTH_PASSWORD: "" } });
      const login = await server.process.waitForLine("Login: ", 2_000);
      const password = /^Login: admin \/ (\S+)/.exec(login)?.[1] ?? `none: ${login}`;
      const authorization = `Basic ${btoa(`admin:${password}`)}`;
      const list = await fetch(`${server.origin}/api/torrents`, { headers: { authorization } });
      await server.stop();
      expect(list.status, login).toBe(200);
      const later = await Torrx.start({ folder, env: { TORRX_AUTH_PASSWORD: "" } });
      await later.process.waitForLine("Login: ", 2_000);
      await later.stop();
      expect(later.process.stdout).toContain("with the password that the first start made and showed");
    },
    15_000,
  );

  test("an unwritable data folder is named", async () => {
    const folder = tmpFolder("unwritable");
    mkdirSync(join(folder, "data"));
    chmodSync(folder, 0o755);
    chmodSync(join(folder, "data"), 0o555);
    const refusal = await refused({ folder, wrapper: asNobody(folder) });
    expectOneLine(refusal, /data.*(writable|writing|written)/);
    expect(readdirSync(join(folder, "data"))).toEqual([]);
  });

  test("an unwritable folder for downloads is named", async () => {
    const folder = tmpFolder("unwritable");
    chmodSync(folder, 0o755);
    mkdirSync(join(folder, "data"));
    mkdirSync(join(folder, "films"), { mode: 0o555 });
    const wrapper = asNobody(folder);
    if (wrapper.length > 0) chownSync(join(folder, "data"), 65_534, 65_534);
    const refusal = await refused({
      folder,
      wrapper,
      env: { TORRX_STORAGE_DOWNLOAD_DIR: join(folder, "films") },
    });
    expectOneLine(refusal, /films.*(writable|written)/);
  });

  test("an unknown key of the configuration is named", async () => {
    const folder = tmpFolder("config");
    writeFileSync(join(folder, "torrx.yaml"), "server:\n  prot: 8080\n");
    expectOneLine(await refused({ folder }), /server\.prot/);
    expect(existsSync(join(folder, "data"))).toBe(false);
  });

  test("a bad value names the key and what is allowed", async () => {
    const refusal = await refused({ env: { TORRX_TORRENT_PORT: "-1" } });
    expectOneLine(refusal, /(port|PORT).*(0|1).*65535/);
  });

  test("every unknown variable is told in the status", async () => {
    const server = await Torrx.start({ env: { TORRX_SERVER_PRT: "1", TORRX_LOG_LVL: "x" } });
    try {
      const { body } = await server.call<{ warnings: { message: string }[] }>("GET", "/api/status");
      const told = body.warnings.map(({ message }) => message).join();
      expect(told).toContain("TORRX_SERVER_PRT");
      expect(told).toContain("TORRX_LOG_LVL");
    } finally {
      await server.stop();
    }
  });

  test("a second server on the same data is refused, and the first goes on", async () => {
    const first = await Torrx.start();
    try {
      expectOneLine(await refused({ folder: first.folder }), /another TorrX already uses/);
      expect((await first.call("GET", "/api/status")).status).toBe(200);
    } finally {
      await first.stop();
    }
  });
});

const DAMAGES: Readonly<Record<string, (bytes: Uint8Array) => Uint8Array>> = {
  "is garbage": (bytes) => crypto.getRandomValues(new Uint8Array(Math.min(bytes.length, 16_384))),
  "was cut off": (bytes) => bytes.subarray(0, 100),
  "has flipped bytes in its pages": (bytes) =>
    bytes.map((byte, at) => (at > 4_096 && at % 7 === 0 ? ~byte : byte)),
  "has a flipped header": (bytes) => bytes.map((byte, at) => (at < 32 ? ~byte : byte)),
};

describeIsolated("a damaged database", () => {
  for (const [what, damage] of Object.entries(DAMAGES)) {
    test(`that ${what} is set aside, the last copy serves and the user is told`, async () => {
      const before = await Torrx.start();
      await before.call("PUT", "/api/settings", { max_concurrent_torrents: 17 });
      await before.stop();
      const path = join(before.folder, "data", "torrx.db");
      const damaged = damage(readFileSync(path));
      writeFileSync(path, damaged);
      const startMs = performance.now();
      const after = await Torrx.start({ folder: before.folder });
      try {
        expect(performance.now() - startMs).toBeLessThan(BOUND_MS);
        const { body } = await after.call<{ max_concurrent_torrents: number }>("GET", "/api/settings");
        expect(body.max_concurrent_torrents).toBe(17);
        const status = await after.call<{ warnings: { code: string; message: string }[] }>(
          "GET",
          "/api/status",
        );
        const warning = status.body.warnings.find(({ code }) => code === "database_damaged");
        expect(warning?.message).toContain("set aside");
        const aside = readdirSync(join(before.folder, "data")).find((name) =>
          /^torrx\.db\.bad-[^.]*$/.test(name),
        );
        expect(aside).toBeDefined();
        expect(readFileSync(join(before.folder, "data", aside ?? "")).equals(damaged)).toBe(true);
      } finally {
        await after.stop();
      }
      const database = new Database(path, { readonly: true });
      expect(database.query("PRAGMA integrity_check").values()).toEqual([["ok"]]);
      database.close();
    }, 15_000);
  }
});

/** Words that run a command without root's rights; none where the tests have none themselves. */
function asNobody(folder: string): string[] {
  if (process.getuid?.() !== 0) return [];
  chmodSync(folder, 0o755);
  return ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
}

const MEDIAN_OF = 5;

async function healthyAfterMs(folder?: string): Promise<{ ms: number; folder: string }> {
  const startMs = performance.now();
  const server = await Torrx.start(folder === undefined ? {} : { folder });
  const health = await fetch(`${server.origin}/api/health`);
  const ms = performance.now() - startMs;
  await server.stop();
  expect(health.status).toBe(200);
  return { ms, folder: server.folder };
}

describe("start-up time", () => {
  test("from process start to healthy, on a new and on a used data folder", async () => {
    const [cold, warm]: number[][] = [[], []];
    for (let run = 0; run < MEDIAN_OF; run++) {
      const first = await healthyAfterMs();
      cold?.push(first.ms);
      warm?.push((await healthyAfterMs(first.folder)).ms);
    }
    const [coldMs, warmMs] = [median(cold ?? []), median(warm ?? [])];
    console.log(
      `healthy after: first start ${coldMs} ms, later start ${warmMs} ms (medians of ${MEDIAN_OF})`,
    );
    expect(warmMs).toBeLessThan(1_000);
  }, 30_000);
});

function median(values: readonly number[]): number {
  return Math.round([...values].sort((a, b) => a - b)[values.length >> 1] ?? 0);
}
