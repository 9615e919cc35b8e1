// .torrent files of tests, made from what lies on the disk (BEP 3).

import { readdirSync, statSync, writeFileSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { type BencodeInput, encodeBencode } from "../../src/metainfo/bencode.ts";
import { tmpFolder } from "./tmp.ts";

export interface TorrentOptions {
  readonly pieceBytes?: number;
  readonly trackers?: readonly (readonly string[])[];
  readonly isPrivate?: boolean;
  /** Name in the torrent; the file or folder on disk must have it too where a client is to seed it. */
  readonly name?: string;
}

export interface MadeTorrent {
  /** The whole .torrent. */
  readonly bytes: Uint8Array;
  readonly infoBytes: Uint8Array;
  /** 40 lower-case hex digits. */
  readonly infoHash: string;
  readonly name: string;
  readonly lengthBytes: number;
  readonly pieceBytes: number;
  readonly files: readonly { readonly path: string; readonly lengthBytes: number }[];
  /** A .torrent file with `bytes`. */
  readonly torrentPath: string;
  /** Folder that holds the file or folder of the torrent: where a seeder finds its data. */
  readonly dataFolder: string;
  /** A magnet link, with x.pe for each of `peers` ("host:port"). */
  magnet(peers?: readonly string[]): string;
}

/** A torrent of the file or folder at `path`; files of a folder in the order of their paths. */
export async function makeTorrent(path: string, options: TorrentOptions = {}): Promise<MadeTorrent> {
  const pieceBytes = options.pieceBytes ?? 256 * 1024;
  const name = options.name ?? basename(path);
  const isFolder = statSync(path).isDirectory();
  const files = isFolder ? filesBelow(path) : [{ path: name, lengthBytes: statSync(path).size }];
  const sources = isFolder ? files.map((file) => join(path, file.path)) : [path];
  const content: BencodeInput = isFolder
    ? { files: files.map((file) => ({ length: file.lengthBytes, path: file.path.split("/") })) }
    : { length: files[0]?.lengthBytes ?? 0 };
  const infoBytes = encodeBencode({
    ...(content as { [key: string]: BencodeInput }),
    name: Buffer.from(name),
    "piece length": pieceBytes,
    pieces: await pieceHashes(sources, pieceBytes),
    private: options.isPrivate ? 1 : undefined,
  });
  return describeTorrent({ infoBytes, name, files, pieceBytes, dataFolder: join(path, "..") }, options);
}

function describeTorrent(
  made: Pick<MadeTorrent, "infoBytes" | "name" | "files" | "pieceBytes" | "dataFolder">,
  options: TorrentOptions,
): MadeTorrent {
  const trackers = options.trackers ?? [];
  const infoHash = new Bun.CryptoHasher("sha1").update(made.infoBytes).digest("hex");
  const bytes = wrapInfo(made.infoBytes, trackers);
  const torrentPath = join(tmpFolder("torrent"), `${infoHash}.torrent`);
  writeFileSync(torrentPath, bytes);
  return {
    ...made,
    bytes,
    infoHash,
    torrentPath,
    lengthBytes: made.files.reduce((sum, file) => sum + file.lengthBytes, 0),
    magnet: (peers = []) => {
      const parts = [`magnet:?xt=urn:btih:${infoHash}`, `dn=${encodeURIComponent(made.name)}`];
      for (const tracker of trackers.flat()) parts.push(`tr=${encodeURIComponent(tracker)}`);
      for (const peer of peers) parts.push(`x.pe=${encodeURIComponent(peer)}`);
      return parts.join("&");
    },
  };
}

/** Puts the raw info dictionary in place, so that its hash is that of its bytes. */
function wrapInfo(infoBytes: Uint8Array, trackers: readonly (readonly string[])[]): Uint8Array {
  const head = trackers[0]?.[0] === undefined ? {} : { announce: trackers[0][0], "announce-list": trackers };
  const outer = encodeBencode(head);
  return new Uint8Array(
    Buffer.concat([outer.subarray(0, -1), Buffer.from("4:info"), infoBytes, Buffer.from("e")]),
  );
}

function filesBelow(folder: string): { path: string; lengthBytes: number }[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((path) => ({ path: relative(folder, path), lengthBytes: statSync(path).size }));
}

async function pieceHashes(sources: readonly string[], pieceBytes: number): Promise<Uint8Array> {
  const hashes: Uint8Array[] = [];
  let hasher = new Bun.CryptoHasher("sha1");
  let filled = 0;
  const finishPiece = () => {
    hashes.push(hasher.digest());
    hasher = new Bun.CryptoHasher("sha1");
    filled = 0;
  };
  for (const source of sources) {
    for await (const chunk of Bun.file(source).stream()) {
      for (let at = 0; at < chunk.length; ) {
        const part = chunk.subarray(at, at + pieceBytes - filled);
        hasher.update(part);
        filled += part.length;
        at += part.length;
        if (filled === pieceBytes) finishPiece();
      }
    }
  }
  if (filled > 0) finishPiece();
  return new Uint8Array(Buffer.concat(hashes));
}

/** SHA-256 of a file, lower-case hex. */
export async function sha256OfFile(path: string): Promise<string> {
  const hasher = new Bun.CryptoHasher("sha256");
  for await (const chunk of Bun.file(path).stream()) hasher.update(chunk);
  return hasher.digest("hex");
}
