// What a torrent is made of, after every check of ENGINE §5 has passed. Values of these types are trusted.

import type { PeerAddress } from "../base/address.ts";
import type { FileIndex, InfoHash, SafePath } from "../base/brand.ts";

export interface TorrentFile {
  readonly index: FileIndex;
  /** Relative to the torrent's own folder (multi-file) or to the download folder (single file). */
  readonly path: SafePath;
  readonly offsetBytes: number;
  readonly lengthBytes: number;
  /** A BEP 47 pad file (zeros) or symlink (no bytes at all): never created on disk, never shown. */
  readonly isPad: boolean;
}

/** The info dictionary: all that is needed to download. */
export interface TorrentInfo {
  readonly infoHash: InfoHash;
  /** Fit for a file system: one path component. */
  readonly name: SafePath;
  readonly pieceLengthBytes: number;
  readonly pieceCount: number;
  /** SHA-1 of each piece, 20 bytes each, in order. */
  readonly pieceHashes: Uint8Array;
  readonly totalBytes: number;
  readonly files: readonly TorrentFile[];
  /** True where files lie in a folder of the torrent's name. */
  readonly isMultiFile: boolean;
  /** BEP 27. */
  readonly isPrivate: boolean;
  /** The raw bencoded dictionary whose SHA-1 is the info hash. */
  readonly infoBytes: Uint8Array;
}

/** A whole .torrent file. */
export interface Metainfo {
  readonly info: TorrentInfo;
  /** BEP 12 tiers of announce URLs, syntax checked, at most LIMITS.metainfo.trackers in all. */
  readonly trackers: readonly (readonly string[])[];
}

export interface Magnet {
  readonly infoHash: InfoHash;
  /** dn, fit for display and for one path component; null where absent. */
  readonly displayName: SafePath | null;
  readonly trackers: readonly (readonly string[])[];
  /** x.pe: addresses only (names are dropped). */
  readonly peers: readonly PeerAddress[];
  /** BEP 53 so=: inclusive ranges of file indices, not expanded; null where absent. */
  readonly selectOnly: readonly (readonly [number, number])[] | null;
}
