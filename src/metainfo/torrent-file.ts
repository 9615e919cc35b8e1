// A whole .torrent file, read and written. The raw bytes of the info dictionary pass through untouched both ways, so
// that the info hash stays what it is even where the dictionary is not canonical.

import { LIMITS } from "../base/limits.ts";
import { asDict, asList, asText, type BencodeDict, type BencodeValue, encodeBencode } from "./bencode.ts";
import { decodeTorrentBytes, invalid, parseInfoDict } from "./info-dict.ts";
import { checkedTiers } from "./tracker-url.ts";
import type { Metainfo, TorrentInfo } from "./types.ts";

/** The torrent in `bytes`, which may be reused afterwards. Throws TorrxError invalid_torrent. */
export function parseTorrentFile(bytes: Uint8Array): Metainfo {
  if (bytes.length > LIMITS.metainfo.torrentFileBytes) throw invalid("This torrent file is too large.");
  const raw: Uint8Array[] = [];
  const root = asDict(
    decodeTorrentBytes(bytes, (depth, key, startOffset, endOffset) => {
      if (depth === 0 && key === "info") raw.push(bytes.subarray(startOffset, endOffset));
    }),
  );
  const infoBytes = raw[0];
  if (root === null || infoBytes === undefined) throw invalid("This is not a torrent file.");
  return { info: parseInfoDict(infoBytes), trackers: trackersOf(root) };
}

/** BEP 12: `announce` counts only where there is no usable list. */
function trackersOf(root: BencodeDict): string[][] {
  const tiers = asList(root.get("announce-list"))?.map(textsOf) ?? [];
  const checked = checkedTiers(tiers);
  if (checked.length > 0) return checked;
  return checkedTiers([textsOf(root.get("announce"))]);
}

/** A string alone stands for a list of one. */
function textsOf(value: BencodeValue | undefined): string[] {
  const items = asList(value) ?? (value === undefined ? [] : [value]);
  return items.map(asText).filter((text) => text !== null);
}

/** A .torrent file for `info` that announces to `trackers` (tiers, BEP 12). */
export function encodeTorrentFile(
  info: Pick<TorrentInfo, "infoBytes">,
  trackers: readonly (readonly string[])[],
): Uint8Array {
  const first = trackers[0]?.[0];
  const announce = encodeBencode({
    announce: first,
    "announce-list": first === undefined ? undefined : trackers,
  });
  // Spliced, not encoded: "info" sorts behind both keys, and its bytes must stay as they are.
  return new Uint8Array(
    Buffer.concat([announce.subarray(0, -1), Buffer.from("4:info"), info.infoBytes, Buffer.from("e")]),
  );
}
