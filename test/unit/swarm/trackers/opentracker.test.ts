// Our announces against a real tracker, over HTTP and UDP: Debian's opentracker (a whitelisting build). Skipped where
// there is none on the PATH; TORRX_TEST_OPENTRACKER names another place.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../../../src/base/clock.ts";
import { silentLog } from "../../../../src/base/log.ts";
import { systemRandom } from "../../../../src/base/random.ts";
import { nodeHttpGet } from "../../../../src/swarm/egress/node-http-get.ts";
import type { AnnounceEvent } from "../../../../src/swarm/ports.ts";
import { createTrackerClient } from "../../../../src/swarm/trackers/tracker-client.ts";
import { someFacts } from "../../../support/announce-facts.ts";
import { loopbackUdp } from "../../../support/loopback-udp.ts";

const binary = process.env["TORRX_TEST_OPENTRACKER"] ?? Bun.which("opentracker");
const client = createTrackerClient({
  http: nodeHttpGet,
  udp: loopbackUdp,
  dns: { resolve: (host) => Promise.resolve([host]) },
  clock: systemClock,
  random: systemRandom,
  log: silentLog,
  key: 1,
});
let tracker: Bun.Subprocess | null = null;
let port = 0;
let folder = "";

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** An announce as the n-th peer of one torrent. */
function announce(url: string, peer: number, { event = null as AnnounceEvent, leftBytes = 0 } = {}) {
  const peerId = Buffer.from(`-TX0100-peer${String(peer).padStart(8, "0")}`);
  const facts = { ...someFacts, peerId, port: 7000 + peer, leftBytes };
  return client.announce(url, facts, event, new AbortController().signal);
}

async function untilUp(url: string): Promise<void> {
  const untilMs = performance.now() + 5000;
  for (;;) {
    try {
      await announce(url, 99, { event: "stopped" });
      return;
    } catch (error) {
      if (performance.now() > untilMs) throw error;
      await Bun.sleep(20);
    }
  }
}

describe.skipIf(binary === null || binary === undefined)("announces to opentracker", () => {
  beforeAll(async () => {
    port = await freePort();
    folder = mkdtempSync(join(tmpdir(), "torrx-opentracker-"));
    chmodSync(folder, 0o755);
    writeFileSync(join(folder, "whitelist"), `${someFacts.infoHash}\n`, { mode: 0o644 });
    const own = process.getuid?.() === 0 ? ["-u", "nobody"] : [];
    tracker = Bun.spawn(
      [
        binary ?? "",
        "-i",
        "127.0.0.1",
        "-p",
        `${port}`,
        "-P",
        `${port}`,
        "-d",
        folder,
        "-w",
        "whitelist",
        ...own,
      ],
      { stdout: "ignore", stderr: "ignore" },
    );
    await untilUp(`http://127.0.0.1:${port}/announce`);
  });

  afterAll(async () => {
    client.close();
    tracker?.kill("SIGKILL");
    await tracker?.exited;
    rmSync(folder, { recursive: true, force: true });
  });

  test("peers of either protocol find each other, and are gone after stopped", async () => {
    const http = `http://127.0.0.1:${port}/announce`;
    const udp = `udp://127.0.0.1:${port}/announce`;
    await announce(http, 1, { event: "started" });
    await announce(udp, 2, { event: "started", leftBytes: 100 });
    for (const url of [http, udp]) {
      const reply = await announce(url, 3, { event: "started", leftBytes: 5 });
      expect(reply.peers.map((peer) => peer.port).sort()).toEqual(expect.arrayContaining([7001, 7002]));
      expect(reply).toMatchObject({ isPrivateTracker: true, seeders: 1 });
      expect(reply.intervalSec).toBeWithin(60, 14_401);
    }
    await announce(udp, 2, { event: "completed" });
    expect((await announce(http, 3, { leftBytes: 5 })).seeders).toBe(2);
    await announce(http, 1, { event: "stopped" });
    await announce(udp, 2, { event: "stopped" });
    const last = await announce(udp, 3, { leftBytes: 5 });
    expect(last.peers.map((peer) => peer.port)).not.toContain(7001);
    expect(last.peers.map((peer) => peer.port)).not.toContain(7002);
  }, 20_000);
});
