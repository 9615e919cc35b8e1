// The engine as services see it: commands in, events out, every argument and result a plain message that could
// cross a thread. Piece bytes never pass here.

import type { PeerAddress } from "../base/address.ts";
import type { InfoHash } from "../base/brand.ts";
import type { ResumeState, StoreFault } from "../store/ports.ts";
import type { ReadableSource } from "../stream/ports.ts";
import type { TrackerState } from "../swarm/ports.ts";

export type TorrentStatus =
  | "metadata"
  | "queued"
  | "checking"
  | "downloading"
  | "seeding"
  | "completed"
  | "paused"
  | "error";

export type TorrentFault = StoreFault | "metadata_invalid" | "internal";

export type PriorityName = "low" | "normal" | "high";

export interface FileChoice {
  readonly isSelected: boolean;
  readonly priority: PriorityName;
}

/** All that a torrent needs to run; given once at add and again at every start. */
export interface TorrentSpec {
  readonly id: InfoHash;
  /** The raw info dictionary, null for a magnet whose metadata is still to come. */
  readonly infoBytes: Uint8Array | null;
  readonly trackers: readonly (readonly string[])[];
  /** x.pe addresses of the magnet. */
  readonly peers: readonly PeerAddress[];
  /** Folder that holds the torrent's file or folder. */
  readonly saveDirectory: string;
  /** Replaces the torrent's own name on disk where another torrent has it; null = its own. */
  readonly diskName: string | null;
  readonly isPaused: boolean;
  readonly priority: PriorityName;
  readonly download: "all" | "watched";
  /** By file index; empty = everything selected, normal. */
  readonly files: readonly FileChoice[];
  /** Bytes/s, 0 = none. */
  readonly maxDownloadSpeed: number;
  readonly maxUploadSpeed: number;
  readonly downloadedBytes: number;
  readonly uploadedBytes: number;
  readonly addedAtMs: number;
  readonly completedAtMs: number | null;
  readonly resume: ResumeState | null;
}

/**
 * What of a torrent can be changed while it runs. `trackers` replaces the whole list; known ones keep their state.
 * `peers` join those that are known; a private torrent does not take them.
 */
export type TorrentChange = Partial<
  Pick<
    TorrentSpec,
    | "isPaused"
    | "priority"
    | "download"
    | "files"
    | "maxDownloadSpeed"
    | "maxUploadSpeed"
    | "trackers"
    | "peers"
  >
>;

export interface EngineSettings {
  readonly maxDownloadSpeed: number;
  readonly maxUploadSpeed: number;
  readonly maxConcurrentTorrents: number;
  readonly seedRatioLimit: number;
  /** Memory of one stream's window, and of all windows together. */
  readonly ramBufferBytes: number;
  readonly ramTotalBytes: number;
  readonly bufferAheadPercent: number;
}

/** Why something waits (UI §3.5). */
export type WaitCode =
  | "META_SEARCH"
  | "META_FETCH"
  | "NO_PEERS"
  | "CHOKED"
  | "PART_MISSING"
  | "HEAD_TAIL"
  | "SEEK_FETCH"
  | "SLOW_SWARM"
  | "DISK_FULL";

export interface Wait {
  readonly code: WaitCode;
  /** Wall clock. */
  readonly sinceMs: number;
  readonly haveBytes: number | null;
  readonly needBytes: number | null;
  readonly rate: number | null;
  readonly peers: { readonly connected: number; readonly known: number; readonly unchoked: number };
}

export interface TorrentStats {
  readonly id: InfoHash;
  readonly status: TorrentStatus;
  readonly fault: TorrentFault | null;
  readonly faultDetail: string | null;
  /** 0 … 1 of the selected bytes. */
  readonly progress: number;
  /** Share of a check that runs, else null. */
  readonly checkProgress: number | null;
  readonly downloadedBytes: number;
  readonly uploadedBytes: number;
  readonly downloadSpeed: number;
  readonly uploadSpeed: number;
  readonly peers: number;
  readonly seeds: number;
  readonly etaSec: number | null;
  readonly wait: Wait | null;
  /** Verified bytes of each file. */
  readonly fileBytes: readonly number[];
}

export interface PeerRow {
  readonly address: string;
  readonly client: string | null;
  readonly isIncoming: boolean;
  readonly source: string;
  readonly progress: number;
  readonly downloadSpeed: number;
  readonly uploadSpeed: number;
  readonly isChokingUs: boolean;
  readonly isChoked: boolean;
  readonly isInterested: boolean;
}

export interface StreamRow {
  readonly id: number;
  readonly torrent: InfoHash;
  readonly file: number;
  /** As in OpenReader: names the stream's window on the HTTP side. */
  readonly viewer: string;
  readonly clientAddress: string;
  /** Byte of the file that the viewer is given next. */
  readonly positionBytes: number;
  /** Verified bytes that follow it without a hole. */
  readonly aheadBytes: number;
  readonly readers: number;
  /** What the viewer takes, as far as is known. */
  readonly bytesPerSec: number;
  readonly startedAtMs: number;
  readonly wait: Wait | null;
}

export type EngineEvent =
  /** At most once a second: the torrents whose figures changed. */
  | { readonly type: "stats"; readonly torrents: readonly TorrentStats[] }
  /** The info dictionary of a magnet arrived and passed its hash; the torrent waits for confirmMetadata. */
  | { readonly type: "metadata"; readonly id: InfoHash; readonly infoBytes: Uint8Array }
  | { readonly type: "resume"; readonly id: InfoHash; readonly state: ResumeState }
  /** Every selected file has become complete. */
  | { readonly type: "completed"; readonly id: InfoHash; readonly atMs: number }
  | { readonly type: "dht_nodes"; readonly nodes: readonly PeerAddress[] }
  | { readonly type: "warning"; readonly code: string; readonly message: string };

export interface EngineTotals {
  readonly downloadSpeed: number;
  readonly uploadSpeed: number;
  readonly peers: number;
  readonly listenPort: number | null;
  readonly dhtNodes: number | null;
}

export interface EnginePort extends ReadableSource {
  /** Resolves once the torrent has its row; the rest goes on by itself. */
  add(spec: TorrentSpec): Promise<void>;
  change(id: InfoHash, change: TorrentChange): Promise<void>;
  /** The answer to a "metadata" event: it is stored, and this is the name on disk. Nothing is written before it. */
  confirmMetadata(
    id: InfoHash,
    place: { diskName: string | null; files: readonly FileChoice[] },
  ): Promise<void>;
  /** Resolves when nothing of it runs any more and, if asked, its files are gone. */
  remove(id: InfoHash, options: { deleteFiles: boolean }): Promise<void>;
  recheck(id: InfoHash): Promise<void>;
  reannounce(id: InfoHash): Promise<void>;
  peers(id: InfoHash): Promise<readonly PeerRow[]>;
  trackers(id: InfoHash): Promise<readonly TrackerState[]>;
  /** Bits in wire order. */
  pieces(
    id: InfoHash,
  ): Promise<{ readonly count: number; readonly lengthBytes: number; readonly have: Uint8Array }>;
  /** Stats of now, for one torrent. */
  stats(id: InfoHash): Promise<TorrentStats>;
  streams(): Promise<readonly StreamRow[]>;
  totals(): Promise<EngineTotals>;
  configure(settings: EngineSettings): Promise<void>;
  subscribe(listener: (event: EngineEvent) => void): () => void;
  /** Ends every connection, commits and closes every store. Resolves within 4 s. */
  stop(): Promise<void>;
}
