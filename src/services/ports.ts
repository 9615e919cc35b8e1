// The use-cases as the HTTP side calls them. Views are camelCase; api/dto turns them into the snake_case of PRODUCT §4.
// Every method may throw TorrxError; none echoes its input in a message.

import type { FileIndex, InfoHash, SafePath } from "../base/brand.ts";
import type { PeerRow, PriorityName, StreamRow, TorrentFault, TorrentStatus, Wait } from "../engine/port.ts";
import type { ReadableSource } from "../stream/ports.ts";
import type { TrackerState } from "../swarm/ports.ts";

export interface TorrentView {
  readonly id: InfoHash;
  readonly name: string;
  readonly status: TorrentStatus;
  readonly error: { readonly code: TorrentFault; readonly message: string } | null;
  readonly priority: PriorityName;
  readonly download: "all" | "watched";
  readonly progress: number;
  readonly checkProgress: number | null;
  /** null while the metadata is pending. */
  readonly totalSize: number | null;
  readonly downloaded: number;
  readonly uploaded: number;
  readonly ratio: number;
  readonly downloadSpeed: number;
  readonly uploadSpeed: number;
  readonly maxDownloadSpeed: number;
  readonly maxUploadSpeed: number;
  readonly peers: number;
  readonly seeds: number;
  readonly etaSec: number | null;
  readonly addedAtMs: number;
  readonly completedAtMs: number | null;
  readonly savePath: string;
  readonly wait: Wait | null;
}

export interface FileView {
  readonly index: FileIndex;
  readonly path: SafePath;
  readonly size: number;
  readonly isSelected: boolean;
  readonly isVideo: boolean;
  readonly isAudio: boolean;
  readonly priority: PriorityName;
  /** 0 … 1 */
  readonly progress: number;
}

export const TORRENT_SORTS = ["added_at", "name", "size", "progress", "download_speed"] as const;

export interface TorrentQuery {
  readonly status?: TorrentStatus;
  readonly search?: string;
  /** A leading "-" turns the order. Default "-added_at". */
  readonly sort?: string;
  readonly limit?: number;
  readonly offset?: number;
}

export interface TorrentPatch {
  readonly name?: string;
  readonly priority?: PriorityName;
  readonly download?: "all" | "watched";
  readonly maxDownloadSpeed?: number;
  readonly maxUploadSpeed?: number;
}

export interface FilePatch {
  readonly index: number;
  readonly isSelected?: boolean;
  readonly priority?: PriorityName;
}

export interface AddOptions {
  readonly paused: boolean;
}

export interface Added {
  readonly torrent: TorrentView;
  readonly isNew: boolean;
}

export interface TorrentsService {
  addMagnet(magnet: string, options: AddOptions): Promise<Added>;
  addTorrentFile(bytes: Uint8Array, options: AddOptions): Promise<Added>;
  /** Fetches an http(s) link behind the egress guard. */
  addUrl(url: string, options: AddOptions): Promise<Added>;
  list(query: TorrentQuery): { readonly items: readonly TorrentView[]; readonly total: number };
  get(id: InfoHash): { readonly torrent: TorrentView; readonly files: readonly FileView[] };
  patch(id: InfoHash, patch: TorrentPatch): Promise<TorrentView>;
  /** Rejects not_ready without metadata, validation for an index that is not there. */
  patchFiles(id: InfoHash, patches: readonly FilePatch[]): Promise<readonly FileView[]>;
  remove(id: InfoHash, options: { deleteFiles: boolean }): Promise<void>;
  pause(id: InfoHash): Promise<TorrentView>;
  resume(id: InfoHash): Promise<TorrentView>;
  recheck(id: InfoHash): Promise<TorrentView>;
  reannounce(id: InfoHash): Promise<TorrentView>;
  peers(id: InfoHash): Promise<readonly PeerRow[]>;
  trackers(id: InfoHash): Promise<readonly TrackerState[]>;
  pieces(
    id: InfoHash,
  ): Promise<{ readonly count: number; readonly lengthBytes: number; readonly have: Uint8Array }>;
}

export type { Wait } from "../engine/port.ts";

/** PRODUCT §4, the keys that exist so far. */
export interface Settings {
  readonly maxDownloadSpeed: number;
  readonly maxUploadSpeed: number;
  readonly maxConcurrentTorrents: number;
  readonly seedRatioLimit: number;
  readonly streamTokenTtlHours: number;
  /** Memory for one stream's window and for all of them, MiB. */
  readonly ramBufferMb: number;
  readonly ramTotalMb: number;
  /** Share of a window that lies ahead of its playhead. */
  readonly bufferAheadPercent: number;
  /** What segments last, about; of sessions that begin from now on. */
  readonly hlsSegmentDurationSec: number;
  readonly downloadDir: string;
}

export interface SettingsService {
  get(): Settings;
  /** Checks every value first (validation names the field), then stores and applies all. */
  update(patch: Partial<Settings>): Promise<Settings>;
}

/** A file as the byte path needs it. */
export interface StreamTarget {
  readonly torrent: InfoHash;
  readonly file: FileIndex;
  /** Last component of the path. */
  readonly name: string;
  readonly lengthBytes: number;
  /** Every byte is verified: served from disk without the engine. */
  readonly isComplete: boolean;
  /** Some byte is verified: there must be a file, which is made with its first byte. */
  readonly isBegun: boolean;
  readonly diskPath: string;
  /** Strong, with quotes; the same while incomplete and after. */
  readonly etag: string;
  readonly lastModifiedMs: number;
}

export interface StreamsService {
  /** Throws not_found (torrent or file), not_ready (metadata pending). */
  resolve(id: InfoHash, file: number): StreamTarget;
  /** Files of the torrent that a player can play, in path order. */
  playable(id: InfoHash): readonly StreamTarget[];
  /** Where the file begins in the torrent's bytes. Throws as resolve does. */
  startBytesOf(id: InfoHash, file: number): number;
  readonly source: ReadableSource;
}

/** What of a stream is in memory. */
export interface BufferView {
  readonly bytes: number;
  /** Without a hole from the playhead on and back, at the rate at which the viewer takes it. */
  readonly aheadSec: number;
  readonly behindSec: number;
  /** 0 … 1 of the reads; null before the first. */
  readonly hitRate: number | null;
}

export interface StreamView extends StreamRow {
  /** How it reaches its viewer. */
  readonly mode: "direct" | "hls";
  /** Where in the film its player is; null where it does not say. */
  readonly positionSec: number | null;
  /** null where it has no window: the file is complete, or the torrent does not run yet. */
  readonly window: BufferView | null;
}

export interface StatusView {
  readonly version: string;
  readonly uptimeSec: number;
  readonly downloadSpeed: number;
  readonly uploadSpeed: number;
  /** Windows and pieces in the making, and what they may take. */
  readonly ramUsedBytes: number;
  readonly ramCapBytes: number;
  /** Resident memory of the whole process. */
  readonly rssBytes: number;
  readonly diskFreeBytes: number;
  readonly diskTotalBytes: number;
  readonly warnings: readonly { readonly code: string; readonly message: string }[];
  readonly streams: readonly StreamView[];
}

export interface StatusService {
  status(): Promise<StatusView>;
}

export type LiveEvent =
  | { readonly type: "torrent_added" | "torrent_changed"; readonly torrent: TorrentView }
  | { readonly type: "torrent_removed"; readonly id: InfoHash };

export interface LiveEvents {
  /** Changes after the moment of the call; the caller takes its snapshot from TorrentsService.list right then. */
  subscribe(listener: (event: LiveEvent) => void): () => void;
}
