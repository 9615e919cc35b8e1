// B5 #1, the promise "kill -9 at any moment: back in 3 s, nothing lost, nothing corrupt", on the real process with a
// real seeder: killed again and again while it downloads and streams.

import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { join } from "node:path";
import { seededRandom } from "../../src/base/random.ts";
import { describeIsolated } from "../support/namespace.ts";
import { addMagnetTo, piecesOf, type Supply, supply, view, wrongPieces } from "../support/supply.ts";
import { sha256OfFile } from "../support/torrent-maker.ts";
import { type TorrentBody, Torrx } from "../support/torrx.ts";

const IS_LONG = process.env["TORRX_TEST_ALL"] === "1";
const KILLS = IS_LONG ? 50 : 10;
const RATE = 6_000_000;
const PIECE_BYTES = 256 * 1024;
const BYTES_PER_KILL = IS_LONG ? 26_000_000 : 13_000_000;
const MIN_RUN_MS = 150;
// The long run also crosses the commits, which come every 5 s.
const MAX_RUN_MS = IS_LONG ? 6_000 : 1_700;
const HEALTHY_MS = 3_000;
const LOST_SEC = 5;
/** The store tests its state with so many pieces after a crash. */
const SAMPLE_PIECES = 64;

interface Round {
  readonly healthyMs: number;
  readonly hashedPieces: number;
  readonly lostBytes: number;
  /** Downloaded bytes that are counted no more. */
  readonly uncountedBytes: number;
}

interface Before {
  readonly had: readonly boolean[];
  readonly downloaded: number;
}

describeIsolated("kill -9", () => {
  test(
    `${KILLS} times while it downloads and streams: back at once, nothing lost, nothing wrong`,
    async () => {
      const seed = Number(process.env["TORRX_TEST_SEED"] ?? Math.floor(Math.random() * 2 ** 32));
      const random = seededRandom(seed);
      console.log(`kill loop: seed ${seed}`);
      const supplied = await supply({
        files: { "film.bin": KILLS * BYTES_PER_KILL, "unwanted.bin": 1_000_000 },
        name: "killed",
        uploadLimit: RATE,
        pieceBytes: PIECE_BYTES,
      });
      const id = supplied.torrent.infoHash;
      let server = await Torrx.start();
      await server.call("PUT", "/api/settings", { max_concurrent_torrents: 7 });
      await addMagnetTo(server, supplied);
      await server.call("PATCH", `/api/torrents/${id}`, { max_upload_speed: 123_000 });
      await server.call("PATCH", `/api/torrents/${id}/files`, { files: [{ index: 1, is_selected: false }] });
      const rounds: Round[] = [];
      for (let kill = 0; kill < KILLS; kill++) {
        const before = await runAndKill(
          server,
          supplied,
          MIN_RUN_MS + random.next() * (MAX_RUN_MS - MIN_RUN_MS),
        );
        const startMs = performance.now();
        server = await Torrx.start({ folder: server.folder });
        const health = await fetch(`${server.origin}/api/health`);
        const healthyMs = performance.now() - startMs;
        expect(health.status, `kill ${kill}`).toBe(200);
        rounds.push(await inspect(server, supplied, { ...before, healthyMs }));
      }
      supplied.seeder.setUploadLimit(0);
      await server.waitFor(id, (body) => body.progress === 1, { withinMs: 60_000, what: "the rest" });
      const finalBody = (await server.call<TorrentBody>("GET", `/api/torrents/${id}`)).body;
      expect(await sha256OfFile(join(server.downloads, "killed", "film.bin"))).toBe(
        await sha256OfFile(supplied.pathOf(0)),
      );
      expect(await server.process.stop()).toBe(0);
      expectSoundDatabase(server);
      report(rounds, finalBody, supplied);
      await supplied.stop();
    },
    60_000 + KILLS * 8_000,
  );
});

/** Lets it download and stream for a while; returns which pieces it had just before the kill. */
async function runAndKill(server: Torrx, supplied: Supply, runMs: number): Promise<Before> {
  const id = supplied.torrent.infoHash;
  const { files } = (await server.call<TorrentBody>("GET", `/api/torrents/${id}`)).body;
  const viewing = view(server, files[0]!, supplied.pathOf(0));
  await Bun.sleep(runMs);
  const [had, { body }] = await Promise.all([
    piecesOf(server, id),
    server.call<TorrentBody>("GET", `/api/torrents/${id}`),
  ]);
  await server.process.stop("SIGKILL");
  await viewing.ended;
  expect(viewing.wrongAt).toBeNull();
  return { had, downloaded: body.downloaded };
}

async function inspect(
  server: Torrx,
  supplied: Supply,
  before: Before & { healthyMs: number },
): Promise<Round> {
  const id = supplied.torrent.infoHash;
  expect(before.healthyMs).toBeLessThan(HEALTHY_MS);
  const { body: settings } = await server.call<{ max_concurrent_torrents: number }>("GET", "/api/settings");
  expect(settings.max_concurrent_torrents).toBe(7);
  const has = await firstPieces(server, id, before.had.includes(true));
  const shown = await server.waitFor(id, ({ status }) => status === "downloading", {
    withinMs: 5_000,
    what: "the download goes on by itself",
  });
  expect((shown as unknown as { max_upload_speed: number }).max_upload_speed).toBe(123_000);
  expect(shown.files.map((file) => file.is_selected)).toEqual([true, false]);
  const uncountedBytes = before.downloaded - shown.downloaded;
  expect(uncountedBytes).toBeLessThan(LOST_SEC * RATE);
  const path = join(server.downloads, "killed", "film.bin");
  const whole = has.slice(0, -5);
  expect(wrongPieces({ have: whole, path, original: supplied.pathOf(0), pieceBytes: PIECE_BYTES })).toEqual(
    [],
  );
  const lost = before.had.filter((isHad, piece) => isHad && !has[piece]).length;
  const lostBytes = lost * PIECE_BYTES;
  expect(lostBytes).toBeLessThan(LOST_SEC * RATE);
  const hashedPieces = hashedBy(server);
  expect(hashedPieces).toBeLessThan(SAMPLE_PIECES + Math.ceil((6 * RATE + 64 * 1024 * 1024) / PIECE_BYTES));
  return { healthyMs: before.healthyMs, hashedPieces, lostBytes, uncountedBytes };
}

/** What it believes once its store is open: the check ends in one step, new pieces take longer than this looks. */
async function firstPieces(server: Torrx, id: string, isSome: boolean): Promise<boolean[]> {
  const endMs = performance.now() + HEALTHY_MS;
  for (;;) {
    const has = await piecesOf(server, id);
    if (!isSome || has.includes(true)) return has;
    if (performance.now() > endMs) throw new Error(`no piece is had after a kill\n${server.process.tail()}`);
    await Bun.sleep(5);
  }
}

function hashedBy(server: Torrx): number {
  return server.process.lines
    .filter((line) => line.includes('"data on disk was hashed"'))
    .reduce((sum, line) => sum + (JSON.parse(line) as { pieces: number }).pieces, 0);
}

function expectSoundDatabase(server: Torrx): void {
  const database = new Database(join(server.folder, "data", "torrx.db"), { readonly: true });
  expect(database.query("PRAGMA integrity_check").values()).toEqual([["ok"]]);
  database.close();
}

function report(rounds: readonly Round[], end: TorrentBody, { seeder, torrent }: Supply): void {
  const list = (of: (round: Round) => number) => rounds.map((round) => Math.round(of(round))).join(" ");
  console.log(`healthy after ms: ${list((round) => round.healthyMs)}`);
  console.log(`pieces hashed at start: ${list((round) => round.hashedPieces)}`);
  console.log(`KiB lost by each kill: ${list((round) => round.lostBytes / 1024)}`);
  console.log(`KiB not counted any more: ${list((round) => round.uncountedBytes / 1024)}`);
  const sentBytes = seeder.state?.uploaded ?? 0;
  console.log(
    `file ${torrent.lengthBytes} B; seeder sent ${sentBytes} B (× ${(sentBytes / torrent.lengthBytes).toFixed(3)}); downloaded says ${end.downloaded} B`,
  );
}
