// Every dynamic setting: its name in the API and the database, and what it may be.

import { isAbsolute } from "node:path";
import { TorrxError } from "../../base/errors.ts";
import type { Settings } from "../ports.ts";

export interface SettingRule {
  /** As users and the database know it. */
  readonly key: string;
  /** Completes "key must be …". */
  readonly allowed: string;
  readonly accepts: (value: unknown) => boolean;
}

/** Bytes per second; far above any line, far below where numbers lose bytes. */
export const SPEED_MAX = 2 ** 40;
export const RAM_MB_MIN = 16;
const RAM_MB_MAX = 16_384;
const PATH_CHARS_MAX = 4096;

const speed = {
  allowed: "a whole number of bytes per second, 0 for no limit",
  accepts: (value: unknown) => isWhole(value, 0, SPEED_MAX),
};

const memory = {
  allowed: `a whole number of megabytes from ${RAM_MB_MIN} to ${RAM_MB_MAX}`,
  accepts: (value: unknown) => isWhole(value, RAM_MB_MIN, RAM_MB_MAX),
};

export const SETTING_RULES: { readonly [Name in keyof Settings]: SettingRule } = {
  maxDownloadSpeed: { key: "max_download_speed", ...speed },
  maxUploadSpeed: { key: "max_upload_speed", ...speed },
  maxConcurrentTorrents: {
    key: "max_concurrent_torrents",
    allowed: "a whole number from 1 to 1000",
    accepts: (value) => isWhole(value, 1, 1_000),
  },
  seedRatioLimit: {
    key: "seed_ratio_limit",
    allowed: "a number from 0 (no limit) to 10000",
    accepts: (value) => typeof value === "number" && value >= 0 && value <= 10_000,
  },
  streamTokenTtlHours: {
    key: "stream_token_ttl_hours",
    allowed: "a whole number from 1 to 8760",
    accepts: (value) => isWhole(value, 1, 8_760),
  },
  ramBufferMb: { key: "ram_buffer_mb", ...memory },
  ramTotalMb: { key: "ram_total_mb", ...memory },
  bufferAheadPercent: {
    key: "buffer_ahead_percent",
    allowed: "a whole number from 10 to 95",
    accepts: (value) => isWhole(value, 10, 95),
  },
  hlsSegmentDurationSec: {
    key: "hls_segment_duration_sec",
    allowed: "a whole number from 2 to 10",
    accepts: (value) => isWhole(value, 2, 10),
  },
  downloadDir: { key: "download_dir", allowed: "an absolute path", accepts: isAbsolutePath },
};

export const SETTING_NAMES = Object.keys(SETTING_RULES) as readonly (keyof Settings)[];

/** Throws validation: the message names the field and what is allowed, never the value. */
export function checkSetting(name: keyof Settings, value: unknown): void {
  const { key, allowed, accepts } = SETTING_RULES[name];
  if (!accepts(value)) throw new TorrxError("validation", `${key} must be ${allowed}.`);
}

export function isWhole(value: unknown, min: number, max: number): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= min && value <= max;
}

function isAbsolutePath(value: unknown): boolean {
  return (
    typeof value === "string" && value.length <= PATH_CHARS_MAX && isAbsolute(value) && !value.includes("\0")
  );
}
