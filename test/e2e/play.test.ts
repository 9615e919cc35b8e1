// The main job: a torrent of one real seeder is added, and a real player shows the picture while it downloads.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { SEEDERS } from "../support/actors/seeders.ts";
import { MEDIA_KINDS, makeMedia } from "../support/media.ts";
import { describeIsolated } from "../support/namespace.ts";
import { runProcess } from "../support/process.ts";
import { type MadeTorrent, makeTorrent, sha256OfFile } from "../support/torrent-maker.ts";
import { type FileBody, Torrx } from "../support/torrx.ts";

const SEED_BYTES_PER_SEC = 3_000_000;
const MEDIA_BYTES_PER_SEC = 1_000_000;
const MEDIA_SEC = 60;

async function sha256OfStream(server: Torrx, file: FileBody): Promise<string> {
  const response = await fetch(`${server.origin}${file.stream_url}&mode=direct`);
  expect(response.status).toBe(200);
  expect(response.headers.get("content-length")).toBe(String(file.size));
  const hash = createHash("sha256");
  if (response.body !== null) for await (const chunk of response.body) hash.update(chunk);
  return hash.digest("hex");
}

describeIsolated("play while it downloads", () => {
  let server: Torrx;
  beforeAll(async () => {
    server = await Torrx.start();
    // The first login hashes the password; what is measured below is the adding.
    await server.call("GET", "/api/status");
  });
  afterAll(() => server.stop());

  test("a torrent has its row within 300 ms of the POST, whoever seeds it", async () => {
    for (let round = 0; round < 5; round++) {
      const infoHash = round.toString(16).padStart(40, "a");
      const startMs = performance.now();
      const { status } = await server.call("POST", "/api/torrents", {
        magnet: `magnet:?xt=urn:btih:${infoHash}`,
      });
      expect(status).toBe(201);
      expect((await server.call("GET", `/api/torrents/${infoHash}`)).status).toBe(200);
      expect(performance.now() - startMs).toBeLessThan(300);
      await server.call("DELETE", `/api/torrents/${infoHash}`);
    }
  });

  for (const client of ["libtorrent", "transmission", "qbittorrent"] as const) {
    for (const [at, kind] of MEDIA_KINDS.entries()) {
      const isMagnet = (at + client.length) % 2 === 0;
      // Side by side: the seeders' limits, not this machine, set the pace.
      test.concurrent(`${client} seeds ${kind}, added by ${isMagnet ? "magnet" : ".torrent"}: first frame before 10 %, whole file exact`, async () => {
        // A length of its own for each client makes a torrent of its own.
        const media = await makeMedia({
          kind,
          durationSec: MEDIA_SEC + client.length,
          bytesPerSec: MEDIA_BYTES_PER_SEC,
        });
        const torrent: MadeTorrent = await makeTorrent(media.path, { pieceBytes: 256 * 1024 });
        const seeder = await SEEDERS[client](torrent, { uploadLimit: SEED_BYTES_PER_SEC });
        try {
          const startMs = performance.now();
          const magnet = torrent.magnet([seeder.peer]);
          const added = isMagnet
            ? await server.call<{ id: string }>("POST", "/api/torrents", { magnet })
            : await server.upload(torrent.bytes);
          expect(added.status).toBe(201);
          if (!isMagnet) await server.call("POST", "/api/torrents", { magnet });
          const { files } = await server.waitFor(torrent.infoHash, (body) => body.files.length > 0, {
            withinMs: 20_000,
            what: "the file list",
          });
          const file = files[0]!;
          const frame = await runProcess(
            [
              "ffmpeg",
              "-v",
              "error",
              "-i",
              `${server.origin}${file.stream_url}`,
              "-frames:v",
              "1",
              "-f",
              "null",
              "-",
            ],
            { withinMs: 60_000 },
          );
          expect(frame.exitCode, frame.stderr).toBe(0);
          const atFrame = (
            await server.call<{ progress: number }>("GET", `/api/torrents/${torrent.infoHash}`)
          ).body;
          const firstFrameMs = Math.round(performance.now() - startMs);
          console.log(
            `first frame: ${client} ${kind} ${isMagnet ? "magnet" : "file"} ${firstFrameMs} ms, progress ${atFrame.progress.toFixed(3)}`,
          );
          expect(atFrame.progress).toBeLessThan(0.1);
          expect(await sha256OfStream(server, file)).toBe(await sha256OfFile(media.path));
        } finally {
          await seeder.stop();
          await server.call("DELETE", `/api/torrents/${torrent.infoHash}?delete_files=true`);
        }
      }, 60_000);
    }
  }
});
