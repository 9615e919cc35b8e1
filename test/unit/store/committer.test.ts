import { describe, expect, test } from "bun:test";
import { Bitfield } from "../../../src/base/bitfield.ts";
import { silentLog } from "../../../src/base/log.ts";
import { seededRandom } from "../../../src/base/random.ts";
import { AssemblyBudget, type ResumeState } from "../../../src/store/index.ts";
import { makeParts } from "../../../src/store/store-options.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { MemoryDisk } from "../../support/memory-disk.ts";
import { PlainMemory } from "../../support/plain-memory.ts";
import { EventRecord, makeTorrent } from "../../support/store-torrent.ts";

const KIB = 1024;

function setUp() {
  const torrent = makeTorrent({
    pieceLengthBytes: 16 * KIB,
    files: [
      { path: "a", lengthBytes: 64 * KIB },
      { path: "b", lengthBytes: 64 * KIB },
    ],
  });
  const disk = new MemoryDisk(seededRandom(1), ["/srv"]);
  const clock = new FakeClock();
  const states: ResumeState[] = [];
  const parts = makeParts(
    {
      info: torrent.info,
      place: { saveDirectory: "/srv", diskName: null },
      presence: [true, true],
      disk,
      memory: new PlainMemory().open(torrent.info),
      clock,
      log: silentLog,
      events: new EventRecord(),
      budget: new AssemblyBudget(1),
      partsPath: "/srv/parts",
      hasRecord: false,
    },
    {
      onShort: () => undefined,
      onShaped: () => undefined,
      onResume: (state) => states.push(state),
      onSyncFailed: () => undefined,
    },
  );
  parts.layout.setPresent([true, true]);
  parts.committer.load({ verified: new Bitfield(8), stamps: [null, null], isRecordedClean: false });
  parts.committer.release(false);
  const write = async (piece: number) => {
    const bytes = torrent.bytes.subarray(piece * 16 * KIB, (piece + 1) * 16 * KIB);
    const key = Math.floor(piece / 4);
    await parts.files.write(key, bytes, (piece % 4) * 16 * KIB);
    parts.committer.noteWritten(piece, [key], bytes.length);
  };
  return { disk, clock, states, committer: parts.committer, write };
}

describe("a commit", () => {
  test("covers only what was written before its syncs began", async () => {
    const { disk, states, committer, write } = setUp();
    await write(0);
    await write(1);
    let isFirst = true;
    disk.failOn = ({ op }) => {
      if (op !== "syncdir" || !isFirst) return undefined;
      isFirst = false;
      // Between the sync of the file and its end: one piece is written anew, one for the first time, one is lost.
      committer.noteLost(0);
      committer.noteWritten(0, [0], 0);
      committer.noteWritten(2, [0], 0);
      return undefined;
    };
    await committer.commit();
    expect(states.at(-1)).toMatchObject({ verified: new Uint8Array([0b0100_0000]), unsure: [0, 2] });
    disk.failOn = () => undefined;
    await committer.commit();
    expect(states.at(-1)).toMatchObject({ verified: new Uint8Array([0b1110_0000]), unsure: [] });
  });

  test("keeps the stamp of a file that is made while it runs", async () => {
    const { disk, states, committer, write } = setUp();
    await write(0);
    const stamp = { sizeBytes: 64 * KIB, mtimeMs: 1, inode: 99 };
    let isSynced = false;
    disk.failOn = ({ op }) => {
      if (op === "syncdir") isSynced = true;
      if (op === "stat" && isSynced) committer.noteShaped(1, stamp);
      return undefined;
    };
    await committer.commit();
    expect(states.at(-1)?.stamps).toMatchObject([{ sizeBytes: 64 * KIB }, stamp]);
    committer.stop();
  });

  test("never makes a piece verified whose bytes are on the move", async () => {
    const { states, committer, write } = setUp();
    await write(0);
    await committer.commit();
    committer.unsettle(0);
    await committer.commit();
    expect(states.at(-1)).toMatchObject({ verified: new Uint8Array([0]), unsure: [0] });
    await write(0);
    await committer.commit();
    expect(states.at(-1)).toMatchObject({ verified: new Uint8Array([0b1000_0000]), unsure: [] });
  });

  test("hands the loss of a verified piece out at once, before its bytes can be written again", async () => {
    const { clock, states, committer, write } = setUp();
    await write(0);
    await committer.commit();
    committer.noteLost(0);
    clock.advance(0);
    expect(states.at(-1)).toMatchObject({ verified: new Uint8Array([0]), unsure: [] });
    committer.stop();
  });

  test("hands unsure pieces out at most twice a second", async () => {
    const { clock, states, committer, write } = setUp();
    await write(0);
    clock.advance(1_000);
    const before = states.length;
    for (let piece = 1; piece < 8; piece++) await write(piece);
    clock.advance(499);
    expect(states.length).toBe(before);
    clock.advance(1);
    expect(states.length).toBe(before + 1);
    expect(states.at(-1)?.unsure).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    committer.stop();
  });
});
