// Streams out of memory, on the real server: a rewind that the disk never hears of, and memory that is resized under
// viewers without a wrong byte.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { closeSync, openSync, readFileSync, readSync } from "node:fs";
import { join } from "node:path";
import { LibtorrentPeer } from "../support/actors/libtorrent.ts";
import { describeIsolated, hasProgram } from "../support/namespace.ts";
import { randomFile } from "../support/random-file.ts";
import { readStart } from "../support/raw-stream.ts";
import { tmpFolder } from "../support/tmp.ts";
import { makeTorrent, sha256OfFile } from "../support/torrent-maker.ts";
import { Torrx } from "../support/torrx.ts";

const MIB = 1024 * 1024;
const LENGTH = 64 * MIB;
const UPLOAD_BYTES_PER_SEC = 6_000_000;

interface Status {
  readonly ram: { readonly used: number; readonly cap: number; readonly rss: number };
  readonly warnings: readonly { readonly code: string; readonly message: string }[];
  readonly streams: readonly {
    readonly torrent_id: string;
    readonly window: {
      readonly bytes: number;
      readonly ahead_sec: number;
      readonly behind_sec: number;
      readonly hit_rate: number;
    } | null;
  }[];
}

interface Growing {
  readonly id: string;
  readonly path: string;
  readonly url: string;
}

describeIsolated("the memory of streams", () => {
  const trace = join(tmpFolder("trace"), "reads");
  const seeders: LibtorrentPeer[] = [];
  let server: Torrx;

  beforeAll(async () => {
    // By the kernel's filter, so that other calls run at their speed; -D leaves the server our own child.
    const calls = "trace=read,readv,pread64,preadv,preadv2,sendfile,mmap";
    const strace = ["strace", "-D", "-f", "-qq", "--seccomp-bpf", "-y", "-e", calls, "-o", trace];
    server = await Torrx.start(hasProgram("strace") ? { wrapper: strace } : {});
  }, 30_000);
  afterAll(async () => {
    for (const seeder of seeders) await seeder.stop();
    await server?.stop();
  });

  const status = async () => (await server.call<Status>("GET", "/api/status")).body;
  const set = async (sizes: Record<string, number>) =>
    expect((await server.call("PUT", "/api/settings", sizes)).status).toBe(200);

  /** A torrent that is still on its way for the next ten seconds. */
  async function add(): Promise<Growing> {
    const path = randomFile(LENGTH);
    const torrent = await makeTorrent(path);
    const { torrentPath, dataFolder } = torrent;
    const seeder = await LibtorrentPeer.start({
      torrentPath,
      saveFolder: dataFolder,
      seed: true,
      uploadLimit: UPLOAD_BYTES_PER_SEC,
    });
    seeders.push(seeder);
    await server.upload(torrent.bytes);
    await server.call("POST", "/api/torrents", { magnet: torrent.magnet([seeder.peer]) });
    const { files } = await server.waitFor(torrent.infoHash, (body) => body.files.length > 0, {
      withinMs: 5_000,
      what: "the file list",
    });
    return { id: torrent.infoHash, path, url: `${files[0]!.stream_url}&mode=direct` };
  }

  /** What the server's threads have read of the torrent's file so far. */
  const readsOf = () =>
    readFileSync(trace, "utf8")
      .split("\n")
      .filter((line) => line.includes(`<${server.downloads}/film.mkv`));

  async function take({ url, path }: Growing, at: number, lengthBytes: number): Promise<void> {
    const range = { range: `bytes=${at}-${at + lengthBytes - 1}` };
    const answer = await readStart({ port: server.port, path: url, headers: range }, lengthBytes);
    const expected = Buffer.alloc(lengthBytes);
    const file = openSync(path, "r");
    readSync(file, expected, 0, lengthBytes, at);
    closeSync(file);
    expect(answer.status).toBe(206);
    expect(Buffer.compare(answer.body, expected)).toBe(0);
  }

  test.if(hasProgram("strace"))(
    "a rewind inside the window is no read of the file, and the hit rate rises",
    async () => {
      const film = await add();
      await take(film, 0, 8 * MIB);
      const windowOf = async () =>
        (await status()).streams.find((stream) => stream.torrent_id === film.id)?.window;
      const [before, reads] = [await windowOf(), readsOf().length];
      // The engine's look at the file's head for its index: reads are seen.
      expect(reads).toBeGreaterThan(0);
      await take(film, MIB, 6 * MIB);
      expect(readsOf().slice(reads)).toEqual([]);
      const after = await windowOf();
      expect(after!.hit_rate).toBeGreaterThan(before!.hit_rate);
      expect(after!.bytes).toBeGreaterThanOrEqual(8 * MIB);
      const { progress } = (await server.call<{ progress: number }>("GET", `/api/torrents/${film.id}`)).body;
      expect(progress).toBeLessThan(1);
      await server.call("DELETE", `/api/torrents/${film.id}?delete_files=true`);
      expect((await status()).streams).toEqual([]);
    },
    40_000,
  );

  test("sizes change under two viewers without a wrong byte; the warning holds while they share", async () => {
    const film = await add();
    const view = async (agent: string, each: () => Promise<void>) => {
      const response = await fetch(`${server.origin}${film.url.replace(/\?.*/, "?mode=direct")}`, {
        headers: { authorization: server.authorization, "user-agent": agent },
      });
      const hash = createHash("sha256");
      for await (const chunk of response.body!) {
        hash.update(chunk);
        await each();
      }
      return hash.digest("hex");
    };
    let turn = 0;
    const codes = new Set<string>();
    const resize = async () => {
      if (turn++ % 40 !== 0) return;
      const [ram_buffer_mb, ram_total_mb] = [
        [16, 16],
        [64, 256],
        [256, 32],
      ][(turn >> 5) % 3] as [number, number];
      await set({ ram_buffer_mb, ram_total_mb, buffer_ahead_percent: [10, 80, 95][turn % 3]! });
      const { ram, warnings } = await status();
      expect(ram.cap).toBe((ram_total_mb + 64) * MIB);
      expect(ram.used).toBeLessThanOrEqual(ram.cap);
      for (const { code } of warnings) codes.add(code);
    };
    const digests = await Promise.all([view("one", resize), view("two", () => Promise.resolve())]);
    const expected = await sha256OfFile(film.path);
    expect(digests).toEqual([expected, expected]);
    expect([...codes]).toContain("ram_shared");
    await set({ ram_buffer_mb: 16, ram_total_mb: 1024, buffer_ahead_percent: 80 });
    expect((await status()).warnings.map(({ code }) => code)).not.toContain("ram_shared");
  }, 60_000);
});
