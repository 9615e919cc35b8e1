// Pieces so large that memory holds four of them: a viewer who jumps about in such a file still gets the new place as
// soon as the line can bring its piece, and what was begun elsewhere is not fetched again and again.

import { expect, test } from "bun:test";
import { get } from "node:http";
import { join } from "node:path";
import { LibtorrentPeer } from "../support/actors/libtorrent.ts";
import { describeIsolated } from "../support/namespace.ts";
import { randomFile } from "../support/random-file.ts";
import { makeTorrent, sha256OfFile } from "../support/torrent-maker.ts";
import { Torrx } from "../support/torrx.ts";

const MIB = 1024 * 1024;
const PIECE_BYTES = 16 * MIB;
const FILE_BYTES = 10 * PIECE_BYTES;
const LINE_BYTES_PER_SEC = 16_000_000;
const SEEKS = [0, 0.55, 0.85, 0.25, 0.95];
/** The piece that was being received may come first, and the line takes a moment to be full. */
const FIRST_BYTE_MS = 1_500 + (1.5 * PIECE_BYTES * 1_000) / LINE_BYTES_PER_SEC;
/** Of the file: pieces given up at each of the seeks are fetched twice. */
const FETCHED_SHARE = 1.35;

/** Plays from `startBytes` on; resolves with the time to the first byte, the connection stays open until `stop`. */
function play(url: string, startBytes: number): { firstByteMs: Promise<number>; stop: () => void } {
  const askedAtMs = performance.now();
  const arrived = Promise.withResolvers<number>();
  const request = get(url, { agent: false, headers: { range: `bytes=${startBytes}-` } }, (response) => {
    response.once("data", () => arrived.resolve(performance.now() - askedAtMs));
    response.on("error", () => undefined);
    response.resume();
  });
  request.on("error", arrived.reject);
  return { firstByteMs: arrived.promise, stop: () => request.destroy() };
}

describeIsolated("pieces of 16 MiB", () => {
  test("every seek is answered in time, and nothing is fetched in vain", async () => {
    const path = randomFile(FILE_BYTES);
    const torrent = await makeTorrent(path, { pieceBytes: PIECE_BYTES });
    const [server, seeder] = await Promise.all([
      Torrx.start(),
      LibtorrentPeer.start({
        torrentPath: torrent.torrentPath,
        saveFolder: torrent.dataFolder,
        seed: true,
        uploadLimit: LINE_BYTES_PER_SEC,
      }),
    ]);
    try {
      await server.upload(torrent.bytes);
      await server.call("POST", "/api/torrents", { magnet: torrent.magnet([seeder.peer]) });
      const { files } = await server.waitFor(torrent.infoHash, (body) => body.peers > 0, {
        withinMs: 5_000,
        what: "the seeder",
      });
      for (const share of SEEKS) {
        const playing = play(
          `${server.origin}${files[0]?.stream_url}&mode=direct`,
          Math.floor(FILE_BYTES * share),
        );
        const firstByteMs = await playing.firstByteMs;
        console.log(`16 MiB pieces, from ${share * 100} %: first byte after ${firstByteMs.toFixed(0)} ms`);
        expect(firstByteMs).toBeLessThan(FIRST_BYTE_MS);
        playing.stop();
      }
      await server.waitFor(torrent.infoHash, (body) => body.progress === 1, {
        withinMs: 30_000,
        what: "the whole file",
      });
      const fetched = (seeder.state?.uploaded ?? Number.POSITIVE_INFINITY) / FILE_BYTES;
      console.log(`fetched ${fetched.toFixed(2)} times the file`);
      expect(fetched).toBeLessThan(FETCHED_SHARE);
      expect(await sha256OfFile(join(server.downloads, torrent.name))).toBe(await sha256OfFile(path));
    } finally {
      await Promise.all([server.stop(), seeder.stop()]);
    }
  }, 90_000);
});
