import { afterEach, describe, expect, test } from "bun:test";
import { useTempDirectories } from "../../support/temp-directory.ts";
import { makeTorrent, type Rig, settle, startRig } from "./rig.ts";

const tempDirectory = useTempDirectories();
const GO = { paused: false };
const MADE = makeTorrent("Show", [
  ["a.mkv", 70],
  ["b.mkv", 30],
]);
let rig: Rig;

async function startWithTorrent(): Promise<Rig> {
  rig = await startRig(tempDirectory());
  await rig.services.torrents.addTorrentFile(MADE.bytes, GO);
  return rig;
}

const stored = () => rig.database.torrents.all()[0];
const view = () => rig.services.torrents.get(MADE.id);

afterEach(async () => {
  await rig.close();
});

describe("what the engine tells", () => {
  test("shows at once and is stored within five seconds", async () => {
    const { engine, clock } = await startWithTorrent();
    const figures = {
      status: "downloading",
      progress: 0.4,
      downloadedBytes: 45,
      uploadedBytes: 9,
      fileBytes: [40, 0],
    } as const;
    engine.setStats(MADE.id, { ...figures, peers: 3, etaSec: 60, downloadSpeed: 11 });
    expect(view().torrent).toMatchObject({
      status: "downloading",
      progress: 0.4,
      downloaded: 45,
      uploaded: 9,
      ratio: 0.2,
      peers: 3,
    });
    expect(view().files.map(({ progress }) => progress)).toEqual([40 / 70, 0]);
    clock.advance(4_999);
    expect(stored()?.downloaded).toBe(0);
    clock.advance(1);
    expect(stored()).toMatchObject({ status: "downloading", progress: 0.4, downloaded: 45, uploaded: 9 });
    expect(rig.database.files.of(MADE.id).map(({ verifiedBytes }) => verifiedBytes)).toEqual([40, 0]);
  });

  test("shows speeds and an ETA only of what moves, and no meter's long tail", async () => {
    const { engine } = await startWithTorrent();
    const shown = (changes: Parameters<typeof engine.setStats>[1]) => {
      engine.setStats(MADE.id, { fileBytes: [40, 0], uploadSpeed: 0, ...changes });
      const { downloadSpeed, uploadSpeed, etaSec } = view().torrent;
      return [downloadSpeed, uploadSpeed, etaSec];
    };
    const fast = { downloadSpeed: 5_000, uploadSpeed: 700, etaSec: 60 };
    expect(shown({ ...fast, status: "downloading" })).toEqual([5_000, 700, 60]);
    expect(shown({ ...fast, status: "paused" })).toEqual([0, 0, null]);
    expect(shown({ ...fast, status: "checking" })).toEqual([0, 0, null]);
    const slow = { status: "downloading", uploadSpeed: 99, etaSec: 60 } as const;
    expect(shown({ ...slow, downloadSpeed: 99 })).toEqual([0, 0, null]);
    expect(shown({ ...slow, downloadSpeed: 1_023 })).toEqual([1_023, 0, null]);
    expect(shown({ ...slow, downloadSpeed: 1_024 })).toEqual([1_024, 0, 60]);
    const days = 24 * 3_600;
    expect(shown({ status: "downloading", downloadSpeed: 2_000, etaSec: 30 * days + 1 })).toEqual([
      2_000,
      0,
      null,
    ]);
  });

  test("is stored at the stop, and shown after a restart until the engine speaks again", async () => {
    await startWithTorrent();
    rig.engine.setStats(MADE.id, {
      status: "seeding",
      progress: 1,
      downloadedBytes: 100,
      uploadedBytes: 50,
      fileBytes: [70, 30],
    });
    rig.engine.emit({ type: "completed", id: MADE.id, atMs: 1_234 });
    await rig.services.torrents.pause(MADE.id);
    rig = await rig.restart();
    expect(rig.engine.specs.get(MADE.id)).toMatchObject({
      downloadedBytes: 100,
      uploadedBytes: 50,
      completedAtMs: 1_234,
    });
    expect(view().torrent).toMatchObject({
      status: "completed",
      progress: 1,
      completedAtMs: 1_234,
      ratio: 0.5,
    });
    expect(view().files.map(({ progress }) => progress)).toEqual([1, 1]);
    // The engine knows the torrent but has not opened its data: its zeros are no news.
    rig.engine.setStats(MADE.id, { status: "metadata" });
    expect(view().torrent).toMatchObject({ status: "checking", progress: 1 });
    rig.clock.advance(5_000);
    expect(stored()?.progress).toBe(1);
  });

  test("resume data is stored the moment it comes and given back at the next start", async () => {
    await startWithTorrent();
    const state = {
      verified: Uint8Array.of(0x80),
      unsure: [2],
      stamps: [{ sizeBytes: 5, mtimeMs: 6.5, inode: 7 }, null],
      isClean: false,
    };
    rig.engine.emit({ type: "resume", id: MADE.id, state });
    expect(rig.database.resume.get(MADE.id)).toMatchObject({ unsure: [2], isClean: false });
    rig.engine.emit({ type: "resume", id: MADE.id, state: { ...state, unsure: [], isClean: true } });
    rig = await rig.restart();
    const resume = rig.engine.specs.get(MADE.id)?.resume;
    expect(resume).toMatchObject({ unsure: [], stamps: state.stamps, isClean: true });
    expect([...(resume?.verified ?? [])]).toEqual([0x80]);
  });

  test("a fault is told with its reason, also after a restart", async () => {
    await startWithTorrent();
    rig.engine.setStats(MADE.id, { status: "error", fault: "disk_full", faultDetail: "3 GiB missing" });
    const error = { code: "disk_full", message: "The disk is full: 3 GiB missing" } as const;
    expect(view().torrent).toMatchObject({ status: "error", error });
    rig = await rig.restart();
    expect(view().torrent.error).toEqual(error);
    rig.engine.setStats(MADE.id, { status: "downloading" });
    expect(view().torrent.error).toBeNull();
  });

  test("metadata that was damaged in the database is forgotten and fetched again, the others untouched", async () => {
    await startWithTorrent();
    const other = makeTorrent("Other");
    await rig.services.torrents.addTorrentFile(other.bytes, GO);
    rig.database.resume.putInfoBytes(MADE.id, Buffer.from("d4:evile"));
    rig = await rig.restart();
    expect(rig.engine.specs.get(MADE.id)).toMatchObject({ infoBytes: null, resume: null });
    expect(rig.engine.specs.get(other.id)?.infoBytes).not.toBeNull();
    rig.engine.emit({ type: "metadata", id: MADE.id, infoBytes: MADE.info.infoBytes });
    await settle();
    expect(view().files).toHaveLength(2);
    expect(rig.engine.callsOf("confirmMetadata")).toHaveLength(1);
  });

  test("a torrent that the engine refuses at the start says so and keeps none of the others away", async () => {
    const folder = tempDirectory();
    rig = await startRig(folder);
    const made = ["a", "b"].map((name) => makeTorrent(name));
    for (const { bytes } of made) await rig.services.torrents.addTorrentFile(bytes, GO);
    await rig.close();
    const { FakeEngine } = await import("../../support/fake-engine.ts");
    const add = FakeEngine.prototype.add;
    let isFirst = true;
    FakeEngine.prototype.add = function (spec) {
      if (!isFirst) return add.call(this, spec);
      isFirst = false;
      return Promise.reject(new Error("no such disk"));
    };
    try {
      rig = await startRig(folder);
    } finally {
      FakeEngine.prototype.add = add;
    }
    const errors = rig.services.torrents
      .list({ sort: "added_at" })
      .items.map(({ error }) => error?.message ?? null);
    expect(errors.filter((message) => message === null)).toHaveLength(1);
    expect(errors.join()).toContain("no such disk");
    const failed = rig.services.torrents.list({ status: "error" }).items[0]!;
    expect((await rig.services.torrents.resume(failed.id)).error).toBeNull();
    expect(rig.engine.specs.size).toBe(2);
  });

  test("DHT nodes are kept for the next start", async () => {
    await startWithTorrent();
    const { storedDhtNodes } = await import("../../../src/services/index.ts");
    rig.engine.emit({ type: "dht_nodes", nodes: [{ host: "192.0.2.1", port: 6881 }] });
    rig = await rig.restart();
    expect(storedDhtNodes(rig.database)).toEqual([{ host: "192.0.2.1", port: 6881 }]);
    rig.database.state.put("dht_nodes", [
      { host: "evil.example", port: 1 },
      5,
      { host: "192.0.2.1", port: 0 },
    ]);
    expect(storedDhtNodes(rig.database)).toEqual([]);
  });

  test("a stop leaves no listener and no timer behind", async () => {
    await startWithTorrent();
    const { engine, clock, services } = rig;
    await services.stop();
    expect(engine.listeners).toBe(0);
    expect(clock.timers).toBe(0);
  });
});
