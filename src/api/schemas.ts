// Shapes of what comes in. Every object is closed: an unknown key is refused, not ignored.

import { t } from "elysia";
import { TORRENT_SORTS } from "../services/ports.ts";

/** Bytes, bytes/s and counts that fit a double exactly. */
const amount = () => t.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
/** A number in a URL, as text: where Elysia converts by itself, a failure does not name its field. */
const digits = (count: number) => t.String({ pattern: `^\\d{1,${count}}$` });
const priority = () => t.Union([t.Literal("low"), t.Literal("normal"), t.Literal("high")]);
type Properties = Parameters<typeof t.Object>[0];
const closed = <T extends Properties>(properties: T) => t.Object(properties, { additionalProperties: false });
const atLeastOne = <T extends Properties>(properties: T) =>
  t.Object(properties, { additionalProperties: false, minProperties: 1 });

const torrentId = t.String({ pattern: "^[0-9A-Fa-f]{40}$", description: "info hash, 40 hex digits" });
const STATUSES = [
  "metadata",
  "queued",
  "checking",
  "downloading",
  "seeding",
  "completed",
  "paused",
  "error",
] as const;

export const torrentParams = t.Object({ id: torrentId });
export const fileParams = t.Object({ id: torrentId, file: digits(7) });

export const addBody = closed({
  magnet: t.Optional(t.String({ minLength: 1 })),
  url: t.Optional(t.String({ minLength: 1, maxLength: 8_192 })),
  torrent: t.Optional(t.File({ description: "multipart/form-data only" })),
  paused: t.Optional(t.Union([t.Boolean(), t.Literal("true"), t.Literal("false")])),
});

export const listQuery = closed({
  status: t.Optional(t.Union(STATUSES.map((status) => t.Literal(status)))),
  search: t.Optional(t.String({ maxLength: 200 })),
  sort: t.Optional(t.String({ pattern: `^-?(${TORRENT_SORTS.join("|")})$` })),
  limit: t.Optional(digits(5)),
  offset: t.Optional(digits(8)),
  fields: t.Optional(t.String({ maxLength: 500, pattern: "^[a-z_,]+$" })),
});

export const removeQuery = closed({
  delete_files: t.Optional(t.Union([t.Literal("true"), t.Literal("false")])),
});

export const playlistQuery = t.Object({ token: t.Optional(t.String()) });

export const torrentPatch = atLeastOne({
  name: t.Optional(t.String({ minLength: 1, maxLength: 255 })),
  priority: t.Optional(priority()),
  download: t.Optional(t.Union([t.Literal("all"), t.Literal("watched")])),
  max_download_speed: t.Optional(amount()),
  max_upload_speed: t.Optional(amount()),
});

export const filesPatch = closed({
  files: t.Array(
    closed({
      index: t.Integer({ minimum: 0 }),
      is_selected: t.Optional(t.Boolean()),
      priority: t.Optional(priority()),
    }),
    { minItems: 1, maxItems: 100_000 },
  ),
});

/** Types alone: the bounds are the service's, which says in words what is allowed. */
export const settingsPatch = atLeastOne({
  max_download_speed: t.Optional(amount()),
  max_upload_speed: t.Optional(amount()),
  max_concurrent_torrents: t.Optional(t.Integer()),
  seed_ratio_limit: t.Optional(t.Number()),
  stream_token_ttl_hours: t.Optional(t.Integer()),
  download_dir: t.Optional(t.String({ minLength: 1, maxLength: 4_096 })),
});

export const credentialsBody = closed({
  current_password: t.String({ maxLength: 256 }),
  username: t.Optional(t.String({ minLength: 1, maxLength: 64 })),
  password: t.Optional(t.String({ minLength: 1, maxLength: 256 })),
});
