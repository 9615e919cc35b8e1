// The clients whose download is measured. Each has the torrent and no peer when it is ready, so that the clock runs from
// the moment at which it hears of the seeders.

import { mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import type { PeerEnd } from "../support/actors/actor.ts";
import { LibtorrentPeer } from "../support/actors/libtorrent.ts";
import type { MadeTorrent } from "../support/torrent-maker.ts";
import { Torrx } from "../support/torrx.ts";

/** Both are looked at (libtorrent looks at itself) this often to see whether they are done. */
const LOOK_EVERY_MS = 50;

export interface Receiver {
  readonly pid: number;
  /** Where the file of the torrent will be. */
  readonly file: string;
  /** Resolves when the client says that it has all of it. */
  download(peers: readonly PeerEnd[], withinMs: number): Promise<void>;
  /** Ends it and removes what it wrote. */
  stop(): Promise<void>;
}

export const RECEIVERS = { torrx, libtorrent };
export type ReceiverName = keyof typeof RECEIVERS;

/** @param place a folder; the data goes below it. */
async function torrx(torrent: MadeTorrent, place: string): Promise<Receiver> {
  const folder = mkdtempSync(join(place, "torrx-"));
  const server = await Torrx.start({ folder });
  await server.upload(torrent.bytes);
  return {
    pid: server.process.pid,
    file: join(server.downloads, torrent.name),
    download: async (peers, withinMs) => {
      const magnet = torrent.magnet(peers.map(({ host, port }) => `${host}:${port}`));
      await server.call("POST", "/api/torrents", { magnet });
      await untilComplete(server, torrent, withinMs);
    },
    stop: async () => {
      await server.stop();
      rmSync(folder, { recursive: true });
    },
  };
}

/** Asked (about 1 ms of its CPU each time) only once the disk has it all. */
async function untilComplete(server: Torrx, torrent: MadeTorrent, withinMs: number): Promise<void> {
  const endMs = performance.now() + withinMs;
  const file = join(server.downloads, torrent.name);
  for (; !(isOnDisk(file, torrent.lengthBytes) && (await isComplete(server, torrent))); ) {
    if (performance.now() > endMs) throw new Error(`not complete within ${withinMs} ms`);
    await Bun.sleep(LOOK_EVERY_MS);
  }
}

function isOnDisk(file: string, lengthBytes: number): boolean {
  const status = statSync(file, { throwIfNoEntry: false });
  return status !== undefined && status.blocks * 512 >= lengthBytes;
}

async function isComplete(server: Torrx, { infoHash }: MadeTorrent): Promise<boolean> {
  const { body } = await server.call<{ progress: number }>("GET", `/api/torrents/${infoHash}`);
  return body.progress === 1;
}

async function libtorrent(torrent: MadeTorrent, place: string): Promise<Receiver> {
  const folder = join(place, "libtorrent");
  mkdirSync(folder);
  const { torrentPath } = torrent;
  const leecher = await LibtorrentPeer.start({
    torrentPath,
    saveFolder: folder,
    reportEveryMs: LOOK_EVERY_MS,
  });
  return {
    pid: leecher.process.pid,
    file: join(folder, torrent.name),
    download: async (peers, withinMs) => {
      for (const peer of peers) leecher.connect(peer);
      await leecher.waitForComplete(withinMs);
    },
    stop: async () => {
      await leecher.stop();
      rmSync(folder, { recursive: true });
    },
  };
}
