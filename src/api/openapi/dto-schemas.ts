// What answers look like, field by field, for the documentation. The keys are checked against the DTOs, so that none is
// forgotten or made up.

import { ERROR_CODES, type ErrorCode, statusOf } from "../../base/errors.ts";
import { QUALITIES, REASON_CODES } from "../../services/media/index.ts";
import type { AudioTrackDto, SessionDto, StreamInfoDto, TracksDto } from "../dto/media.ts";
import type { SettingsDto, StatusDto, StreamDto } from "../dto/status.ts";
import type { FileDto, peerDto, TorrentDto, trackerDto, WaitDto } from "../dto/torrent.ts";
import { settingsPatch } from "../schemas.ts";
import { type JsonSchema, shownSchema } from "./json-schema.ts";

type Wait = NonNullable<WaitDto>;
type Fields<T> = { readonly [Key in keyof T]-?: JsonSchema };
type Nullable = JsonSchema | { readonly anyOf: readonly JsonSchema[] };

const object = <T>(properties: Fields<T>, description?: string): JsonSchema => ({
  type: "object",
  ...(description !== undefined && { description }),
  properties: properties as Readonly<Record<string, JsonSchema>>,
  required: Object.keys(properties),
});
const ref = (name: string): JsonSchema => ({ $ref: `#/components/schemas/${name}` });
const list = (items: JsonSchema, description: string): JsonSchema => ({ type: "array", items, description });
const text = (description: string): JsonSchema => ({ type: "string", description });
const flag = (description: string): JsonSchema => ({ type: "boolean", description });
const whole = (description: string): JsonSchema => ({ type: "integer", description });
const bytes = (description: string) => whole(`${description}, bytes`);
const speed = (description: string) => whole(`${description}, bytes/s`);
const number = (description: string): JsonSchema => ({ type: "number", description });
const share = (description: string): JsonSchema => ({
  type: "number",
  description: `${description}, 0 to 1`,
});
const time = (description: string): JsonSchema => ({
  type: "string",
  format: "date-time",
  description: `${description}, ISO 8601 in UTC`,
});
const oneOf = (description: string, values: readonly string[]): JsonSchema => ({
  type: "string",
  enum: values,
  description,
});
const orNull = (schema: JsonSchema, when: string): Nullable => ({
  anyOf: [schema, { type: "null" }],
  description: `${schema.description ?? ""}; null ${when}`.replace(/^; /, ""),
});
const either = (description: string, texts: Readonly<Record<string, string>>): JsonSchema => ({
  ...oneOf(
    `${description}: ${Object.entries(texts)
      .map(([code, meaning]) => `${code} = ${meaning}`)
      .join("; ")}`,
    [...Object.keys(texts)],
  ),
});

const STATUSES: Readonly<Record<TorrentDto["status"], string>> = {
  metadata: "looking for the list of files",
  queued: "waits for its turn",
  checking: "reads what is on the disk",
  downloading: "downloads",
  seeding: "complete and uploads",
  completed: "complete and stopped",
  paused: "stopped by the user",
  error: "stopped by a fault, see error",
};

const WAIT_CODES: Readonly<Record<Wait["code"], string>> = {
  META_SEARCH: "looking for anybody who has the metadata",
  META_FETCH: "receiving the metadata",
  NO_PEERS: "nobody is connected who shares it",
  CHOKED: "connected, and nobody lets us download yet",
  PART_MISSING: "nobody who is connected has the part",
  HEAD_TAIL: "reading the file's index",
  SLOW_SWARM: "the download is slower than the video",
  SEEK_FETCH: "loading the new position",
  DISK_FULL: "the disk is full",
};

const PRIORITY = oneOf("Who goes first where bandwidth is short", ["low", "normal", "high"]);

const TORRENT_FIELDS: Fields<TorrentDto> = {
  id: text("Info hash, 40 hex digits"),
  name: text("Name to show"),
  status: either("What it does", STATUSES),
  error: orNull(
    object<NonNullable<TorrentDto["error"]>>({
      code: oneOf("Kind of fault", [
        "disk_full",
        "disk_error",
        "data_conflict",
        "metadata_invalid",
        "internal",
      ]),
      message: text("For people"),
    }),
    "without a fault",
  ),
  priority: PRIORITY,
  download: oneOf("Everything selected, or only what is watched", ["all", "watched"]),
  progress: share("Verified part of what is selected"),
  check_progress: orNull(share("Part that is checked"), "unless it is being checked"),
  total_size: orNull(bytes("Size of all files"), "until the metadata is there"),
  downloaded: bytes("Downloaded so far"),
  uploaded: bytes("Uploaded so far"),
  ratio: number("uploaded ÷ downloaded"),
  download_speed: speed("Download now"),
  upload_speed: speed("Upload now"),
  max_download_speed: speed("Limit; 0 = none"),
  max_upload_speed: speed("Limit; 0 = none"),
  peers: whole("Connected peers"),
  seeds: whole("Those of them that have everything"),
  eta_sec: orNull(whole("Time to completion, seconds"), "where nothing can be said"),
  added_at: time("When it was added"),
  completed_at: orNull(time("When it was complete"), "until then"),
  save_path: text("Folder on the server"),
  wait: orNull({ ...ref("Wait"), description: "What it waits for" }, "where it waits for nothing"),
};

const FILE_FIELDS: Fields<FileDto> = {
  index: whole("Place in the torrent, from 0"),
  path: text("Path below the torrent's folder"),
  size: bytes("Size"),
  is_selected: flag("Is downloaded"),
  is_video: flag("Is a video, by its name"),
  is_audio: flag("Is audio, by its name"),
  priority: PRIORITY,
  progress: share("Verified part"),
  stream_url: orNull(text("Path on this server that opens the file without a login"), "with very many files"),
};

const STREAM_FIELDS: Fields<StreamDto> = {
  id: whole("Number of the stream"),
  torrent_id: text("Info hash"),
  file_index: whole("The file, from 0"),
  client_ip: text("Who watches"),
  mode: oneOf("How it reaches its viewer", ["direct", "hls"]),
  position_sec: orNull(number("Where in the film its player is, seconds"), "where it does not say"),
  position_bytes: bytes("Where the reader is"),
  ahead_bytes: bytes("There without a gap from the position on"),
  window: orNull(
    object<NonNullable<StreamDto["window"]>>(
      {
        bytes: bytes("In memory"),
        ahead_sec: number("In memory from the position on, at the rate of the viewer, seconds"),
        behind_sec: number("In memory before it, seconds"),
        hit_rate: orNull(share("Reads that found their bytes in memory"), "before the first"),
      },
      "What of the stream is in memory",
    ),
    "where nothing is kept, as for a complete file",
  ),
  readers: whole("Open connections; 0 = its player is away and may come back within seconds"),
  wait: orNull({ ...ref("Wait"), description: "What it waits for" }, "where it waits for nothing"),
  started_at: time("When it began"),
};

const STATUS_FIELDS: Fields<StatusDto> = {
  version: text("Version of the server"),
  uptime_sec: whole("Since the start, seconds"),
  download_speed: speed("All downloads"),
  upload_speed: speed("All uploads"),
  ram: object<StatusDto["ram"]>({
    used: bytes("What streams and pieces in the making take"),
    cap: bytes("What they may take"),
    rss: bytes("Memory of the whole process"),
  }),
  disk: object<StatusDto["disk"]>({
    free: bytes("Free in the download folder"),
    total: bytes("Size of its disk"),
  }),
  warnings: list(
    object<StatusDto["warnings"][number]>({ code: text("Kind of warning"), message: text("For people") }),
    "What the user should know",
  ),
  streams: list(ref("Stream"), "What is being watched"),
};

const WAIT_FIELDS: Fields<Wait> = {
  code: either("Why it waits", WAIT_CODES),
  since: time("Since when"),
  have_bytes: orNull(bytes("There of what is needed"), "where it has no number"),
  need_bytes: orNull(bytes("Needed to go on"), "where it has no number"),
  rate: orNull(speed("Download now"), "where it has no number"),
  peers: object<Wait["peers"]>({
    connected: whole("Connected"),
    known: whole("Known addresses"),
    unchoked: whole("Those that let us download"),
  }),
};

const PEER_FIELDS: Fields<ReturnType<typeof peerDto>> = {
  address: text("Address and port"),
  client: orNull(text("Program"), "where unknown"),
  is_incoming: flag("It called us"),
  source: text("How it became known"),
  progress: share("What it has"),
  download_speed: speed("From it"),
  upload_speed: speed("To it"),
  is_choking_us: flag("It does not let us download"),
  is_choked: flag("We do not let it download"),
  is_interested: flag("It wants something of ours"),
};

const TRACKER_FIELDS: Fields<ReturnType<typeof trackerDto>> = {
  url: text("Announce URL without the user's key"),
  tier: whole("From 0"),
  status: text("How it answers"),
  message: orNull(text("What it said"), "where it said nothing"),
  next_announce_sec: orNull(whole("Until it is asked again, seconds"), "where it is not asked"),
  seeders: orNull(whole("Seeders that it counts"), "where untold"),
  leechers: orNull(whole("Leechers that it counts"), "where untold"),
};

const language = orNull(text("Language, BCP 47"), "where the file does not tell");
const title = orNull(text("What the file's maker called it"), "where it has no name");

const AUDIO_FIELDS: Fields<AudioTrackDto> = {
  index: whole("The n of ?audio=n and a{n}"),
  language,
  codec: text("Codec in the file"),
  channels: whole("Channels in the file"),
  title,
  default: flag("Plays unless another is chosen"),
  commentary: flag("Somebody talks about the film"),
};

const VIDEO_FIELDS: Fields<NonNullable<TracksDto["video"]>> = {
  codec: text("Codec"),
  codec_string: orNull(text("Codec as RFC 6381 names it"), "where it has no such name"),
  profile: orNull(text("Profile"), "where untold"),
  width: whole("Pixels"),
  height: whole("Pixels"),
  frames_per_sec: orNull(number("Pictures per second"), "where untold"),
  bit_depth: whole("Bits per colour"),
  dynamic_range: oneOf("Range of light", ["sdr", "hdr10", "hlg", "dolby_vision"]),
  interlaced: flag("Is interlaced"),
};

const SUBTITLE_FIELDS: Fields<TracksDto["subtitles"][number]> = {
  index: whole("The n of /subtitles/{n}.vtt and s{n}"),
  language,
  title,
  codec: text("Codec or format"),
  default: flag("Shown unless the viewer says otherwise"),
  forced: flag("Only what is said in another language than the film's"),
  source: oneOf("Where they are", ["embedded", "file"]),
  available: flag("Can be had as text"),
  reason: orNull(text("Why not"), "where they can be had"),
};

const SESSION_FIELDS: Fields<SessionDto> = {
  session: text("Id of the session; ends 60 s after its player was last heard of"),
  mode: either("How the file goes out", {
    direct: "as it is",
    remux: "as HLS, its pictures as they are",
    transcode: "as HLS, its pictures encoded anew",
  }),
  is_playable: flag("false = this player plays it in no way; another may, by the url"),
  url: text("Path on this server to play, with its token"),
  reasons: list(
    object<SessionDto["reasons"][number]>({
      code: oneOf("Reason", REASON_CODES),
      message: text("For people"),
      track: orNull(text("v0, a1, s2"), "for the file as a whole"),
    }),
    "Why it does not go out as it is",
  ),
  quality: oneOf("What plays first", QUALITIES),
  qualities: list(oneOf("Quality", QUALITIES), "What can be had as HLS, best first"),
  audio: orNull(whole("Audio track that plays first"), "without sound"),
};

/** Never sent over HTTP. */
const SILENT: readonly ErrorCode[] = ["config_invalid", "start_failed"];
const SENT_CODES = ERROR_CODES.filter((code) => !SILENT.includes(code));

const files = list(ref("File"), "The files, in the torrent's order");

export const DTO_SCHEMAS = {
  Torrent: object(TORRENT_FIELDS),
  TorrentList: object({
    items: list(ref("Torrent"), "The page that was asked for"),
    total: whole("Torrents on all pages"),
  }),
  TorrentDetail: object({
    ...TORRENT_FIELDS,
    playlist_url: text("Path on this server that opens the playlist without a login"),
    files,
  }),
  File: object(FILE_FIELDS),
  FileList: object({ files }),
  Wait: object(WAIT_FIELDS),
  PeerList: object({ items: list(object(PEER_FIELDS), "Connected peers") }),
  TrackerList: object({ items: list(object(TRACKER_FIELDS), "Trackers") }),
  Pieces: object({
    count: whole("Number of pieces"),
    length: bytes("Length of a piece"),
    have: text("A bit per piece, base64, the first piece in the highest bit"),
  }),
  Settings: object<SettingsDto>(
    Object.fromEntries(
      Object.entries((settingsPatch as JsonSchema).properties ?? {}).map(([key, one]) => [
        key,
        shownSchema(one),
      ]),
    ) as Fields<SettingsDto>,
  ),
  Status: object(STATUS_FIELDS),
  Stream: object(STREAM_FIELDS),
  StreamInfo: object<StreamInfoDto>({
    mode: oneOf("How it is delivered to whoever asks", ["direct", "hls"]),
    is_complete: flag("Every byte is there"),
    size: bytes("Size of the file"),
    duration_sec: orNull(number("Length, seconds"), "where nothing is known yet"),
    position_sec: orNull(number("Where the asker's player is, seconds"), "without a session"),
    tracks: orNull(
      object<TracksDto>({
        video: orNull(object<NonNullable<TracksDto["video"]>>(VIDEO_FIELDS), "for sound alone"),
        audio: list(ref("AudioTrack"), "Audio tracks"),
        subtitles: list(
          object<TracksDto["subtitles"][number]>(SUBTITLE_FIELDS),
          "Subtitles: in the file, then beside it",
        ),
      }),
      "where the file was not read yet: it is when somebody plays it",
    ),
    wait: orNull({ ...ref("Wait"), description: "What it waits for" }, "where it waits for nothing"),
    window: orNull(
      object({
        position_bytes: bytes("Where the reader is"),
        ahead_bytes: bytes("There from the position on"),
      }),
      "unless somebody watches",
    ),
  }),
  AudioTrack: object(AUDIO_FIELDS),
  AudioTrackList: list(ref("AudioTrack"), "Audio tracks"),
  Session: object(SESSION_FIELDS),
  Health: object({ status: oneOf("Always ok", ["ok"]), version: text("Version of the server") }),
  Error: object({
    error: object({
      code: oneOf(
        `What went wrong: ${SENT_CODES.map((code) => `${code} (${statusOf(code)})`).join(", ")}`,
        SENT_CODES,
      ),
      message: text("For people; a field at fault is named, its value never"),
    }),
  }),
} as const satisfies Readonly<Record<string, JsonSchema>>;

export type ShownDto = keyof typeof DTO_SCHEMAS;
