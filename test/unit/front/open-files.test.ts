import { expect, test } from "bun:test";
import { readdirSync, readlinkSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { FileIndex, InfoHash } from "../../../src/base/brand.ts";
import { TorrxError } from "../../../src/base/errors.ts";
import { type OpenFile, OpenFiles } from "../../../src/front/open-files.ts";
import { readWarm } from "../../support/cached-reads.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { tmpFolder } from "../../support/tmp.ts";

const folder = tmpFolder("open-files");

function setUp() {
  const clock = new FakeClock();
  return { clock, files: new OpenFiles(clock, readWarm) };
}

function target(name: string, torrent = "ab".repeat(20)) {
  return { torrent: torrent as InfoHash, file: 0 as FileIndex, diskPath: join(folder, name) };
}

function fileOf(name: string, text = name) {
  writeFileSync(join(folder, name), text);
  return target(name);
}

async function textOf(file: OpenFile): Promise<string> {
  const bytes = Buffer.alloc(100);
  const count = await file.read(bytes, 0);
  return bytes.toString("latin1", 0, count);
}

/** Descriptors of this process on files of this test, also on those that are removed. */
function openPaths(): string[] {
  return readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${fd}`);
      return path.startsWith(folder) ? [path] : [];
    } catch {
      return [];
    }
  });
}

async function untilOpen(count: number): Promise<void> {
  const endMs = performance.now() + 2_000;
  while (openPaths().length !== count && performance.now() < endMs) await Bun.sleep(1);
  expect(openPaths().length).toBe(count);
}

test("requests of one second share a descriptor, which is closed when the last of them has left", async () => {
  const { clock, files } = setUp();
  const wanted = fileOf("shared");
  const both = await Promise.all([files.join(wanted), files.join(wanted)]);
  clock.advance(999);
  const third = await files.join(wanted);
  expect(openPaths().length).toBe(1);
  for (const file of both) file.leave();
  clock.advance(1);
  expect(clock.pendingTimers).toBe(0);
  expect(await textOf(third)).toBe("shared");
  third.leave();
  await untilOpen(0);
});

test("a file nobody uses any more is closed within a second, so that its space is free", async () => {
  const { clock, files } = setUp();
  (await files.join(fileOf("removed"))).leave();
  rmSync(join(folder, "removed"));
  expect(openPaths().length).toBe(1);
  clock.advance(1_000);
  await untilOpen(0);
});

test("a replaced file is seen after a second at the latest, while its old readers keep theirs", async () => {
  const { clock, files } = setUp();
  const wanted = fileOf("replaced", "old");
  const before = await files.join(wanted);
  fileOf("new");
  renameSync(join(folder, "new"), wanted.diskPath);
  clock.advance(1_000);
  const after = await files.join(wanted);
  expect([await textOf(before), await textOf(after)]).toEqual(["old", "new"]);
  before.leave();
  after.leave();
  files.close();
  await untilOpen(0);
});

test("another torrent at the same path never gets the descriptor of the first", async () => {
  const { files } = setUp();
  (await files.join(fileOf("same", "first"))).leave();
  rmSync(join(folder, "same"));
  fileOf("same", "second");
  const other = await files.join(target("same", "cd".repeat(20)));
  expect(await textOf(other)).toBe("second");
  other.leave();
  files.close();
  await untilOpen(0);
});

test("a file that could not be opened is tried again by the next request", async () => {
  const { clock, files } = setUp();
  const failures = await Promise.allSettled([files.join(target("late")), files.join(target("late"))]);
  for (const failure of failures) {
    expect(failure.status === "rejected" && failure.reason).toBeInstanceOf(TorrxError);
  }
  expect(clock.pendingTimers).toBe(0);
  const file = await files.join(fileOf("late"));
  expect(await textOf(file)).toBe("late");
  file.leave();
  files.close();
  await untilOpen(0);
});

test("no more than 64 are kept open; the oldest makes room", async () => {
  const { clock, files } = setUp();
  for (let i = 0; i < 70; i++) (await files.join(fileOf(`many-${i}`))).leave();
  await untilOpen(64);
  expect(openPaths()).not.toContain(join(folder, "many-0"));
  expect(openPaths()).toContain(join(folder, "many-69"));
  files.close();
  expect(clock.pendingTimers).toBe(0);
  await untilOpen(0);
});

test("closing while a file is being opened leaves nothing open", async () => {
  const { files } = setUp();
  const opening = files.join(fileOf("opening"));
  files.close();
  (await opening).leave();
  await untilOpen(0);
});
