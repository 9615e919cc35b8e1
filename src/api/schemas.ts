// Shapes of what comes in. Every object is closed: an unknown key is refused, not ignored. Each field says what it is
// (`description`) and what it may be (`x-allowed`, which completes "field must be …"): the messages of refusals and the
// API's documentation are both made of these.

import { t } from "elysia";
import { CAPS_SCHEMA, QUALITIES } from "../services/media/index.ts";
import { TORRENT_SORTS } from "../services/ports.ts";

type Properties = Parameters<typeof t.Object>[0];
interface ObjectWords {
  /** A body that does something, for the documentation. */
  readonly example?: Readonly<Record<string, unknown>>;
  readonly minProperties?: number;
}

const closed = <T extends Properties>(properties: T, words: ObjectWords = {}) =>
  t.Object(properties, { ...words, additionalProperties: false });
const atLeastOne = <T extends Properties>(properties: T, words: ObjectWords = {}) =>
  closed(properties, { ...words, minProperties: 1 });
const words = (description: string, allowed: string) => ({ description, "x-allowed": allowed });

/** Bytes per second; fits a double exactly. */
const speed = (description: string) =>
  t.Integer({
    minimum: 0,
    maximum: Number.MAX_SAFE_INTEGER,
    ...words(`${description}, bytes/s; 0 = no limit`, "a whole number of bytes per second, 0 or more"),
  });
const whole = (description: string, allowed: string) => t.Integer(words(description, allowed));
/** A number in a URL, as text: where Elysia converts by itself, a failure does not name its field. */
const digits = (count: number, description: string, allowed = "a whole number, 0 or more") =>
  t.String({ pattern: `^\\d{1,${count}}$`, ...words(description, allowed) });
const text = (description: string, minLength: number, maxLength: number) =>
  t.String({
    minLength,
    maxLength,
    ...words(description, `text of ${minLength} to ${maxLength} characters`),
  });
const priority = () =>
  t.Union([t.Literal("low"), t.Literal("normal"), t.Literal("high")], {
    ...words("Who goes first where bandwidth is short", "low, normal or high"),
  });

const MEGABYTES = "a whole number of megabytes from 16 to 16384";

const torrentId = t.String({
  pattern: "^[0-9A-Fa-f]{40}$",
  ...words("Info hash of the torrent", "40 hex digits"),
});
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
export const fileParams = t.Object({
  id: torrentId,
  file: digits(7, "Index of the file in the torrent, from 0"),
});

export const addBody = closed(
  {
    magnet: t.Optional(
      t.String({
        minLength: 1,
        ...words("Magnet link. Exactly one of magnet, url and torrent", "a magnet link"),
      }),
    ),
    url: t.Optional(
      t.String({
        minLength: 1,
        maxLength: 8_192,
        ...words("Link to a .torrent file", "an http or https link of at most 8192 characters"),
      }),
    ),
    torrent: t.Optional(
      t.File({ ...words("The .torrent file itself, as multipart/form-data only", "an uploaded file") }),
    ),
    paused: t.Optional(
      t.Union([t.Boolean(), t.Literal("true"), t.Literal("false")], {
        ...words("Add without starting", "true or false"),
      }),
    ),
  },
  { example: { magnet: "magnet:?xt=urn:btih:0123456789abcdef0123456789abcdef01234567" } },
);

export const listQuery = closed({
  status: t.Optional(
    t.Union(
      STATUSES.map((status) => t.Literal(status)),
      words("Only torrents of this status", `one of ${STATUSES.join(", ")}`),
    ),
  ),
  search: t.Optional(
    t.String({ maxLength: 200, ...words("Words of the name", "text of at most 200 characters") }),
  ),
  sort: t.Optional(
    t.String({
      pattern: `^-?(${TORRENT_SORTS.join("|")})$`,
      ...words(
        "Order; the newest first unless told",
        `one of ${TORRENT_SORTS.join(", ")}, with "-" before it to turn it`,
      ),
    }),
  ),
  limit: t.Optional(
    t.String({
      pattern: "^(?!0+$)\\d{1,5}$",
      ...words("At most so many torrents; all unless told", "a whole number from 1 to 99999"),
    }),
  ),
  offset: t.Optional(digits(8, "Leaves out so many torrents at the beginning")),
  fields: t.Optional(
    t.String({
      maxLength: 500,
      pattern: "^[a-z_,]+$",
      ...words("Only these fields of each torrent", "names of fields with commas between them"),
    }),
  ),
});

export const removeQuery = closed({
  delete_files: t.Optional(
    t.Union([t.Literal("true"), t.Literal("false")], {
      ...words("Delete the torrent's files from the disk as well; false unless told", "true or false"),
    }),
  ),
});

export const playlistQuery = t.Object({
  token: t.Optional(t.String(words("A link's right, instead of username and password", "a link's token"))),
});

const RENDITION = "v0, or a or s with the number of a track, as in a1";
const qualityNames = [...QUALITIES, "all"];
const wantedQuality = () =>
  t.Union([t.Literal("original"), t.Literal("720"), t.Literal("480"), t.Literal("all")], {
    ...words(
      "Picture to play; all = every one that can be had, for players whose viewer may change it; original unless told",
      `one of ${qualityNames.join(", ")}`,
    ),
  });
const sessionId = (description: string) =>
  t.String({ pattern: "^[\\w-]{1,64}$", ...words(description, "a session's id") });
const opening = {
  token: t.Optional(t.String(words("A link's right, instead of username and password", "a link's token"))),
  session: t.Optional(
    sessionId("The session that it is played in; without one the player's User-Agent decides"),
  ),
};

/** Players add to a URL what they like. */
const forPlayers = <T extends Properties>(properties: T) =>
  t.Object({ ...opening, ...properties }, { additionalProperties: true });
export const openQuery = forPlayers({});
export const subtitleQuery = forPlayers({
  from: t.Optional(digits(6, "Of a stretch of the film: its start, seconds", "a whole number of seconds")),
  to: t.Optional(
    digits(6, "Its end, seconds; 120 s behind its start unless told", "a whole number of seconds"),
  ),
});
export const masterQuery = forPlayers({
  audio: t.Optional(digits(3, "Audio track that plays first, from 0")),
  quality: t.Optional(wantedQuality()),
});
export const renditionQuery = forPlayers({
  r: t.Optional(t.String({ pattern: "^(v0|[as]\\d{1,3})$", ...words("Track; v0 unless told", RENDITION) })),
  q: t.Optional(
    t.Union([t.Literal("original"), t.Literal("720"), t.Literal("480")], {
      ...words("Picture, of video", `one of ${QUALITIES.join(", ")}`),
    }),
  ),
});
const filePlace = {
  id: torrentId,
  file: digits(7, "Index of the file in the torrent, from 0"),
};
export const segmentParams = t.Object({
  ...filePlace,
  n: t.String({
    pattern: "^(init|\\d{1,7})$",
    ...words("Number of the segment, from 0; or init", "a number, or init"),
  }),
});
export const subtitleParams = t.Object({
  ...filePlace,
  n: t.String({
    pattern: "^\\d{1,3}\\.vtt$",
    ...words("Number of the subtitles, from 0, and .vtt", "a number and .vtt"),
  }),
});
export const sessionParams = t.Object({ ...filePlace, session: sessionId("The session") });
export const namedFileParams = t.Object({ ...filePlace, name: t.String() });

const second = (description: string) =>
  t.Number({
    minimum: 0,
    maximum: 1e6,
    ...words(`${description}, seconds from its start`, "a number of seconds, 0 or more"),
  });

export const sessionBody = closed(
  {
    // Checked by the decision, which knows it in full.
    caps: t.Optional(t.Any(CAPS_SCHEMA)),
    position_sec: t.Optional(second("Where in the film it starts; 0 unless told")),
    audio: t.Optional(
      t.Integer({
        minimum: 0,
        maximum: 999,
        ...words("Audio track that plays first, from 0", "the number of an audio track"),
      }),
    ),
    quality: t.Optional(wantedQuality()),
    mode: t.Optional(
      t.Union([t.Literal("auto"), t.Literal("hls")], {
        ...words("hls = never the file itself; auto unless told", "auto or hls"),
      }),
    ),
  },
  { example: { position_sec: 0 } },
);

export const pingBody = t.Optional(
  closed({ position_sec: t.Optional(second("Where the player is")) }, { example: { position_sec: 63.5 } }),
);

export const torrentPatch = atLeastOne(
  {
    name: t.Optional(text("Name to show; files keep theirs", 1, 255)),
    priority: t.Optional(priority()),
    download: t.Optional(
      t.Union([t.Literal("all"), t.Literal("watched")], {
        ...words("Everything selected, or only what is watched", "all or watched"),
      }),
    ),
    max_download_speed: t.Optional(speed("Limit of this torrent's download")),
    max_upload_speed: t.Optional(speed("Limit of this torrent's upload")),
  },
  { example: { max_download_speed: 2_000_000 } },
);

export const filesPatch = closed(
  {
    files: t.Array(
      closed({
        index: t.Integer({
          minimum: 0,
          ...words("Index of the file in the torrent, from 0", "a whole number, 0 or more"),
        }),
        is_selected: t.Optional(t.Boolean(words("Download it", "true or false"))),
        priority: t.Optional(priority()),
      }),
      {
        minItems: 1,
        maxItems: 100_000,
        ...words("The files to change", "a list of 1 to 100000 objects with an index"),
      },
    ),
  },
  { example: { files: [{ index: 0, is_selected: false }] } },
);

/** Types alone: the bounds are the service's, which says in words what is allowed. */
export const settingsPatch = atLeastOne(
  {
    max_download_speed: t.Optional(speed("Limit of all downloads together")),
    max_upload_speed: t.Optional(speed("Limit of all uploads together")),
    max_concurrent_torrents: t.Optional(
      whole("Torrents that download at once; the others queue", "a whole number from 1 to 1000"),
    ),
    seed_ratio_limit: t.Optional(
      t.Number(
        words(
          "Uploaded ÷ downloaded at which seeding ends; 0 = never",
          "a number from 0 (no limit) to 10000",
        ),
      ),
    ),
    stream_token_ttl_hours: t.Optional(
      whole("Life of a new link, hours", "a whole number of hours from 1 to 8760"),
    ),
    ram_buffer_mb: t.Optional(
      whole(
        "Memory for what one stream plays next and played last, MB; streams share ram_total_mb equally where it is not enough for all",
        MEGABYTES,
      ),
    ),
    ram_total_mb: t.Optional(whole("Memory for all streams together, MB", MEGABYTES)),
    buffer_ahead_percent: t.Optional(
      whole("Part of a stream's memory that lies ahead of what plays, %", "a whole number from 10 to 95"),
    ),
    hls_segment_duration_sec: t.Optional(
      whole(
        "Length of an HLS segment, seconds; holds for playback that starts from now on",
        "a whole number from 2 to 10",
      ),
    ),
    download_dir: t.Optional(
      t.String({
        minLength: 1,
        maxLength: 4_096,
        ...words("Folder for torrents added from now on", "an absolute path"),
      }),
    ),
  },
  { example: { max_upload_speed: 1_000_000 } },
);

export const credentialsBody = closed(
  {
    current_password: t.String({
      maxLength: 256,
      ...words("The password as it is now", "text of at most 256 characters"),
    }),
    username: t.Optional(text("The new username", 1, 64)),
    password: t.Optional(text("The new password", 1, 256)),
  },
  { example: { current_password: "OLD", password: "NEW" } },
);
