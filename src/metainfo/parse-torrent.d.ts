// parse-torrent ships no types: the part of version 11 that metainfo uses.
declare module "parse-torrent" {
  export interface ParsedMagnet {
    infoHash: string;
    name?: string | string[];
    announce: string[];
    peerAddresses: string[];
    so?: number[];
  }

  export interface ParsedTorrentFile {
    infoHash: string;
    name: string;
    private?: boolean;
    announce: string[];
    files: { path: string; name: string; length: number; offset: number }[];
    length: number;
    pieceLength: number;
    pieces: string[];
  }

  export interface MagnetParts {
    infoHash: string;
    name?: string;
    announce?: string[];
    peerAddresses?: string[];
  }

  /** For a magnet the promise is settled when it is returned; bad input rejects. */
  function parseTorrent(magnet: string): Promise<ParsedMagnet>;
  function parseTorrent(torrentFile: Uint8Array): Promise<ParsedTorrentFile>;

  // biome-ignore lint/style/noDefaultExport: that is what the package exports
  export { parseTorrent as default };

  export function toMagnetURI(parts: MagnetParts): string;
}
