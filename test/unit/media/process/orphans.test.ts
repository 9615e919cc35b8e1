// The server is killed, with all that it has no chance to do then; no program may outlive it.

import { afterAll, describe, expect, test } from "bun:test";
import { createServer } from "node:net";
import { join } from "node:path";
import { fakeFfmpeg } from "../../../support/fake-ffmpeg.ts";
import type { ToStart } from "../../../support/media-programs.child.ts";
import { startProcess, type TestProcess } from "../../../support/process.ts";
import { isRunning } from "../../../support/process-state.ts";

const CHILD = join(import.meta.dir, "../../../support/media-programs.child.ts");
const GONE_WITHIN_MS = 1_000;

/** Takes connections and never says a word: it outlives the server, so its end wakes nobody. */
let onConnection: () => void = () => undefined;
const silent = createServer(() => onConnection());
await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
afterAll(() => void silent.close());
const address = silent.address();
const port = typeof address === "object" && address !== null ? address.port : 0;

const READS = [
  "-nostdin",
  "-i",
  `http://127.0.0.1:${port}/film.mkv`,
  "-c",
  "copy",
  "-f",
  "matroska",
  "pipe:1",
];
const WRITES = ["-nostdin", "-f", "lavfi", "-i", "testsrc2=size=1280x720", "-f", "rawvideo", "pipe:1"];

async function startServer(
  toStart: ToStart,
  where: "main" | "worker",
): Promise<[TestProcess, readonly number[]]> {
  const server = startProcess([process.execPath, CHILD, JSON.stringify(toStart), where]);
  await server.waitForLine("all");
  return [server, server.stdoutLines.filter((line) => /^\d+$/.test(line)).map(Number)];
}

async function expectGone(pids: readonly number[]): Promise<void> {
  const begun = performance.now();
  while (pids.some(isRunning)) {
    expect(performance.now() - begun).toBeLessThan(GONE_WITHIN_MS);
    await Bun.sleep(5);
  }
}

describe("no program outlives the server", () => {
  for (const where of ["main", "worker"] as const) {
    test(`that is killed while ffmpeg reads, and writes to nobody, started by its ${where} thread`, async () => {
      const isReading = new Promise<void>((resolve) => {
        onConnection = resolve;
      });
      const toStart = { ffmpegPath: "ffmpeg", port, argvs: [READS, WRITES] };
      const [server, pids] = await startServer(toStart, where);
      await Promise.all([isReading, server.waitForLine("written")]);
      expect(pids.map(isRunning)).toEqual([true, true]);
      server.signal("SIGKILL");
      await expectGone(pids);
      await server.waitForExit();
    });
  }

  test("that is killed, not even one that ignores TERM or is stopped", async () => {
    const argvs = [["ignore-term"], ["ignore-term-and-write"], ["stop"]];
    const [server, pids] = await startServer({ ffmpegPath: await fakeFfmpeg(), port, argvs }, "main");
    expect(pids).toHaveLength(3);
    server.signal("SIGKILL");
    await expectGone(pids);
    await server.waitForExit();
  });

  test("whose thread that started it ends", async () => {
    const argvs = [["ignore-term"]];
    const [server, pids] = await startServer({ ffmpegPath: await fakeFfmpeg(), port, argvs }, "worker");
    server.writeLine("end the worker");
    await expectGone(pids);
    await server.stop("SIGKILL");
  });
});
