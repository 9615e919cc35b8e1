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

/** How far a quality goes up: "original" is the picture of the file. */
export type Quality = "original" | "720" | "480";

/** What a browser can play, as POST …/session takes it. */
export interface Caps {
  readonly mse: boolean;
  readonly native_hls: boolean;
  readonly types: readonly { readonly type: string; readonly plays: boolean }[];
  readonly hdr?: readonly ("hdr10" | "hlg" | "dolby_vision")[];
}

export interface SessionWish {
  readonly caps: Caps;
  readonly position_sec: number;
  readonly quality: Quality | "all";
  readonly audio?: number;
  /** "hls": never the file itself. */
  readonly mode?: "auto" | "hls";
}

export interface Reason {
  readonly code: string;
  /** A sentence. */
  readonly message: string;
  /** v0, a1, s2; null for the file as a whole. */
  readonly track: string | null;
}

/** What POST /api/stream/{id}/{file}/session answers. */
export interface PlaySession {
  readonly session: string;
  readonly mode: "direct" | "remux" | "transcode";
  /** false: it is sent as it is for want of anything better; another player may play it. */
  readonly is_playable: boolean;
  /** A path. */
  readonly url: string;
  readonly reasons: readonly Reason[];
  readonly quality: Quality;
  /** What can be had as HLS, best first. */
  readonly qualities: readonly Quality[];
  /** The track that plays first. */
  readonly audio: number | null;
}

export interface AudioTrack {
  readonly index: number;
  readonly language: string | null;
  readonly codec: string;
  readonly channels: number;
  readonly title: string | null;
}

export interface SubtitleTrack {
  readonly index: number;
  readonly language: string | null;
  readonly title: string | null;
  readonly codec: string;
  readonly forced: boolean;
  /** false: pictures, which a browser cannot show. */
  readonly available: boolean;
}

export interface Tracks {
  readonly video: { readonly width: number; readonly height: number } | null;
  readonly audio: readonly AudioTrack[];
  readonly subtitles: readonly SubtitleTrack[];
}

/** What GET /api/stream/{id}/{file}/info tells. */
export interface StreamInfo {
  readonly is_complete: boolean;
  readonly size: number;
  readonly wait: Wait | null;
  /** null as long as nobody has looked into the file. */
  readonly tracks: Tracks | null;
}
