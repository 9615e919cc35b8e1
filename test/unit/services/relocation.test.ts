// A new torrent whose place is taken by data that nobody in the list owns.

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { useTempDirectories } from "../../support/temp-directory.ts";
import { type MadeTorrent, makeTorrent, type Rig, settle, startRig } from "./rig.ts";

const tempDirectory = useTempDirectories();
const GO = { paused: false };
const MADE = makeTorrent("Show", [["a.mkv", 70]]);
const CONFLICT = { status: "error", fault: "data_conflict", faultDetail: "other data" } as const;
const STATE = { verified: Uint8Array.of(0), unsure: [], stamps: [null], isClean: false };
let rig: Rig;

const diskNameOf = ({ id }: MadeTorrent) => rig.engine.specs.get(id)?.diskName;
const storedNameOf = ({ id }: MadeTorrent) =>
  rig.database.torrents.all().find((row) => row.id === id)?.layout?.diskName;

async function conflict({ id }: MadeTorrent): Promise<void> {
  rig.engine.setStats(id, CONFLICT);
  rig.engine.setStats(id, { ...CONFLICT, peers: 1 });
  await settle();
}

beforeEach(async () => {
  rig = await startRig(tempDirectory());
  for (const name of ["Show", "Show (2)", "Show (3)"])
    rig.volume.present.set(`/downloads/${name}/a.mkv`, 4096);
  await rig.services.torrents.addTorrentFile(MADE.bytes, GO);
});

afterEach(async () => {
  await rig.close();
});

describe("a torrent in whose place other data lies", () => {
  test("moves on to the next name, once for each fault, and leaves the files", async () => {
    await conflict(MADE);
    expect(diskNameOf(MADE)).toBe("Show (2)" as never);
    expect(storedNameOf(MADE)).toBe("Show (2)" as never);
    expect(rig.engine.callsOf("remove")).toMatchObject([{ argument: { deleteFiles: false } }]);
    expect(rig.services.streams.resolve(MADE.id, 0).diskPath).toBe("/downloads/Show (2)/a.mkv");
    expect(rig.services.torrents.get(MADE.id).torrent.error).toBeNull();
  });

  test("moves on past names of the list and past more other data", async () => {
    const other = makeTorrent("Show", [["a.mkv", 71]]);
    await rig.services.torrents.addTorrentFile(other.bytes, GO);
    expect(diskNameOf(other)).toBe("Show (2)" as never);
    await conflict(MADE);
    expect(diskNameOf(MADE)).toBe("Show (3)" as never);
    await conflict(MADE);
    expect(diskNameOf(MADE)).toBe("Show (4)" as never);
  });

  test("gives up after twenty names and says so", async () => {
    for (let n = 2; n <= 30; n++) {
      rig.volume.present.set(`/downloads/Show (${n})/a.mkv`, 4096);
      await conflict(MADE);
    }
    expect(diskNameOf(MADE)).toBe("Show (20)" as never);
    expect(rig.services.torrents.get(MADE.id).torrent.error?.code).toBe("data_conflict");
    expect(rig.engine.callsOf("remove")).toHaveLength(19);
  });

  test("stays and says so once there is a record of it", async () => {
    rig.engine.emit({ type: "resume", id: MADE.id, state: STATE });
    await conflict(MADE);
    expect(diskNameOf(MADE)).toBeNull();
    expect(rig.services.torrents.get(MADE.id).torrent.error?.code).toBe("data_conflict");
  });

  test("stays where it is no file that is in the way", async () => {
    rig.volume.present.clear();
    await conflict(MADE);
    expect(diskNameOf(MADE)).toBeNull();
    expect(rig.engine.callsOf("remove")).toEqual([]);
  });

  test("stays where the conflict is over by its turn", async () => {
    rig.engine.setStats(MADE.id, CONFLICT);
    rig.engine.setStats(MADE.id, { status: "downloading", fault: null, faultDetail: null });
    await settle();
    expect(diskNameOf(MADE)).toBeNull();
  });

  test("that cannot be added under its new name says so and comes back when it is resumed", async () => {
    rig.engine.failures.set("add", new Error("no"));
    await conflict(MADE);
    expect(rig.services.torrents.get(MADE.id).torrent.error?.code).toBe("internal");
    await rig.services.torrents.resume(MADE.id);
    expect(diskNameOf(MADE)).toBe("Show (2)" as never);
  });
});
