// The JSON of the REST API, as far as the page uses it.

export type TorrentStatus =
  | "metadata"
  | "queued"
  | "checking"
  | "downloading"
  | "seeding"
  | "completed"
  | "paused"
  | "error";

export interface Wait {
  code: string;
  since_ms: number;
  peers: { connected: number; known: number; unchoked: number };
}

export interface Torrent {
  id: string;
  name: string;
  status: TorrentStatus;
  error: { code: string; message: string } | null;
  progress: number;
  check_progress: number | null;
  total_size: number | null;
  download_speed: number;
  upload_speed: number;
  peers: number;
  eta_sec: number | null;
  added_at: string;
  wait: Wait | null;
}

export interface TorrentFile {
  index: number;
  path: string;
  size: number;
  is_selected: boolean;
  is_video: boolean;
  priority: "low" | "normal" | "high";
  progress: number;
  /** Relative to the page's origin, with its token. */
  stream_url: string;
}

export interface TorrentDetail extends Torrent {
  files: TorrentFile[];
}
