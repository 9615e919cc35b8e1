// The info dictionary (BEP 3, 27, 47; BEP 52 hybrids by their v1 part) with every check of its bounds. What leaves
// here can be trusted: pieces cover the files exactly, paths are safe, sums are exact integers.

import { createHash } from "node:crypto";
import { type FileIndex, type InfoHash, type SafePath, tryInfoHash } from "../base/brand.ts";
import { TorrxError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import {
  asBytes,
  asDict,
  asInteger,
  asList,
  asText,
  type BencodeDict,
  BencodeError,
  type BencodeValue,
  decodeBencode,
} from "./bencode.ts";
import { PathAllocator, safeComponent, safePathOf } from "./safe-path.ts";
import type { TorrentFile, TorrentInfo } from "./types.ts";

const SHA1_BYTES = 20;
const { metainfo: BOUNDS } = LIMITS;

/**
 * The torrent that the raw bytes of an info dictionary describe; they are copied. The info hash is the SHA-1 of
 * exactly these bytes, canonical or not. Throws TorrxError invalid_torrent.
 */
export function parseInfoDict(infoBytes: Uint8Array): TorrentInfo {
  if (infoBytes.length > BOUNDS.torrentFileBytes) throw invalid("This torrent is too large.");
  const raw = infoBytes.slice();
  const info = asDict(decodeTorrentBytes(raw));
  if (info === null) throw invalid("This torrent's info is not a dictionary.");
  const pieceHashes = pieceHashesOf(info);
  const name = textOf(info, "name");
  if (name === null) throw invalid("This torrent has no name.");
  const safeName = safeComponent(name);
  const entries = asList(info.get("files"));
  const files = entries === null ? [singleFile(info, safeName)] : multipleFiles(entries);
  const totalBytes = files.reduce((sum, file) => sum + file.lengthBytes, 0);
  const pieceLengthBytes = pieceLengthOf(info);
  const pieceCount = pieceHashes.length / SHA1_BYTES;
  if (totalBytes === 0) throw invalid("This torrent holds no data.");
  if (pieceCount !== Math.ceil(totalBytes / pieceLengthBytes)) {
    throw invalid("The number of pieces does not fit the size of this torrent's files.");
  }
  return {
    infoHash: infoHashOf(raw),
    name: safeName,
    pieceLengthBytes,
    pieceCount,
    pieceHashes,
    totalBytes,
    files,
    isMultiFile: entries !== null,
    isPrivate: (asInteger(info.get("private")) ?? 0) !== 0,
    infoBytes: raw,
  };
}

/** The value of `bytes` within the limits for torrents. Throws TorrxError invalid_torrent. */
export function decodeTorrentBytes(
  bytes: Uint8Array,
  onEntry?: (depth: number, key: string, startOffset: number, endOffset: number) => void,
): BencodeValue {
  try {
    return decodeBencode(bytes, { maxTokens: BOUNDS.tokens, maxDepth: BOUNDS.depth }, onEntry);
  } catch (error) {
    if (error instanceof BencodeError) throw invalid("This is not a valid torrent file.", error);
    throw error;
  }
}

export function invalid(message: string, cause?: unknown): TorrxError {
  return new TorrxError("invalid_torrent", message, { cause });
}

export function infoHashOf(infoBytes: Uint8Array): InfoHash {
  const hash = tryInfoHash(createHash("sha1").update(infoBytes).digest("hex"));
  if (hash === null) throw new TorrxError("internal", "SHA-1 gave no info hash.");
  return hash;
}

function pieceHashesOf(info: BencodeDict): Uint8Array {
  const hashes = asBytes(info.get("pieces"));
  if (hashes === null) {
    const isV2 = info.has("file tree") || asInteger(info.get("meta version")) === 2;
    throw invalid(
      isV2
        ? "This is a BitTorrent v2 torrent without a v1 part, which is not supported."
        : "This torrent has no piece hashes.",
    );
  }
  if (hashes.length % SHA1_BYTES !== 0) throw invalid("This torrent's piece hashes are damaged.");
  if (hashes.length > BOUNDS.pieces * SHA1_BYTES) throw invalid("This torrent has too many pieces.");
  return hashes;
}

function pieceLengthOf(info: BencodeDict): number {
  const length = asInteger(info.get("piece length"));
  if (length === null || length < BOUNDS.pieceBytesMin || length > BOUNDS.pieceBytesMax) {
    throw invalid("This torrent's piece length is missing or out of range.");
  }
  return length;
}

function singleFile(info: BencodeDict, name: SafePath): TorrentFile {
  if (!info.has("length")) throw invalid("This torrent names no files.");
  return { index: 0 as FileIndex, path: name, offsetBytes: 0, lengthBytes: lengthOf(info), isPad: false };
}

function multipleFiles(entries: readonly BencodeValue[]): TorrentFile[] {
  if (entries.length === 0) throw invalid("This torrent names no files.");
  if (entries.length > BOUNDS.files) throw invalid("This torrent has too many files.");
  const paths = new PathAllocator();
  let offsetBytes = 0;
  return entries.map((entry, index) => {
    const file = fileOf(entry, { index, offsetBytes, paths });
    offsetBytes += file.lengthBytes;
    if (!Number.isSafeInteger(offsetBytes)) throw invalid("This torrent is too large.");
    return file;
  });
}

function fileOf(
  entry: BencodeValue,
  place: { index: number; offsetBytes: number; paths: PathAllocator },
): TorrentFile {
  const dict = asDict(entry);
  if (dict === null) throw invalid("This torrent's list of files is damaged.");
  const attributes = asText(dict.get("attr")) ?? "";
  // BEP 47: a symlink takes no room in the torrent. It is never made; its entry stays, hidden like a pad, so that
  // the indices of the files behind it are the same as in other clients.
  const isSymlink = attributes.includes("l");
  const isPad = isSymlink || attributes.includes("p");
  const components = componentsOf(dict);
  return {
    index: place.index as FileIndex,
    path: isPad ? safePathOf(components) : place.paths.allocate(components),
    offsetBytes: place.offsetBytes,
    lengthBytes: isSymlink ? 0 : lengthOf(dict),
    isPad,
  };
}

function componentsOf(file: BencodeDict): string[] {
  const list = asList(file.get("path.utf-8")) ?? asList(file.get("path"));
  if (list === null || list.length === 0) throw invalid("A file of this torrent has no path.");
  return list.map((component) => {
    const text = asText(component);
    if (text === null) throw invalid("A file of this torrent has no valid path.");
    return text;
  });
}

function lengthOf(file: BencodeDict): number {
  const length = asInteger(file.get("length"));
  if (length === null || length < 0) throw invalid("A file of this torrent has no valid length.");
  return length;
}

function textOf(dict: BencodeDict, key: string): string | null {
  return asText(dict.get(`${key}.utf-8`)) ?? asText(dict.get(key));
}
