// Runs inside the small file system of db-full-disk.test.ts; prints what happened as JSON.

import { Database } from "bun:sqlite";
import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { TorrxError } from "../../src/base/errors.ts";
import { makeTorrent, settle, startRig } from "../unit/services/rig.ts";

const folder = process.argv[2] ?? "";
const ballast = join(folder, "ballast");
const GO = { paused: false };

function fillDisk(): void {
  const file = openSync(ballast, "w");
  try {
    for (;;) writeSync(file, Buffer.alloc(4_096, 1));
  } catch (error) {
    if ((error as { code?: string }).code !== "ENOSPC") throw error;
  } finally {
    closeSync(file);
  }
}

const codeOf = (error: unknown) => (error instanceof TorrxError ? error.code : String(error));

let rig = await startRig(folder);
const show = makeTorrent("Show", [
  ["a.mkv", 70],
  ["b.mkv", 30],
]);
await rig.services.torrents.addMagnet(show.magnet, GO);
fillDisk();

const refusals: string[] = [];
const later = makeTorrent("later");
for (let n = 0; refusals.length < 2 && n < 2_000; n++) {
  // The first few may still fit into what the write-ahead log has reserved.
  const filler = makeTorrent(`filler ${n}`);
  try {
    await rig.services.torrents.addTorrentFile(filler.bytes, GO);
    await rig.services.torrents.remove(filler.id, { deleteFiles: false });
  } catch (error) {
    refusals.push(codeOf(error));
  }
}
const state = { verified: new Uint8Array(300_000).fill(0xff), unsure: [], stamps: [], isClean: false };
rig.engine.emit({ type: "metadata", id: show.id, infoBytes: show.info.infoBytes });
rig.engine.emit({ type: "resume", id: show.id, state });
await settle();
rig.engine.setStats(show.id, { status: "downloading", downloadedBytes: 77, fileBytes: [10, 0] });
rig.clock.advance(60_000);
const whileFull = await rig.services.status.status();
const { torrent, files } = rig.services.torrents.get(show.id);

rmSync(ballast);
rig.clock.advance(60_000);
const after = await rig.services.status.status();
await rig.services.torrents.addTorrentFile(later.bytes, GO);
rig = await rig.restart();
const names = rig.services.torrents.list({ sort: "name" }).items.map(({ name }) => name);
const spec = rig.engine.specs.get(show.id);
const rows = rig.services.torrents.list({}).total;
await rig.close();
fillDisk();
rig = await startRig(folder);
const isListedOnFullDisk = rig.services.torrents.list({}).total === rows;
rmSync(ballast);
await rig.close();
const raw = new Database(join(folder, "torrx.db"), { readonly: true });
const integrity = raw.query<{ integrity_check: string }, []>("PRAGMA integrity_check").get()?.integrity_check;
raw.close(true);

console.log(
  JSON.stringify({
    refusals,
    warnings: whileFull.warnings.map(({ code }) => code),
    filesWhileFull: files.length,
    downloadedWhileFull: torrent.downloaded,
    warningsAfter: after.warnings.map(({ code }) => code),
    downloaded: spec?.downloadedBytes,
    names: names.filter((name) => !name.startsWith("filler")),
    resumeBytes: spec?.resume?.verified.length,
    isListedOnFullDisk,
    integrity,
  }),
);
