import { expect, test } from "bun:test";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type NativeThread, openNative } from "../../native/index.ts";
import { freshInfoHash, MIB, someBytes } from "../support/native-rig.ts";

const WORKER = resolve(import.meta.dir, "../support/native-worker.ts");

async function startWorker(order: { infoHash: string; fd: number; isOnDemand: boolean }): Promise<Worker> {
  const worker = new Worker(WORKER);
  const ready = new Promise<void>((settle, reject) => {
    worker.onmessage = (event) => {
      if (event.data === "ready") settle();
    };
    worker.onerror = (event) => reject(new Error(event.message));
  });
  worker.postMessage(order);
  await ready;
  return worker;
}

interface Place extends Disposable {
  readonly path: string;
  readonly fd: number;
}

function makePlace(): Place {
  const folder = mkdtempSync(join(tmpdir(), "torrx-threads-"));
  const path = join(folder, "file");
  const fd = openSync(path, "w+");
  return {
    path,
    fd,
    [Symbol.dispose]() {
      closeSync(fd);
      rmSync(folder, { recursive: true });
    },
  };
}

/** Everything that `infoHash` held in the process has been given back. */
async function isReleased(native: NativeThread, infoHash: string): Promise<void> {
  while (native.findTorrent(infoHash) !== 0 || native.figures().pieces > 0) await Bun.sleep(1);
}

test("a window of one thread is fed by the pieces of another, without a message between them", async () => {
  using place = makePlace();
  const native = openNative();
  const infoHash = freshInfoHash();
  const worker = await startWorker({ infoHash, fd: place.fd, isOnDemand: true });
  const torrent = native.findTorrent(infoHash);
  let onWake: () => void = () => undefined;
  const window = native.openWindow({
    torrent,
    fileStartBytes: 0,
    fileLengthBytes: 24 * MIB,
    onWake: () => onWake(),
  });
  native.shapeWindow(window, { behindBytes: MIB, aheadBytes: 4 * MIB, readAheadBytes: MIB });
  for (let index = 0; index < 8; index++) {
    const expected = someBytes(MIB, index + 1);
    for (let at = 0; at < MIB; ) {
      const woken = new Promise<void>((settle) => {
        onWake = settle;
      });
      const chunk = native.readWindow(window, index * MIB + at, 300_000);
      if (chunk === "waiting") {
        if (at === 0) worker.postMessage(index);
        await woken;
      } else {
        if (typeof chunk === "string") throw new Error(chunk);
        expect(Buffer.compare(chunk.bytes, expected.subarray(at, at + chunk.bytes.length))).toBe(0);
        at += chunk.bytes.length;
        native.unpin(window, chunk.pin);
      }
    }
  }
  expect(native.windowFigures(window).misses).toBe(8);
  worker.terminate();
  await isReleased(native, infoHash);
  expect(native.readWindow(window, 9 * MIB, 1)).toBe("gone");
  native.close();
  expect(readFileSync(place.path).subarray(0, MIB).equals(someBytes(MIB, 1))).toBe(true);
});

for (const isAlone of [false, true]) {
  const who = isAlone ? "the only thread" : "a thread beside another";
  test(`${who} can be terminated in mid-job, twenty times, and nothing of it is left`, async () => {
    using place = makePlace();
    const native = openNative();
    for (let i = 0; i < 20; i++) {
      const infoHash = freshInfoHash();
      if (isAlone) native.close();
      const worker = await startWorker({ infoHash, fd: place.fd, isOnDemand: false });
      worker.terminate();
      const observer = openNative();
      await isReleased(observer, infoHash);
      expect(observer.figures()).toMatchObject({ slabBytes: 0, windows: 0, torrents: 0, pinnedBytes: 0 });
      observer.close();
    }
    native.close();
  }, 60_000);
}

test("the portable hashing gives the same results where it is forced", async () => {
  const tests = [resolve(import.meta.dir, "piece.test.ts")];
  const child = Bun.spawn([process.execPath, "test", ...tests], {
    env: { ...process.env, TORRX_SHA1: "portable" },
    stderr: "pipe",
    stdout: "pipe",
  });
  const text = await new Response(child.stderr).text();
  expect(text).toContain(" 0 fail");
  expect(await child.exited).toBe(0);
  const asked = Bun.spawnSync(
    [process.execPath, "-e", 'process.stdout.write(require("./.setup/native/torrx.node").sha1Path())'],
    {
      env: { ...process.env, TORRX_SHA1: "portable" },
      cwd: resolve(import.meta.dir, "../.."),
    },
  );
  expect(asked.stdout.toString()).toBe("portable");
}, 60_000);
