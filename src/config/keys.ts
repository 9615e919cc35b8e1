// Every configuration key (PRODUCT §5): its default and what is allowed. A key stands here from the commit in which its
// feature works. config/torrx.example.yaml and the README name the same keys; a test holds them together.

import { LOG_LEVELS, type LogLevel } from "../base/log.ts";
import {
  type HostPort,
  type KeySpec,
  passwordProblem,
  readCredential,
  readFlag,
  readHost,
  readHostPort,
  readListOf,
  readOneOf,
  readPath,
  readPort,
  readProgram,
  readWhole,
  usernameProblem,
} from "./values.ts";

const PORT = "a whole number from 0 to 65535 (0 = any free port)";
const FLAG = "true or false (also yes, no, on, off, 1, 0)";
const FOLDER = "a path, written out without ~";

const PUBLIC_DHT_ROUTERS: readonly HostPort[] = [
  { host: "router.bittorrent.com", port: 6881 },
  { host: "dht.transmissionbt.com", port: 6881 },
  { host: "router.utorrent.com", port: 6881 },
  { host: "dht.libtorrent.org", port: 25401 },
];

function key<T>(spec: KeySpec<T>): KeySpec<T> {
  return spec;
}

function path(fallback: string): KeySpec<string> {
  return { allowed: FOLDER, fallback, read: readPath };
}

function flag(fallback: boolean): KeySpec<boolean> {
  return { allowed: FLAG, fallback, read: readFlag };
}

function port(fallback: number): KeySpec<number> {
  return { allowed: PORT, fallback, read: readPort };
}

/** "section.key" → what it may be. Default paths are relative and joined to the working directory like any other. */
export const KEYS = {
  "server.host": key<string>({
    allowed: "an address or host name to listen on",
    fallback: "0.0.0.0",
    read: readHost,
  }),
  "server.port": port(8080),
  "server.allowed_hosts": key<readonly string[]>({
    allowed: "a list of host names without scheme, port or path",
    fallback: [],
    read: readListOf(readHost),
  }),
  "auth.username": key<string>({
    allowed: "1 to 64 characters without a colon (in quotes when it is a number)",
    fallback: "admin",
    read: readCredential(usernameProblem),
  }),
  "auth.password": key<string | null>({
    allowed: "1 to 256 characters (in quotes when it is a number)",
    fallback: null,
    read: readCredential(passwordProblem),
    isSecret: true,
  }),
  "storage.download_dir": path("data/downloads"),
  "storage.db_path": path("data/torrx.db"),
  "storage.temp_dir": path("data/tmp"),
  "ffmpeg.binary_path": key<string>({
    allowed: "the name or path of the ffmpeg program, written out without ~",
    fallback: "ffmpeg",
    read: readProgram,
    envName: "TORRX_FFMPEG_PATH",
  }),
  "torrent.port": port(51414),
  "torrent.dht": flag(true),
  "torrent.dht_bootstrap": key<readonly HostPort[]>({
    allowed: "a list of host:port",
    fallback: PUBLIC_DHT_ROUTERS,
    read: readListOf(readHostPort),
  }),
  "torrent.allow_loopback_peers": flag(false),
  "torrent.allow_private_urls": flag(false),
  "torrent.arena_mb": key<number>({
    allowed: "a whole number of megabytes from 16 to 4096",
    fallback: 64,
    read: readWhole(16, 4_096),
  }),
  "log.level": key<LogLevel>({
    allowed: `one of ${LOG_LEVELS.join(", ")}`,
    fallback: "info",
    read: readOneOf(LOG_LEVELS),
  }),
} as const;

export type KeyName = keyof typeof KEYS;
export type KeyValue<Name extends KeyName> = (typeof KEYS)[Name]["fallback"];

export const KEY_NAMES = Object.keys(KEYS) as readonly KeyName[];
export const SECTIONS: readonly string[] = [
  ...new Set(KEY_NAMES.map((name) => name.slice(0, name.indexOf(".")))),
];

/** What users may look for among the keys: it is changed while TorrX runs. A test holds it to the settings. */
export const DYNAMIC_SETTINGS: readonly string[] = [
  "max_download_speed",
  "max_upload_speed",
  "max_concurrent_torrents",
  "seed_ratio_limit",
  "stream_token_ttl_hours",
  "ram_buffer_mb",
  "ram_total_mb",
  "buffer_ahead_percent",
  "hls_segment_duration_sec",
];

/** The environment variable that overrides `name`. */
export function envNameOf(name: KeyName): string {
  const spec: KeySpec<unknown> = KEYS[name];
  return spec.envName ?? `TORRX_${name.replace(".", "_").toUpperCase()}`;
}
