// What a request's URL points at, read from the raw text: the guards and the byte path decide on the same characters
// that came over the wire, never on a normalised form of them.

import { type InfoHash, tryInfoHash } from "../base/brand.ts";
import { TorrxError } from "../base/errors.ts";
import { STREAM_WORDS } from "../base/stream-url.ts";

export interface FileTarget {
  readonly torrent: InfoHash;
  readonly file: number;
}

export interface Target {
  /** Undecoded. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Bytes of a file are asked for. */
  readonly bytes: FileTarget | null;
  /** A part of a film is asked for, as HLS cuts it. */
  readonly part: FileTarget | null;
  /** What a link token must be for, to open this. */
  readonly link:
    | ({ readonly kind: "stream" } & FileTarget)
    | { readonly kind: "playlist"; readonly torrent: InfoHash }
    | null;
  /** The session of a file's player: what a link may post to. */
  readonly isSession: boolean;
  readonly isApi: boolean;
  /** Answered without credentials. */
  readonly isOpen: boolean;
}

const STREAM = /^\/api\/stream\/([0-9A-Fa-f]{40})\/(\d{1,7})(?:\/(.*))?$/;
const PLAYLIST = /^\/api\/torrents\/([0-9A-Fa-f]{40})\/playlist\.m3u8$/;
const SESSION = /^session(?:\/[\w-]{1,64}\/(?:ping|end))?$/;
/** A URL parser would walk them, and end elsewhere than what was checked. */
const DOT_SEGMENT = /\/(?:\.|%2e){1,2}(?:\/|$)/i;

/** Throws bad_request for a request target that is no path. */
export function parseTarget(url: string, method: string): Target {
  const mark = url.indexOf("?");
  const path = mark < 0 ? url : url.slice(0, mark);
  if (!path.startsWith("/") || /[\p{Cc} \\#]/u.test(path) || DOT_SEGMENT.test(path)) {
    throw new TorrxError("bad_request", "malformed request target");
  }
  const query = new URLSearchParams(mark < 0 ? "" : url.slice(mark + 1));
  const isRead = method === "GET" || method === "HEAD";
  const isApi = path === "/api" || path.startsWith("/api/");
  const stream = fileOf(STREAM.exec(path));
  const playlist = tryInfoHash(PLAYLIST.exec(path)?.[1] ?? "");
  return {
    path,
    query,
    isApi,
    bytes: isRead && stream !== null && isByteName(stream.rest) ? stream.file : null,
    part: isRead && stream?.rest.startsWith("segment/") === true ? stream.file : null,
    link:
      stream !== null
        ? { kind: "stream", ...stream.file }
        : playlist && { kind: "playlist", torrent: playlist },
    isSession: stream !== null && SESSION.test(stream.rest),
    isOpen: isRead && path === "/api/health",
  };
}

function fileOf(match: RegExpExecArray | null): { file: FileTarget; rest: string } | null {
  const torrent = tryInfoHash(match?.[1] ?? "");
  if (match === null || torrent === null) return null;
  return { file: { torrent, file: Number(match[2]) }, rest: match[3] ?? "" };
}

/** The name is decoration: any one segment that is no reserved word. */
function isByteName(rest: string): boolean {
  return !rest.includes("/") && !STREAM_WORDS.has(rest);
}
