// Torrents that libtorrent made, read by us and by libtorrent. No network.

import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeTorrentFile, parseTorrentFile } from "../../../src/metainfo/index.ts";

interface Made {
  readonly kind: string;
  readonly torrent: string;
  readonly read: {
    readonly hash: string;
    readonly name: string;
    readonly pieceLength: number;
    readonly pieceCount: number;
    readonly total: number;
    readonly isPrivate: boolean;
    readonly files: readonly {
      path: string;
      size: number;
      offset: number;
      isPad: boolean;
      isSymlink: boolean;
    }[];
  };
}

const folder = mkdtempSync(join(tmpdir(), "torrx-torrents-"));
afterAll(() => rmSync(folder, { recursive: true }));

const child = Bun.spawnSync(["/usr/bin/python3", join(import.meta.dir, "make-torrents.py"), folder], {
  stderr: "inherit",
});
const made: readonly Made[] = JSON.parse(child.stdout.toString());

describe("torrents made by libtorrent", () => {
  test("there are some of each kind", () => {
    expect(made).toHaveLength(10);
  });

  for (const { kind, torrent, read } of made) {
    const bytes = new Uint8Array(Buffer.from(torrent, "base64"));
    if (kind === "v2 only") {
      test(`${kind}, ${read.name}: refused with words that say so`, () => {
        expect(() => parseTorrentFile(bytes)).toThrow(/v2/);
      });
      continue;
    }
    test(`${kind}, ${read.name}: both read the same`, () => {
      const { info, trackers } = parseTorrentFile(bytes);
      expect({
        hash: info.infoHash as string,
        name: info.name as string,
        pieceLength: info.pieceLengthBytes,
        pieceCount: info.pieceCount,
        total: info.totalBytes,
        isPrivate: info.isPrivate,
      }).toEqual({
        hash: read.hash,
        name: read.name,
        pieceLength: read.pieceLength,
        pieceCount: read.pieceCount,
        total: read.total,
        isPrivate: read.isPrivate,
      });
      const prefix = info.isMultiFile ? `${info.name}/` : "";
      const named = (files: readonly { path: string; size: number; offset: number; isHidden: boolean }[]) =>
        files.map(({ path, ...rest }) => ({ ...rest, path: rest.isHidden ? "" : path }));
      expect(
        named(
          info.files.map((file) => ({
            path: prefix + file.path,
            size: file.lengthBytes,
            offset: file.offsetBytes,
            isHidden: file.isPad,
          })),
        ),
      ).toEqual(
        named(
          read.files.map((file) => ({
            path: file.path,
            size: file.size,
            offset: file.offset,
            isHidden: file.isPad || file.isSymlink,
          })),
        ),
      );
      expect(trackers).toEqual([
        ["http://one.example/announce?passkey=abc"],
        ["udp://two.example:6969/announce"],
      ]);
      expect(parseTorrentFile(encodeTorrentFile(info, trackers)).info.infoHash).toBe(info.infoHash);
    });
  }
});
