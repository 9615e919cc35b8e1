import { afterEach, describe, expect, test } from "bun:test";
import { useTempDirectories } from "../../support/temp-directory.ts";
import { makeTorrent, type Rig, startRig } from "./rig.ts";

const tempDirectory = useTempDirectories();
let rig: Rig;

const DEFAULTS = {
  maxDownloadSpeed: 0,
  maxUploadSpeed: 0,
  maxConcurrentTorrents: 5,
  seedRatioLimit: 2,
  streamTokenTtlHours: 168,
  ramBufferMb: 256,
  // A quarter of the rig's 2 GiB.
  ramTotalMb: 512,
  bufferAheadPercent: 80,
  hlsSegmentDurationSec: 4,
  downloadDir: "/downloads",
};

afterEach(async () => {
  await rig.close();
});

describe("settings", () => {
  test("start with their defaults, which the engine is given", async () => {
    rig = await startRig(tempDirectory());
    expect(rig.services.settings.get()).toEqual(DEFAULTS);
    expect(rig.engine.settings).toMatchObject({ maxConcurrentTorrents: 5, seedRatioLimit: 2 });
  });

  test("apply at once and survive a restart", async () => {
    rig = await startRig(tempDirectory());
    const patch = { maxDownloadSpeed: 1_000_000, seedRatioLimit: 0.5, downloadDir: "/media/new/" };
    const expected = { ...DEFAULTS, ...patch, downloadDir: "/media/new" };
    expect(await rig.services.settings.update(patch)).toEqual(expected);
    expect(rig.engine.settings).toMatchObject({ maxDownloadSpeed: 1_000_000, seedRatioLimit: 0.5 });
    rig = await rig.restart();
    expect(rig.services.settings.get()).toEqual(expected);
    expect(rig.engine.settings).toMatchObject({ maxDownloadSpeed: 1_000_000 });
  });

  test("sizes of the memory for streams go to the windows and to the engine at once, and survive a restart", async () => {
    rig = await startRig(tempDirectory());
    const [MIB, started] = [1024 * 1024, rig.buffers];
    expect(started.sizes).toEqual({
      ramBufferBytes: 256 * MIB,
      ramTotalBytes: 512 * MIB,
      bufferAheadPercent: 80,
    });
    await rig.services.settings.update({ ramBufferMb: 16, ramTotalMb: 16_384, bufferAheadPercent: 95 });
    const sizes = { ramBufferBytes: 16 * MIB, ramTotalBytes: 16_384 * MIB, bufferAheadPercent: 95 };
    expect(rig.buffers.sizes).toEqual(sizes);
    expect(rig.engine.settings).toMatchObject(sizes);
    rig = await rig.restart();
    expect(rig.buffers.sizes).toEqual(sizes);
    expect(rig.engine.settings).toMatchObject(sizes);
  });

  test("a bad value is refused by the name of its field, never echoed, and nothing of the patch is kept", async () => {
    rig = await startRig(tempDirectory());
    const bad: [object, string][] = [
      [{ maxDownloadSpeed: -1 }, "max_download_speed"],
      [{ maxUploadSpeed: 2 ** 60 }, "max_upload_speed"],
      [{ maxUploadSpeed: "evil" }, "max_upload_speed"],
      [{ maxConcurrentTorrents: 0 }, "max_concurrent_torrents"],
      [{ seedRatioLimit: Number.NaN }, "seed_ratio_limit"],
      [{ streamTokenTtlHours: 0 }, "stream_token_ttl_hours"],
      [{ ramBufferMb: 15 }, "ram_buffer_mb"],
      [{ ramBufferMb: 16_385 }, "ram_buffer_mb"],
      [{ ramTotalMb: 99.5 }, "ram_total_mb"],
      [{ ramTotalMb: 16_385 }, "ram_total_mb"],
      [{ bufferAheadPercent: 9 }, "buffer_ahead_percent"],
      [{ bufferAheadPercent: 96 }, "buffer_ahead_percent"],
      [{ hlsSegmentDurationSec: 1 }, "hls_segment_duration_sec"],
      [{ hlsSegmentDurationSec: 11 }, "hls_segment_duration_sec"],
      [{ hlsSegmentDurationSec: 2.5 }, "hls_segment_duration_sec"],
      [{ downloadDir: "relative/evil" }, "download_dir"],
      [{ downloadDir: "/evil\0" }, "download_dir"],
      [{ downloadDir: null }, "download_dir"],
    ];
    for (const [patch, field] of bad) {
      const error = await rig.services.settings.update({ seedRatioLimit: 9, ...patch }).catch((e) => e);
      expect(error, field).toMatchObject({ code: "validation" });
      expect(error.message).toStartWith(`${field} must be`);
      expect(error.message).not.toContain("evil");
    }
    expect(rig.services.settings.get()).toEqual(DEFAULTS);
    expect(rig.database.settings.all().size).toBe(0);
  });

  test("a download folder that cannot be written is refused; a new one is for new torrents only", async () => {
    rig = await startRig(tempDirectory());
    const { settings, torrents } = rig.services;
    const [old, young] = [makeTorrent("old"), makeTorrent("young")];
    await torrents.addTorrentFile(old.bytes, { paused: false });
    rig.volume.unwritable.add("/readonly");
    await expect(settings.update({ downloadDir: "/readonly" })).rejects.toMatchObject({ code: "validation" });
    await settings.update({ downloadDir: "/elsewhere" });
    await torrents.addTorrentFile(young.bytes, { paused: false });
    expect(torrents.get(old.id).torrent.savePath).toBe("/downloads");
    expect(torrents.get(young.id).torrent.savePath).toBe("/elsewhere");
  });

  test("a stored value that is damaged gives way to its default", async () => {
    rig = await startRig(tempDirectory());
    rig.database.settings.put("max_concurrent_torrents", "many");
    rig.database.settings.put("seed_ratio_limit", 3);
    rig = await rig.restart();
    expect(rig.services.settings.get()).toEqual({ ...DEFAULTS, seedRatioLimit: 3 });
  });

  test("updates given at once do not lose one another", async () => {
    rig = await startRig(tempDirectory());
    const { settings } = rig.services;
    await Promise.all([
      settings.update({ downloadDir: "/a" }),
      settings.update({ maxUploadSpeed: 1 }),
      settings.update({ maxDownloadSpeed: 2 }),
    ]);
    expect(settings.get()).toMatchObject({ downloadDir: "/a", maxUploadSpeed: 1, maxDownloadSpeed: 2 });
  });
});
