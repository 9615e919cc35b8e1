import { afterEach, describe, expect, test } from "bun:test";
import type { LiveEvent } from "../../../src/services/index.ts";
import { useTempDirectories } from "../../support/temp-directory.ts";
import { GIB, makeTorrent, type Rig, startRig } from "./rig.ts";

const tempDirectory = useTempDirectories();
const MADE = makeTorrent("Show");
let rig: Rig;

async function startWithTorrent(): Promise<Rig> {
  rig = await startRig(tempDirectory());
  await rig.services.torrents.addTorrentFile(MADE.bytes, { paused: false });
  return rig;
}

afterEach(async () => {
  await rig.close();
});

describe("status", () => {
  test("tells version, uptime, speeds, memory, disk and warnings", async () => {
    const { services, clock, engine } = await startWithTorrent();
    clock.advance(61_500);
    engine.emit({ type: "warning", code: "port_busy", message: "old" });
    engine.emit({ type: "warning", code: "port_busy", message: "new" });
    services.warn({ code: "weak_password", message: "Choose another." });
    expect(await services.status.status()).toEqual({
      version: "1.2.3",
      uptimeSec: 61,
      downloadSpeed: 5_000,
      // Six bytes a second are the tail of a meter.
      uploadSpeed: 0,
      ramUsedBytes: 0,
      ramCapBytes: 100,
      rssBytes: 42,
      diskFreeBytes: 1_000 * GIB,
      diskTotalBytes: 2_000 * GIB,
      warnings: [
        { code: "port_busy", message: "new" },
        { code: "weak_password", message: "Choose another." },
      ],
      streams: [],
    });
  });

  test("tells of each stream what its windows have, in seconds of its viewer's pace", async () => {
    const { services, engine, buffers } = await startWithTorrent();
    const row = {
      id: 1,
      torrent: MADE.id,
      file: 0,
      viewer: "one",
      clientAddress: "192.0.2.1",
      positionBytes: 7,
      aheadBytes: 900,
      readers: 1,
      bytesPerSec: 50,
      startedAtMs: 0,
      wait: null,
    };
    engine.streams = () => Promise.resolve([row, { ...row, id: 2, viewer: "other" }]);
    const named = { torrent: MADE.id, file: 0, viewer: "one" };
    const buffer = { ...named, bytes: 640, aheadBytes: 500, behindBytes: 100, hits: 97, misses: 3 };
    buffers.shown = { usedBytes: 640, capBytes: 1_000, sharedBytes: null, streams: [buffer] };
    const status = await services.status.status();
    expect(status).toMatchObject({ ramUsedBytes: 640, ramCapBytes: 1_000, warnings: [] });
    expect(status.streams.map(({ window }) => window)).toEqual([
      { bytes: 640, aheadSec: 10, behindSec: 2, hitRate: 0.97 },
      null,
    ]);
    buffers.shown = { ...buffers.shown, streams: [{ ...buffer, hits: 0, misses: 0 }] };
    expect((await services.status.status()).streams[0]?.window?.hitRate).toBeNull();
  });

  test("warns with figures while streams share the memory, and no longer", async () => {
    const { services, buffers } = await startWithTorrent();
    const named = { torrent: MADE.id, file: 0, bytes: 0, aheadBytes: 0, behindBytes: 0, hits: 0, misses: 0 };
    const streams = ["a", "b", "c"].map((viewer) => ({ ...named, viewer }));
    buffers.shown = { usedBytes: 0, capBytes: 0, sharedBytes: 341.4 * 1024 * 1024, streams };
    const [warning] = (await services.status.status()).warnings;
    expect(warning?.code).toBe("ram_shared");
    expect(warning?.message).toContain("3 streams");
    expect(warning?.message).toContain("341 MB");
    buffers.shown = { ...buffers.shown, sharedBytes: null };
    expect((await services.status.status()).warnings).toEqual([]);
  });

  test("answers although the disk does not", async () => {
    const { services, volume } = await startWithTorrent();
    volume.spaceOf = () => Promise.reject(new Error("ENOENT"));
    const status = await services.status.status();
    expect(status.diskFreeBytes).toBe(0);
    expect(status.warnings.map(({ code }) => code)).toEqual(["download_dir_unreadable"]);
  });
});

describe("live events", () => {
  test("changes are told at most once a second, each torrent once, as it is then", async () => {
    const { services, clock, engine } = await startWithTorrent();
    const heard: LiveEvent[] = [];
    services.live.subscribe((event) => heard.push(event));
    clock.advance(5_000);
    for (let n = 1; n <= 10; n++) engine.setStats(MADE.id, { peers: n });
    clock.advance(0);
    expect(heard).toHaveLength(1);
    expect(heard[0]).toMatchObject({ type: "torrent_changed", torrent: { peers: 10 } });
    for (let n = 11; n <= 40; n++) {
      engine.setStats(MADE.id, { peers: n });
      clock.advance(100);
    }
    expect(heard.length).toBeGreaterThanOrEqual(3);
    expect(heard.length).toBeLessThanOrEqual(4);
    clock.advance(1_000);
    expect(heard.at(-1)).toMatchObject({ torrent: { peers: 40 } });
  });

  test("who unsubscribes hears nothing more and leaves no timer; one that throws disturbs nobody", async () => {
    const { services, clock, engine } = await startWithTorrent();
    const heard: string[] = [];
    const same = () => heard.push("same");
    const first = services.live.subscribe(same);
    const second = services.live.subscribe(same);
    const third = services.live.subscribe(() => {
      throw new Error("broken page");
    });
    await services.torrents.addTorrentFile(makeTorrent("b").bytes, { paused: false });
    expect(heard).toEqual(["same", "same"]);
    first();
    first();
    await services.torrents.addTorrentFile(makeTorrent("c").bytes, { paused: false });
    expect(heard).toHaveLength(3);
    second();
    third();
    engine.setStats(MADE.id, { peers: 5 });
    clock.advance(10_000);
    expect(heard).toHaveLength(3);
  });

  test("more subscribers than the limit are told to come later", async () => {
    const { services } = await startWithTorrent();
    const leave = Array.from({ length: 63 }, () => services.live.subscribe(() => undefined));
    expect(() => services.live.subscribe(() => undefined)).toThrow("Too many");
    leave[0]?.();
    services.live.subscribe(() => undefined);
  });
});
