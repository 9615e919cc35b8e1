// The list: filter, sort, page. Works on entries and makes views of the one page only, so 1,000 torrents cost about a
// millisecond.

import { TorrxError } from "../../base/errors.ts";
import { TORRENT_SORTS, type TorrentQuery, type TorrentView } from "../ports.ts";
import { type Catalogue, foldText, type TorrentEntry } from "./catalogue.ts";
import { progressOf, statusOf, torrentView } from "./view.ts";

type SortKey = (typeof TORRENT_SORTS)[number];
type Compare = (a: TorrentEntry, b: TorrentEntry) => number;

const NATURAL = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

const COMPARE: Readonly<Record<SortKey, Compare>> = {
  added_at: (a, b) => a.row.addedAtMs - b.row.addedAtMs,
  name: (a, b) => NATURAL.compare(a.row.name, b.row.name),
  size: (a, b) => (a.row.layout?.totalSize ?? 0) - (b.row.layout?.totalSize ?? 0),
  progress: (a, b) => progressOf(a) - progressOf(b),
  download_speed: (a, b) => (a.stats?.downloadSpeed ?? 0) - (b.stats?.downloadSpeed ?? 0),
};

/** Throws validation for an unknown sort key or a page that is none. */
export function queryTorrents(
  catalogue: Catalogue,
  query: TorrentQuery,
): { readonly items: readonly TorrentView[]; readonly total: number } {
  const compare = comparatorOf(query.sort ?? "-added_at");
  const offset = pageNumber("offset", query.offset ?? 0);
  const limit = query.limit === undefined ? Number.POSITIVE_INFINITY : pageNumber("limit", query.limit);
  const matching = [...catalogue.values()].filter(filterOf(query)).sort(compare);
  return { items: matching.slice(offset, offset + limit).map(torrentView), total: matching.length };
}

function filterOf({ status, search }: TorrentQuery): (entry: TorrentEntry) => boolean {
  const words = foldText(search ?? "")
    .split(/\s+/)
    .filter((word) => word !== "");
  return (entry) =>
    (status === undefined || statusOf(entry) === status) &&
    words.every((word) => entry.foldedName.includes(word));
}

function comparatorOf(sort: string): Compare {
  const isDescending = sort.startsWith("-");
  const key = isDescending ? sort.slice(1) : sort;
  if (!isSortKey(key)) {
    throw new TorrxError(
      "validation",
      `sort must be one of ${TORRENT_SORTS.join(", ")}, "-" before it to turn it.`,
    );
  }
  const compare = COMPARE[key];
  const sign = isDescending ? -1 : 1;
  // The id decides between equals, so that pages do not shift.
  return (a, b) => sign * compare(a, b) || (a.row.id < b.row.id ? -1 : 1);
}

function isSortKey(key: string): key is SortKey {
  return (TORRENT_SORTS as readonly string[]).includes(key);
}

function pageNumber(field: string, value: number): number {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new TorrxError("validation", `${field} must be a whole number, 0 or more.`);
  }
  return value;
}
