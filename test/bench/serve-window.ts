// The third bar of serve.ts: while a libtorrent seeder fills a file at full speed, ranges of its beginning, which lie in
// a stream's window, are asked for again and again. Told: their latency, the loop's lag in the server, the download.

import { join } from "node:path";
import { LibtorrentPeer } from "../support/actors/libtorrent.ts";
import { LoopProbe, WITH_LOOP_PROBE } from "../support/loop-probe.ts";
import { makeTorrent } from "../support/torrent-maker.ts";
import { type TorrentBody, Torrx } from "../support/torrx.ts";
import { HttpLoad, type RangeFigures } from "./http-load.ts";

const MIB = 1024 * 1024;
/** Less than the part of a default window that stays behind the playhead (20 % of 256 MiB). */
const SPAN_BYTES = 32 * MIB;
/** One request in about a millisecond: what is measured is the wait, not a second load. */
const PAUSE_US = 1_000;
const REQUESTS_PER_TURN = 250;

export async function measureWindow(folder: string, file: string): Promise<void> {
  const torrent = await makeTorrent(file, { pieceBytes: MIB });
  const { torrentPath, dataFolder } = torrent;
  const load = await HttpLoad.compile();
  const seeder = await LibtorrentPeer.start({ torrentPath, saveFolder: dataFolder, seed: true });
  const server = await Torrx.start({ folder: join(folder, "torrx"), env: WITH_LOOP_PROBE });
  await server.upload(torrent.bytes);
  const startMs = performance.now();
  await server.call("POST", "/api/torrents", { magnet: torrent.magnet([seeder.peer]) });
  const path = await readBeginning(server, torrent.infoHash);
  const probe = new LoopProbe(server);
  const place = { port: server.port, path, authorization: server.authorization };
  const turns: RangeFigures[] = [];
  for (let seed = 1; ; seed++) {
    const figures = await load.ranges(place, {
      connections: 1,
      requests: REQUESTS_PER_TURN,
      file,
      spanBytes: SPAN_BYTES,
      seed,
      pauseUs: PAUSE_US,
    });
    // A turn that saw the end of the download does not count.
    if ((await torrentOf(server, torrent.infoHash)).progress === 1) break;
    turns.push(figures);
  }
  tell(turns, await probe.figures());
  const sec = (performance.now() - startMs) / 1000;
  console.log(`  download ${(torrent.lengthBytes / 1e6 / sec).toFixed(0)} MB/s on the way`);
}

/** Opens the stream at the file's beginning and reads what will be asked for. The path of its stream. */
async function readBeginning(server: Torrx, id: string): Promise<string> {
  const { files } = await torrentOf(server, id);
  const { pathname } = new URL(files[0]!.stream_url, server.origin);
  const answer = await fetch(`${server.origin}${pathname}?mode=direct`, {
    headers: {
      authorization: server.authorization,
      "user-agent": "http-load",
      range: `bytes=0-${SPAN_BYTES - 1}`,
    },
  });
  if ((await answer.arrayBuffer()).byteLength !== SPAN_BYTES) throw new Error("the beginning is not whole");
  return `${pathname}?mode=direct`;
}

async function torrentOf(server: Torrx, id: string): Promise<TorrentBody> {
  return (await server.call<TorrentBody>("GET", `/api/torrents/${id}`)).body;
}

function tell(turns: readonly RangeFigures[], loop: { p99Ms: number; maxMs: number; samples: number }): void {
  const ms = (us: number) => (us / 1000).toFixed(2);
  const worst = (of: (turn: RangeFigures) => number) => ms(Math.max(...turns.map(of)));
  const requests = turns.reduce((sum, turn) => sum + turn.requests, 0);
  const p50s = turns.map((turn) => turn.p50Us).toSorted((a, b) => a - b);
  console.log(`4 KiB ranges of a window beside a download, ${requests} requests in ${turns.length} turns`);
  console.log(`  p50 ${ms(p50s[Math.floor(p50s.length / 2)] ?? Number.NaN)} ms (median of the turns)`);
  console.log(
    `  p99 ${worst((turn) => turn.p99Us)} ms (of the worst turn), longest ${worst((turn) => turn.maxUs)} ms`,
  );
  console.log(
    `  loop lag p99 ${loop.p99Ms.toFixed(1)} ms, longest ${loop.maxMs.toFixed(1)} ms (${loop.samples} samples)`,
  );
}
