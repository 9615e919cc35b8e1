// The JSON of the REST API, as far as the page uses it: the server's own types, so that the two cannot drift apart.

import type { SettingsDto, StatusDto, StreamDto } from "../../../src/api/dto/status.ts";
import type { FileDto, TorrentDto, WaitDto } from "../../../src/api/dto/torrent.ts";

export type Torrent = TorrentDto;
export type Settings = SettingsDto;
export type Status = StatusDto;
export type Stream = StreamDto;
export type TorrentStatus = Torrent["status"];
export type Wait = NonNullable<WaitDto>;

/** `stream_url` is relative to the page's origin and carries its token; null for what gets no link. */
export type TorrentFile = FileDto;

export interface TorrentDetail extends Torrent {
  playlist_url: string;
  files: TorrentFile[];
}

/** What GET /api/stream/{id}/{file}/info tells. */
export interface StreamInfo {
  is_complete: boolean;
  size: number;
  wait: Wait | null;
}
