// A file as the byte path needs it: where it lies, whether it is whole, and the validators of its content. The content
// behind an info hash never changes, so neither do ETag and date, complete or not.

import type { InfoHash } from "../../base/brand.ts";
import { TorrxError } from "../../base/errors.ts";
import type { FileRow, TorrentRow, TorrxDatabase } from "../../db/index.ts";
import { filePathOf, isPlayable, parseInfoDict } from "../../metainfo/index.ts";
import type { ReadableSource } from "../../stream/ports.ts";
import type { StreamsService, StreamTarget } from "../ports.ts";
import type { Catalogue, ServedFile, TorrentEntry } from "../torrents/catalogue.ts";
import { hasFigures, statusOf } from "../torrents/view.ts";

const NATURAL = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

type Layout = NonNullable<TorrentRow["layout"]>;

export class Streams implements StreamsService {
  readonly source: ReadableSource;
  readonly #catalogue: Catalogue;
  readonly #database: Pick<TorrxDatabase, "resume">;

  constructor(catalogue: Catalogue, database: Pick<TorrxDatabase, "resume">, source: ReadableSource) {
    this.#catalogue = catalogue;
    this.#database = database;
    this.source = source;
  }

  resolve(id: InfoHash, index: number): StreamTarget {
    const { entry, layout } = this.#known(id);
    const { served } = entry;
    if (served !== null && served.index === index && served.row === entry.row) return targetOf(entry, served);
    const file = Number.isSafeInteger(index) ? this.#catalogue.fileOf(entry, index) : null;
    if (file === null) throw new TorrxError("not_found", "The torrent has no such file.");
    entry.served = servedOf(entry, layout, file);
    return targetOf(entry, entry.served);
  }

  startBytesOf(id: InfoHash, index: number): number {
    const { entry } = this.#known(id);
    entry.fileStarts ??= this.#readFileStarts(id);
    const startBytes = entry.fileStarts[index];
    if (startBytes === undefined) throw new TorrxError("not_found", "The torrent has no such file.");
    return startBytes;
  }

  playable(id: InfoHash): readonly StreamTarget[] {
    const { entry, layout } = this.#known(id);
    return this.#catalogue
      .filesOf(entry)
      .filter((file) => isPlayable(file.path))
      .sort(byPath)
      .map((file) => targetOf(entry, servedOf(entry, layout, file)));
  }

  /** From the metadata: the database's rows leave the pad files out. */
  #readFileStarts(id: InfoHash): readonly number[] {
    const infoBytes = this.#database.resume.infoBytes(id);
    if (infoBytes === null) throw new TorrxError("not_ready", "The torrent's files are not known yet.");
    return parseInfoDict(infoBytes).files.map((file) => file.offsetBytes);
  }

  #known(id: InfoHash): { readonly entry: TorrentEntry; readonly layout: Layout } {
    const entry = this.#catalogue.require(id);
    const { layout } = entry.row;
    if (layout === null) throw new TorrxError("not_ready", "The torrent's files are not known yet.");
    return { entry, layout };
  }
}

function servedOf({ row }: TorrentEntry, layout: Layout, file: FileRow): ServedFile {
  const shape = { name: layout.torrentName, isMultiFile: layout.isMultiFile };
  const place = { saveDirectory: row.savePath, diskName: layout.diskName };
  return {
    row,
    index: file.index,
    name: file.path.slice(file.path.lastIndexOf("/") + 1),
    lengthBytes: file.size,
    diskPath: filePathOf(shape, place, file),
    etag: `"${row.id}-${file.index}-${file.size}"`,
  };
}

function targetOf(entry: TorrentEntry, served: ServedFile): StreamTarget {
  const { index, name, lengthBytes, diskPath, etag } = served;
  return {
    torrent: entry.row.id,
    file: index,
    name,
    lengthBytes,
    isComplete: isComplete(entry, served),
    isBegun: hasFigures(entry.stats) && (entry.stats.fileBytes[index] ?? 0) > 0,
    diskPath,
    etag,
    lastModifiedMs: entry.row.addedAtMs,
  };
}

/** Only what the engine has verified in this run counts: files may have changed while the server was off. */
function isComplete(entry: TorrentEntry, { index, lengthBytes }: ServedFile): boolean {
  const { stats } = entry;
  if (!hasFigures(stats) || statusOf(entry) === "checking") return false;
  if (stats.fault === "data_conflict" || stats.fault === "disk_error") return false;
  return stats.fileBytes[index] === lengthBytes;
}

/** Folder by folder and with numbers as numbers: "E2" before "E10". */
function byPath(a: FileRow, b: FileRow): number {
  const [left, right] = [a.path.split("/"), b.path.split("/")];
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const order = NATURAL.compare(left[i] ?? "", right[i] ?? "");
    if (order !== 0) return order;
  }
  return left.length - right.length || a.index - b.index;
}
