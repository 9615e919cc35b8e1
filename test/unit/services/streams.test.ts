import { afterEach, describe, expect, test } from "bun:test";
import { useTempDirectories } from "../../support/temp-directory.ts";
import { makeTorrent, type Rig, startRig } from "./rig.ts";

const tempDirectory = useTempDirectories();
const MADE = makeTorrent("Show", [
  ["E10.mkv", 70],
  ["E2.mkv", 30],
  ["Extras/one.mp4", 5],
  ["readme.txt", 3],
  ["song.flac", 4],
]);
let rig: Rig;

async function start(): Promise<Rig> {
  rig = await startRig(tempDirectory());
  await rig.services.torrents.addTorrentFile(MADE.bytes, { paused: false });
  return rig;
}

afterEach(async () => {
  await rig.close();
});

describe("streams", () => {
  test("a file is resolved to its place, length and validators", async () => {
    const { services } = await start();
    expect(services.streams.resolve(MADE.id, 2)).toEqual({
      torrent: MADE.id,
      file: 2 as never,
      name: "one.mp4",
      lengthBytes: 5,
      isComplete: false,
      isBegun: false,
      diskPath: "/downloads/Show/Extras/one.mp4",
      etag: `"${MADE.id}-2-5"`,
      lastModifiedMs: Date.UTC(2026, 0, 1),
    });
  });

  test("where a file begins in the torrent is told, also after a restart", async () => {
    const { services } = await start();
    const begins = () => [0, 1, 2, 3, 4].map((file) => rig.services.streams.startBytesOf(MADE.id, file));
    expect(begins()).toEqual([0, 70, 100, 105, 108]);
    expect(() => services.streams.startBytesOf(MADE.id, 5)).toThrow("no such file");
    rig = await rig.restart();
    expect(begins()).toEqual([0, 70, 100, 105, 108]);
  });

  test("a removed torrent's memory is given back with it", async () => {
    const { services, buffers } = await start();
    await services.torrents.remove(MADE.id, { deleteFiles: false });
    expect(buffers.removed).toEqual([MADE.id]);
  });

  test("an index that is no file's is not_found", async () => {
    const { services } = await start();
    for (const index of [-1, 5, 0.5, Number.NaN, 2 ** 60, Number.POSITIVE_INFINITY]) {
      expect(() => services.streams.resolve(MADE.id, index), String(index)).toThrow("no such file");
    }
  });

  test("a file is complete only by what the engine verified in this run", async () => {
    const { engine, services } = await start();
    const isComplete = () => services.streams.resolve(MADE.id, 0).isComplete;
    const { etag, lastModifiedMs } = services.streams.resolve(MADE.id, 0);
    engine.setStats(MADE.id, { status: "downloading", fileBytes: [69, 30, 0, 0, 0] });
    expect(isComplete()).toBe(false);
    expect([0, 2].map((file) => services.streams.resolve(MADE.id, file).isBegun)).toEqual([true, false]);
    engine.setStats(MADE.id, { status: "downloading", fileBytes: [70, 30, 0, 0, 0] });
    expect(isComplete()).toBe(true);
    expect(services.streams.resolve(MADE.id, 0)).toMatchObject({ etag, lastModifiedMs });
    engine.setStats(MADE.id, { status: "checking" });
    expect(isComplete()).toBe(false);
    engine.setStats(MADE.id, { status: "error", fault: "data_conflict" });
    expect(isComplete()).toBe(false);
    engine.setStats(MADE.id, { status: "error", fault: "disk_full" });
    expect(isComplete()).toBe(true);
    rig = await rig.restart();
    expect(rig.services.streams.resolve(MADE.id, 0).isComplete).toBe(false);
  });

  test("playable files come in the order a viewer expects", async () => {
    const { services } = await start();
    expect(services.streams.playable(MADE.id).map(({ name }) => name)).toEqual([
      "E2.mkv",
      "E10.mkv",
      "one.mp4",
      "song.flac",
    ]);
  });

  test("a single file lies in the download folder under its own name", async () => {
    const { services } = await start();
    const single = makeTorrent("film.mkv");
    await services.torrents.addTorrentFile(single.bytes, { paused: false });
    expect(services.streams.resolve(single.id, 0).diskPath).toBe("/downloads/film.mkv");
  });
});
