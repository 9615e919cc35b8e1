// A file as the byte path needs it: where it lies, whether it is whole, and the validators of its content. The content
// behind an info hash never changes, so neither do ETag and date, complete or not.

import type { FileIndex, InfoHash } from "../../base/brand.ts";
import { TorrxError } from "../../base/errors.ts";
import type { FileRow, TorrentRow, TorrxDatabase } from "../../db/index.ts";
import { filePathOf, isPlayable, parseInfoDict } from "../../metainfo/index.ts";
import type { ReadableSource } from "../../stream/ports.ts";
import type { StreamsService, StreamTarget } from "../ports.ts";
import type { Catalogue, TorrentEntry } from "../torrents/catalogue.ts";
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
    const file = Number.isSafeInteger(index) ? this.#catalogue.fileOf(entry, index) : null;
    if (file === null) throw new TorrxError("not_found", "The torrent has no such file.");
    return targetOf(entry, layout, file);
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
      .map((file) => targetOf(entry, layout, file));
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

function targetOf(entry: TorrentEntry, layout: Layout, file: FileRow): StreamTarget {
  const { id, savePath, addedAtMs } = entry.row;
  const shape = { name: layout.torrentName, isMultiFile: layout.isMultiFile };
  const place = { saveDirectory: savePath, diskName: layout.diskName };
  return {
    torrent: id,
    file: file.index as FileIndex,
    name: file.path.slice(file.path.lastIndexOf("/") + 1),
    lengthBytes: file.size,
    isComplete: isComplete(entry, file),
    isBegun: hasFigures(entry.stats) && (entry.stats.fileBytes[file.index] ?? 0) > 0,
    diskPath: filePathOf(shape, place, file),
    etag: `"${id}-${file.index}-${file.size}"`,
    lastModifiedMs: addedAtMs,
  };
}

/** Only what the engine has verified in this run counts: files may have changed while the server was off. */
function isComplete(entry: TorrentEntry, file: FileRow): boolean {
  const { stats } = entry;
  if (!hasFigures(stats) || statusOf(entry) === "checking") return false;
  if (stats.fault === "data_conflict" || stats.fault === "disk_error") return false;
  return stats.fileBytes[file.index] === file.size;
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
