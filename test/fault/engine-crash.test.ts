// The engine's thread ends in ways that nobody asked for: the server ends with it, and says why.

import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describeIsolated } from "../support/namespace.ts";
import { Torrx } from "../support/torrx.ts";

const HASH = "ab".repeat(20);
const MAGNET = { magnet: `magnet:?xt=urn:btih:${HASH}` };
const PRELOAD = {
  BUN_OPTIONS: `--preload=${join(import.meta.dir, "../support/engine-crash.preload.ts")}`,
};

interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly error?: string;
  readonly stack?: string;
}

function logOf(server: Torrx): LogLine[] {
  return server.process.stderrLines.map((line) =>
    line.startsWith("{") ? (JSON.parse(line) as LogLine) : { level: "text", msg: line },
  );
}

/** The server has ended with 1, one line tells the cause, and the database is closed and whole. */
async function expectEnd(server: Torrx, cause: RegExp, withinMs = 2_500): Promise<LogLine> {
  expect(await server.process.waitForExit(withinMs)).toBe(1);
  const errors = logOf(server).filter(({ level }) => level === "error");
  expect(errors.map(({ msg }) => msg)).toEqual(["the engine has failed and TorrX ends"]);
  expect(errors[0]?.error).toMatch(cause);
  const path = join(server.folder, "data", "torrx.db");
  expect(existsSync(`${path}-wal`)).toBe(false);
  const database = new Database(path, { readonly: true });
  expect(database.query("PRAGMA integrity_check").values()).toEqual([["ok"]]);
  database.close();
  return errors[0] as LogLine;
}

async function crash(kind: string): Promise<Torrx> {
  const server = await Torrx.start({ env: { ...PRELOAD, CRASH_KIND: kind } });
  await server.call("POST", "/api/torrents", MAGNET);
  // Its answer may come, or be cut off.
  void server.call("PUT", `/api/torrents/${HASH}/reannounce`).catch((error: unknown) => error);
  return server;
}

describeIsolated("the engine's thread breaks", () => {
  test.each([
    ["throw", /^a broken invariant$/],
    ["reject", /^a broken promise$/],
  ])(
    "by an error (%s): message, stack and causes are in the line, after its last words",
    async (kind, cause) => {
      const server = await crash(kind);
      const { stack } = await expectEnd(server, cause);
      expect(stack).toContain("crashing-engine.ts:");
      if (kind === "throw") expect(stack).toMatch(/caused by Error: its deeper reason\n {4}at /);
      const told = logOf(server).map(({ msg }) => msg);
      const last = told.indexOf("last words 19");
      expect(told.slice(last - 19, last + 1)).toEqual(
        Array.from({ length: 20 }, (_, n) => `last words ${n}`),
      );
      expect(told.indexOf("the engine has failed and TorrX ends")).toBeGreaterThan(last);
    },
    20_000,
  );

  test("by something that is no error: its text is told", async () => {
    await expectEnd(await crash("text"), /^a thrown text$/);
  }, 20_000);

  test("by an exit of its own", async () => {
    await expectEnd(await crash("exit"), /ended by itself \(exit code 7\)/);
  }, 20_000);

  test.each(["load", "start"])(
    "while it comes up (%s)",
    async (kind) => {
      const server = Torrx.launch({ env: { ...PRELOAD, CRASH_KIND: kind } });
      await expectEnd(server, new RegExp(`^broken while it ${kind}s$`), 10_000);
      expect(server.process.stderrLines.at(-1)).toBe(
        `torrx: the engine has failed: broken while it ${kind}s`,
      );
    },
    20_000,
  );

  test("killed from outside in the middle of its work; the next start has everything", async () => {
    const server = await Torrx.start({ env: PRELOAD });
    await server.call("POST", "/api/torrents", MAGNET);
    server.process.signal("SIGUSR2");
    await expectEnd(server, /ended by itself/);
    const next = await Torrx.start({ folder: server.folder });
    expect((await next.call("GET", `/api/torrents/${HASH}`)).status).toBe(200);
    await next.stop();
  }, 20_000);

  test("by hanging: the stop still ends in time, with the database closed", async () => {
    const server = await crash("hang");
    await server.process.waitForLine("last words 19");
    server.process.signal("SIGTERM");
    expect(await server.process.waitForExit(6_000)).toBe(1);
    expect(server.process.stderrLines.at(-1)).toBe("torrx: the engine did not stop in time");
    expect(existsSync(join(server.folder, "data", "torrx.db-wal"))).toBe(false);
  }, 20_000);
});
