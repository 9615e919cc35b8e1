// Calls to the server. URLs are built on location.origin: a page opened as http://user:pass@host/ may not fetch
// relative ones.

import type { Settings, Status, StreamInfo, Torrent, TorrentDetail, TorrentFile } from "./types.ts";

export class ApiError extends Error {
  /** One of the server's codes; "offline" when it cannot be reached, "unknown" when its answer is not the API's. */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
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

async function send(method: string, path: string, body?: object): Promise<Response> {
  const isForm = body instanceof FormData;
  const init: RequestInit = { method, credentials: "same-origin" };
  if (body !== undefined) init.body = isForm ? body : JSON.stringify(body);
  if (body !== undefined && !isForm) init.headers = { "content-type": "application/json" };
  const response = await fetch(absolute(path), init).catch(() => {
    throw new ApiError("offline", "The server does not answer.");
  });
  if (response.ok) return response;
  const json = (await response.json().catch(() => null)) as {
    error?: { code: string; message: string };
  } | null;
  throw new ApiError(
    json?.error?.code ?? "unknown",
    sentence(json?.error?.message ?? `the server answered ${response.status}`),
  );
}

/** The API's messages are clauses; on the page they stand alone. */
function sentence(text: string): string {
  const capital = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?…]$/.test(capital) ? capital : `${capital}.`;
}

async function call<T>(method: string, path: string, body?: object): Promise<T> {
  return (await (await send(method, path, body)).json()) as T;
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
  streamInfo: (id: string, index: number) => call<StreamInfo>("GET", `/api/stream/${id}/${index}/info`),
  status: () => call<Status>("GET", "/api/status"),
  settings: () => call<Settings>("GET", "/api/settings"),
  changeSettings: (changes: Partial<Settings>) => call<Settings>("PUT", "/api/settings", changes),
  changeLogin: (change: LoginChange) => send("PUT", "/api/settings/credentials", change),
  revokeLinks: () => send("POST", "/api/settings/revoke-links"),
  playlistUrl: (id: string) => absolute(`/api/torrents/${id}/playlist.m3u8`),
};
