import { beforeEach, expect, test } from "bun:test";
import { mkdirSync, readdirSync, readlinkSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openForReading } from "../../../src/stream/reader/index.ts";
import { useTempDirectories } from "../../support/temp-directory.ts";

const tempDirectory = useTempDirectories();
let folder: string;
const at = (name: string) => join(folder, name);
/** Of this folder: what else the process has open comes and goes beside the test. */
const openFiles = () =>
  readdirSync("/proc/self/fd")
    .map(pathOf)
    .filter((path) => path.startsWith(folder));

/** Empty for a descriptor that is gone by now. */
function pathOf(descriptor: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`);
  } catch {
    return "";
  }
}

beforeEach(() => {
  folder = tempDirectory();
  writeFileSync(at("film"), "bytes");
});

test("a file is known again, and told from another in its place", async () => {
  const [first, same] = [await openForReading(at("film")), await openForReading(at("film"))];
  writeFileSync(at("new"), "other");
  renameSync(at("new"), at("film"));
  const other = await openForReading(at("film"));
  expect(same?.identity).toBe(first?.identity);
  expect(other?.identity).not.toBe(first?.identity);
  for (const file of [first, same, other]) await file?.close();
});

test("a file that is not there (yet) is none", async () => {
  expect(await openForReading(at("nothing"))).toBeNull();
});

test("a link, a folder, a pipe and a file used as a folder are not ours, and nothing stays open", async () => {
  symlinkSync(at("film"), at("link"));
  mkdirSync(at("folder"));
  expect(Bun.spawnSync(["mkfifo", at("pipe")]).exitCode).toBe(0);
  const before = openFiles();
  for (const name of ["link", "folder", "pipe", "film/inside"]) {
    expect(await openForReading(at(name)).catch((error) => error.code), name).toBe("not_found");
  }
  expect(openFiles()).toEqual(before);
});
