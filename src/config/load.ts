// The configuration of one start: defaults, then the file, then the environment. The result is frozen; what may change
// while TorrX runs is no configuration but a setting in the database.

import { TorrxError } from "../base/errors.ts";
import type { LogLevel } from "../base/log.ts";
import { type ConfigFile, type ReadFile, readConfigFile } from "./file.ts";
import { envNameOf, KEY_NAMES, KEYS, type KeyName, type KeyValue } from "./keys.ts";
import { nearestHint } from "./nearest.ts";
import type { HostPort, KeySpec } from "./values.ts";

export type Origin = "default" | "file" | "environment";

export interface Config {
  readonly server: {
    readonly host: string;
    readonly port: number;
    /** Lower case, without a final dot. */
    readonly allowedHosts: readonly string[];
  };
  readonly auth: {
    readonly username: string;
    /** null when neither file nor environment has one. */
    readonly password: string | null;
  };
  /** Absolute paths. */
  readonly storage: { readonly downloadDir: string; readonly dbPath: string; readonly tempDir: string };
  readonly ffmpeg: { readonly binaryPath: string };
  readonly torrent: {
    readonly port: number;
    readonly dht: boolean;
    readonly dhtBootstrap: readonly HostPort[];
    readonly allowLoopbackPeers: boolean;
    readonly allowPrivateUrls: boolean;
    /** Memory for pieces in the making, MiB. */
    readonly arenaMb: number;
  };
  readonly log: { readonly level: LogLevel };
  /** The file that was read, or null. */
  readonly file: string | null;
  readonly origins: Readonly<Record<KeyName, Origin>>;
  /** One line each, fit for the user's eyes. */
  readonly warnings: readonly string[];
}

export interface ConfigSources {
  /** Argument of --config; null = look in ./, ./config and /config. */
  readonly configPath: string | null;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly readFile: ReadFile;
}

type Values = { readonly [Name in KeyName]: KeyValue<Name> };

/** Throws TorrxError config_invalid with one line that names the source, the key and what is allowed. */
export function loadConfig(sources: ConfigSources): Config {
  const file = readConfigFile(sources.configPath, sources.cwd, sources.readFile);
  const origins = {} as Record<KeyName, Origin>;
  const values = {} as Record<KeyName, unknown>;
  for (const name of KEY_NAMES) {
    const found = find(name, file, sources);
    origins[name] = found.origin;
    values[name] = found.value;
  }
  refuseSamePort(values as Values);
  const warnings = unknownVariables(sources.env);
  return freeze({ ...shape(values as Values), file: file.path, origins, warnings });
}

/** 0 is any free port, so two of them differ. */
function refuseSamePort(values: Values): void {
  const port = values["server.port"];
  if (port === 0 || port !== values["torrent.port"]) return;
  throw new TorrxError("config_invalid", `server.port and torrent.port are both ${port}; they must differ`);
}

function shape(values: Values): Omit<Config, "file" | "origins" | "warnings"> {
  return {
    server: {
      host: values["server.host"],
      port: values["server.port"],
      allowedHosts: values["server.allowed_hosts"],
    },
    auth: { username: values["auth.username"], password: values["auth.password"] },
    storage: {
      downloadDir: values["storage.download_dir"],
      dbPath: values["storage.db_path"],
      tempDir: values["storage.temp_dir"],
    },
    ffmpeg: { binaryPath: values["ffmpeg.binary_path"] },
    torrent: {
      port: values["torrent.port"],
      dht: values["torrent.dht"],
      dhtBootstrap: values["torrent.dht_bootstrap"],
      allowLoopbackPeers: values["torrent.allow_loopback_peers"],
      allowPrivateUrls: values["torrent.allow_private_urls"],
      arenaMb: values["torrent.arena_mb"],
    },
    log: { level: values["log.level"] },
  };
}

function find(name: KeyName, file: ConfigFile, sources: ConfigSources): { value: unknown; origin: Origin } {
  const spec: KeySpec<unknown> = KEYS[name];
  const variable = envNameOf(name);
  const text = sources.env[variable];
  // Compose files hand on unset variables as empty ones.
  if (text !== undefined && text !== "") {
    return { value: checked(spec, text, variable, sources.cwd), origin: "environment" };
  }
  if (file.values.has(name)) {
    const source = `${file.path}: ${name}`;
    return { value: checked(spec, file.values.get(name), source, sources.cwd), origin: "file" };
  }
  if (spec.fallback === null) return { value: null, origin: "default" };
  const isPath = name.startsWith("storage.");
  return { value: isPath ? spec.read(spec.fallback, sources.cwd) : spec.fallback, origin: "default" };
}

function checked(spec: KeySpec<unknown>, raw: unknown, source: string, cwd: string): unknown {
  const value = spec.read(raw, cwd);
  if (value !== undefined) return value;
  const shown = spec.isSecret ? "" : ` ${shorten(raw)}`;
  throw new TorrxError("config_invalid", `${source}:${shown} is not allowed; allowed is ${spec.allowed}`);
}

/** One line, not too long; a URL's credentials are no business of a log. */
function shorten(raw: unknown): string {
  const text = (JSON.stringify(raw) ?? String(raw)).replace(/\/\/[^/@\s"]*@/g, "//***@");
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

function unknownVariables(env: ConfigSources["env"]): string[] {
  const known = KEY_NAMES.map(envNameOf);
  return Object.keys(env)
    .filter((name) => name.startsWith("TORRX_") && !name.startsWith("TORRX_TEST_") && !known.includes(name))
    .sort()
    .map((name) => `environment variable ${name} is unknown and ignored${nearestHint(name, known)}`);
}

function freeze<T extends object>(value: T): T {
  for (const inner of Object.values(value)) if (typeof inner === "object" && inner !== null) freeze(inner);
  return Object.freeze(value);
}
