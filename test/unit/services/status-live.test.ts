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
      ramUsedBytes: 42,
      diskFreeBytes: 1_000 * GIB,
      diskTotalBytes: 2_000 * GIB,
      warnings: [
        { code: "port_busy", message: "new" },
        { code: "weak_password", message: "Choose another." },
      ],
      streams: [],
    });
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
