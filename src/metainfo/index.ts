// The door of metainfo: everything that others may use.

export {
  asBytes,
  asDict,
  asInteger,
  asList,
  asText,
  type BencodeDict,
  BencodeError,
  type BencodeInput,
  type BencodeLimits,
  type BencodeValue,
  type DecodedPrefix,
  decodeBencode,
  decodeBencodePrefix,
  type EntryListener,
  encodeBencode,
} from "./bencode.ts";
export { type DiskPlace, type DiskShape, filePathOf, torrentFolderOf } from "./disk-layout.ts";
export { type FileSpan, Geometry } from "./geometry.ts";
export { infoHashOf, parseInfoDict } from "./info-dict.ts";
export { magnetUriOf, parseMagnet, tryMagnet } from "./magnet.ts";
export { contentTypeOf, isAudio, isPlayable, isSubtitle, isVideo } from "./media-kind.ts";
export { safeComponent } from "./safe-path.ts";
export { encodeTorrentFile, parseTorrentFile } from "./torrent-file.ts";
export { checkedTiers, tryTrackerUrl } from "./tracker-url.ts";
export type { Magnet, Metainfo, TorrentFile, TorrentInfo } from "./types.ts";
