import { afterEach, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { DataConflictError } from "../../../src/store/index.ts";
import { plainDisk } from "../../support/plain-memory.ts";
import { removeSaveFolders, saveFolder } from "../../support/store-files.ts";

afterEach(removeSaveFolders);

async function codeOf(attempt: Promise<unknown>): Promise<unknown> {
  const error = await attempt.then(
    () => null,
    (reason: unknown) => reason,
  );
  return error instanceof DataConflictError ? "conflict" : (error as { code?: string } | null)?.code;
}

describe("the real disk", () => {
  test("opens regular files only, and no symlink", async () => {
    const folder = saveFolder();
    const at = (name: string) => join(folder, name);
    symlinkSync("/etc/hostname", at("link"));
    mkdirSync(at("folder"));
    Bun.spawnSync(["mkfifo", at("fifo")]);
    expect(await codeOf(plainDisk.open(at("link"), { create: true }))).toBe("ELOOP");
    expect(await codeOf(plainDisk.open(at("folder"), { create: true }))).toBe("EISDIR");
    expect(await codeOf(plainDisk.open(at("fifo"), { create: false }))).toBe("conflict");
    expect(await codeOf(plainDisk.open("/dev/null", { create: false }))).toBe("conflict");
    expect(await codeOf(plainDisk.open(at("absent"), { create: false }))).toBe("ENOENT");
    for (const name of ["link", "folder", "fifo"])
      expect(await codeOf(plainDisk.stampOf(at(name)))).toBe("conflict");
    expect(await plainDisk.stampOf(at("absent"))).toBeNull();
  });

  test("reads short at the end, writes at an offset, leaves holes", async () => {
    const path = join(saveFolder(), "file");
    const file = await plainDisk.open(path, { create: true });
    await file.truncate(2 ** 20);
    await file.write(new Uint8Array([1, 2, 3]), 2 ** 20 - 3);
    const target = new Uint8Array(10);
    expect(await file.read(target, 2 ** 20 - 2)).toBe(2);
    expect([...target.subarray(0, 3)]).toEqual([2, 3, 0]);
    await file.datasync();
    await file.close();
    expect(await plainDisk.stampOf(path)).toMatchObject({ sizeBytes: 2 ** 20 });
    expect(readFileSync(path)[2 ** 20 - 1]).toBe(3);
  });

  test("removes only what it is asked to, and only empty folders", async () => {
    const folder = saveFolder();
    writeFileSync(join(folder, "file"), "x");
    expect(await plainDisk.removeEmptyDirectory(folder)).toBe(false);
    await plainDisk.removeFile(join(folder, "file"));
    await plainDisk.removeFile(join(folder, "file"));
    await plainDisk.syncDirectory(folder);
    expect(await plainDisk.removeEmptyDirectory(folder)).toBe(true);
    expect(await plainDisk.removeEmptyDirectory(folder)).toBe(false);
    expect(existsSync(folder)).toBe(false);
    expect(await plainDisk.isDirectory(dirname(folder))).toBe(true);
    expect(await plainDisk.freeBytes(dirname(folder))).toBeGreaterThan(0);
  });

  test("read-only data can still be read", async () => {
    const path = join(saveFolder(), "file");
    writeFileSync(path, "data");
    chmodSync(path, 0o444);
    const file = await plainDisk.open(path, { create: false });
    expect(await file.read(new Uint8Array(4), 0)).toBe(4);
    await file.close();
  });
});
