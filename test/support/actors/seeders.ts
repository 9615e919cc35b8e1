// The three clients that TorrX must get on with, each as the seeder of a made torrent: for tests that run once for each.

import type { MadeTorrent } from "../torrent-maker.ts";
import type { Actor } from "./actor.ts";
import { LibtorrentPeer } from "./libtorrent.ts";
import { QbittorrentPeer } from "./qbittorrent.ts";
import { TransmissionPeer } from "./transmission.ts";

export interface SeederLimits {
  /** Bytes/s. */
  readonly uploadLimit?: number;
}

type StartSeeder = (torrent: MadeTorrent, limits?: SeederLimits) => Promise<Actor>;

export const SEEDERS: Readonly<Record<"libtorrent" | "qbittorrent" | "transmission", StartSeeder>> = {
  libtorrent: ({ torrentPath, dataFolder }, limits = {}) =>
    LibtorrentPeer.start({ torrentPath, saveFolder: dataFolder, seed: true, ...limits }),
  qbittorrent: ({ torrentPath, dataFolder }, limits = {}) =>
    QbittorrentPeer.start({ torrentPath, saveFolder: dataFolder, isSeed: true, ...limits }),
  transmission: ({ torrentPath, dataFolder }, limits = {}) =>
    TransmissionPeer.seed({ torrentPath, saveFolder: dataFolder, ...limits }),
};
