// Calls to the server. URLs are built on location.origin: a page opened as http://user:pass@host/ may not fetch
// relative ones.

import { sentence } from "../lib/sentence.ts";
import type {
  PlaySession,
  SessionWish,
  Settings,
  Status,
  StreamInfo,
  Torrent,
  TorrentDetail,
  TorrentFile,
} from "./types.ts";

export class ApiError extends Error {
  /** One of the server's codes; "offline" when it cannot be reached, "unknown" when its answer is not the API's. */
  readonly code: string;
  /** When to ask again, as the server wishes; null where it did not say. */
  readonly retryAfterSec: number | null;

  constructor(code: string, message: string, retryAfterSec: number | null = null) {
    super(message);
    this.code = code;
    this.retryAfterSec = retryAfterSec;
  }
}

export interface FilePlace {
  readonly torrentId: string;
  readonly fileIndex: number;
}

export interface Added {
  readonly torrent: Torrent;
  /** false: it was in the list already. */
  readonly isNew: boolean;
}

/** What is not there stays as it is. */
export interface LoginChange {
  readonly current_password: string;
  readonly username?: string;
  readonly password?: string;
}

/** What to tell the user about anything that was thrown. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export function absolute(path: string): string {
  return `${location.origin}${path}`;
}

async function send(
  method: string,
  path: string,
  body?: object,
  signal: AbortSignal | null = null,
): Promise<Response> {
  const isForm = body instanceof FormData;
  const init: RequestInit = { method, credentials: "same-origin", signal };
  if (body !== undefined) init.body = isForm ? body : JSON.stringify(body);
  if (body !== undefined && !isForm) init.headers = { "content-type": "application/json" };
  const response = await fetch(absolute(path), init).catch(() => {
    throw new ApiError("offline", "The server does not answer.");
  });
  if (response.ok) return response;
  const json = (await response.json().catch(() => null)) as {
    error?: { code: string; message: string };
  } | null;
  const retryAfterSec = Number(response.headers.get("retry-after"));
  throw new ApiError(
    json?.error?.code ?? "unknown",
    sentence(json?.error?.message ?? `the server answered ${response.status}`),
    retryAfterSec > 0 ? retryAfterSec : null,
  );
}

async function call<T>(method: string, path: string, body?: object, signal?: AbortSignal): Promise<T> {
  return (await (await send(method, path, body, signal)).json()) as T;
}

async function add(body: object): Promise<Added> {
  const response = await send("POST", "/api/torrents", body);
  return { torrent: (await response.json()) as Torrent, isNew: response.status === 201 };
}

export const api = {
  addMagnet: (magnet: string) => add({ magnet }),
  addUrl: (url: string) => add({ url }),
  addFile: (file: File) => {
    const form = new FormData();
    form.append("torrent", file);
    return add(form);
  },
  torrent: (id: string) => call<TorrentDetail>("GET", `/api/torrents/${id}`),
  pause: (id: string) => call<Torrent>("PUT", `/api/torrents/${id}/pause`),
  resume: (id: string) => call<Torrent>("PUT", `/api/torrents/${id}/resume`),
  recheck: (id: string) => call<Torrent>("PUT", `/api/torrents/${id}/recheck`),
  remove: (id: string, deleteFiles: boolean) =>
    send("DELETE", `/api/torrents/${id}?delete_files=${deleteFiles}`),
  selectFile: (id: string, index: number, isSelected: boolean) =>
    call<{ files: TorrentFile[] }>("PATCH", `/api/torrents/${id}/files`, {
      files: [{ index, is_selected: isSelected }],
    }),
  /** Takes as long as the server needs to look into the file. */
  openSession: ({ torrentId, fileIndex }: FilePlace, wish: SessionWish, signal: AbortSignal) =>
    call<PlaySession>("POST", `/api/stream/${torrentId}/${fileIndex}/session`, wish, signal),
  pingSession: (path: string, positionSec: number) =>
    send("POST", `${path}/ping`, { position_sec: positionSec }),
  /** Gets through also while the page is being closed. */
  endSession: (path: string) => navigator.sendBeacon(absolute(`${path}/end`)),
  streamInfo: ({ torrentId, fileIndex }: FilePlace) =>
    call<StreamInfo>("GET", `/api/stream/${torrentId}/${fileIndex}/info`),
  status: () => call<Status>("GET", "/api/status"),
  settings: () => call<Settings>("GET", "/api/settings"),
  changeSettings: (changes: Partial<Settings>) => call<Settings>("PUT", "/api/settings", changes),
  changeLogin: (change: LoginChange) => send("PUT", "/api/settings/credentials", change),
  revokeLinks: () => send("POST", "/api/settings/revoke-links"),
  playlistUrl: (id: string) => absolute(`/api/torrents/${id}/playlist.m3u8`),
};
