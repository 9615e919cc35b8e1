// The user's changes of a torrent, checked. Names are for display only: nothing on disk is called after them.

import { TorrxError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import type { TorrentRow } from "../../db/index.ts";
import type { TorrentChange } from "../../engine/port.ts";
import type { TorrentPatch } from "../ports.ts";
import { isWhole, SPEED_MAX } from "../settings/setting-rules.ts";

type Choices = Partial<
  Pick<TorrentRow, "name" | "isRenamed" | "priority" | "download" | "maxDownloadSpeed" | "maxUploadSpeed">
>;

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;

/** What the patch changes, for the row and for the engine. Throws validation. */
export function checkedPatch(patch: TorrentPatch): {
  readonly choices: Choices;
  readonly change: TorrentChange;
} {
  const change = {
    ...oneOf("priority", patch.priority, ["low", "normal", "high"]),
    ...oneOf("download", patch.download, ["all", "watched"]),
    ...speedOf("maxDownloadSpeed", "max_download_speed", patch.maxDownloadSpeed),
    ...speedOf("maxUploadSpeed", "max_upload_speed", patch.maxUploadSpeed),
  };
  return { choices: { ...change, ...nameOf(patch.name) }, change };
}

function nameOf(name: string | undefined): Pick<Choices, "name" | "isRenamed"> {
  if (name === undefined) return {};
  const trimmed = name.trim();
  const bytes = Buffer.byteLength(trimmed);
  if (bytes === 0 || bytes > LIMITS.metainfo.nameBytes || CONTROL.test(trimmed) || !trimmed.isWellFormed()) {
    throw new TorrxError(
      "validation",
      `name must be 1 to ${LIMITS.metainfo.nameBytes} bytes of text without control characters.`,
    );
  }
  return { name: trimmed, isRenamed: true };
}

function oneOf<K extends string, V extends string>(field: K, value: V | undefined, allowed: readonly V[]) {
  if (value === undefined) return {};
  if (!allowed.includes(value)) {
    throw new TorrxError("validation", `${field} must be one of ${allowed.join(", ")}.`);
  }
  return { [field]: value } as Record<K, V>;
}

function speedOf<K extends string>(name: K, field: string, value: number | undefined) {
  if (value === undefined) return {};
  if (!isWhole(value, 0, SPEED_MAX)) {
    throw new TorrxError(
      "validation",
      `${field} must be a whole number of bytes per second, 0 for no limit.`,
    );
  }
  return { [name]: value } as Record<K, number>;
}
