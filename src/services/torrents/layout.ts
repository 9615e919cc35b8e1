// From metadata to rows: what becomes known of a torrent with its info dictionary, by whichever way it came.

import type { FileRow, TorrentRow } from "../../db/index.ts";
import { type TorrentInfo, tryMagnet } from "../../metainfo/index.ts";
import type { TorrentEntry } from "./catalogue.ts";
import type { TorrentsContext } from "./context.ts";
import { pickDiskName } from "./disk-name.ts";
import { fileRowsOf } from "./file-choice.ts";

export interface KnownTorrent {
  readonly info: TorrentInfo;
  readonly layout: NonNullable<TorrentRow["layout"]>;
  readonly files: readonly FileRow[];
}

/** Picks the name on disk now; nothing may be awaited between this and entering it into the catalogue. */
export function layOut(
  context: Pick<TorrentsContext, "catalogue">,
  info: TorrentInfo,
  row: Pick<TorrentRow, "savePath" | "magnetUri">,
): KnownTorrent {
  const selectOnly = row.magnetUri === null ? null : (tryMagnet(row.magnetUri)?.selectOnly ?? null);
  const files = fileRowsOf(info, selectOnly);
  return {
    info,
    files,
    layout: {
      torrentName: info.name,
      diskName: pickDiskName(context.catalogue, info, row.savePath),
      isMultiFile: info.isMultiFile,
      isPrivate: info.isPrivate,
      totalSize: files.reduce((sum, { size }) => sum + size, 0),
    },
  };
}

/** The statements that store it; to be run in a transaction. */
export function storeKnown(
  { database }: Pick<TorrentsContext, "database">,
  row: TorrentRow,
  known: KnownTorrent,
): void {
  database.torrents.setLayout(row.id, known.layout);
  database.torrents.setChoices(row);
  database.files.replace(row.id, known.files);
  database.resume.putInfoBytes(row.id, known.info.infoBytes);
}

/** The row of a torrent whose metadata came: a name that the user chose stays. */
export function rowWith(entry: TorrentEntry, known: KnownTorrent): TorrentRow {
  const { row } = entry;
  return { ...row, layout: known.layout, name: row.isRenamed ? row.name : known.info.name };
}
