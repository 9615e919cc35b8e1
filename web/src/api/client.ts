// Calls to the server. URLs are built on location.origin: a page opened as http://user:pass@host/ may not fetch
// relative ones.

import type { Torrent, TorrentDetail, TorrentFile } from "./types.ts";

export class ApiError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

function absolute(path: string): string {
  return `${location.origin}${path}`;
}

async function call<T>(method: string, path: string, body?: object | FormData): Promise<T> {
  const isForm = body instanceof FormData;
  const init: RequestInit = { method, credentials: "same-origin" };
  if (body !== undefined) init.body = isForm ? body : JSON.stringify(body);
  if (body !== undefined && !isForm) init.headers = { "content-type": "application/json" };
  const response = await fetch(absolute(path), init).catch(() => {
    throw new ApiError("offline", "The server does not answer.");
  });
  if (response.status === 204) return undefined as T;
  const json: unknown = await response.json().catch(() => null);
  if (response.ok) return json as T;
  const error = (json as { error?: { code: string; message: string } } | null)?.error;
  throw new ApiError(error?.code ?? "unknown", error?.message ?? `The server answered ${response.status}.`);
}

export const api = {
  addMagnet: (magnet: string) => call<Torrent>("POST", "/api/torrents", { magnet }),
  addUrl: (url: string) => call<Torrent>("POST", "/api/torrents", { url }),
  addFile: (file: File) => {
    const form = new FormData();
    form.append("torrent", file);
    return call<Torrent>("POST", "/api/torrents", form);
  },
  torrent: (id: string) => call<TorrentDetail>("GET", `/api/torrents/${id}`),
  pause: (id: string) => call<Torrent>("PUT", `/api/torrents/${id}/pause`),
  resume: (id: string) => call<Torrent>("PUT", `/api/torrents/${id}/resume`),
  recheck: (id: string) => call<Torrent>("PUT", `/api/torrents/${id}/recheck`),
  remove: (id: string, deleteFiles: boolean) =>
    call<void>("DELETE", `/api/torrents/${id}?delete_files=${deleteFiles}`),
  selectFile: (id: string, index: number, isSelected: boolean) =>
    call<{ files: TorrentFile[] }>("PATCH", `/api/torrents/${id}/files`, {
      files: [{ index, is_selected: isSelected }],
    }),
  playlistUrl: (id: string) => absolute(`/api/torrents/${id}/playlist.m3u8`),
  streamUrl: (file: TorrentFile) => absolute(file.stream_url),
};
