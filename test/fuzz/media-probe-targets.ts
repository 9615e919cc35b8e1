// Targets of the media pipeline: what ffprobe says of a hostile file, and what clients say of themselves.

import { TorrxError } from "../../src/base/errors.ts";
import { acceptsPlaylist } from "../../src/media/decision/accept.ts";
import { parseCaps } from "../../src/media/decision/caps.ts";
import { judgeCodec } from "../../src/media/decision/codec-support.ts";
import { decide } from "../../src/media/decision/decide.ts";
import { parseProbe } from "../../src/media/probe/parse-probe.ts";
import { chrome, indexed, machine } from "../unit/media/decision/films.ts";
import type { FuzzTarget } from "./fuzz.ts";

const bytes = (text: string) => new Uint8Array(Buffer.from(text));
const json = (value: unknown) => bytes(JSON.stringify(value));
const textOf = (input: Uint8Array) => Buffer.from(input).toString("utf8");

function must(condition: boolean, what: string): void {
  if (!condition) throw new Error(`broken promise: ${what}`);
}

const PROBED = {
  streams: [
    {
      ...{
        index: 0,
        codec_type: "video",
        codec_name: "hevc",
        profile: "Main 10",
        level: 153,
        width: 3840,
        height: 2160,
      },
      ...{
        pix_fmt: "yuv420p10le",
        field_order: "tt",
        color_transfer: "smpte2084",
        avg_frame_rate: "24000/1001",
      },
      side_data_list: [
        { side_data_type: "DOVI configuration record", dv_profile: 8, dv_bl_signal_compatibility_id: 1 },
      ],
    },
    {
      index: 1,
      codec_type: "audio",
      codec_name: "aac",
      profile: "LC",
      channels: 2,
      sample_rate: "48000",
      tags: { language: "rus", title: "x" },
    },
    {
      index: 2,
      codec_type: "subtitle",
      codec_name: "ass",
      disposition: { forced: 1 },
      tags: { title: "Forced" },
    },
  ],
  format: { format_name: "matroska,webm", duration: "5400.0", bit_rate: "5000000" },
};
const JSON_DICTIONARY = [
  ...'{}[]":,',
  "null",
  "1e999",
  "-1",
  "0/0",
  '"__proto__"',
  "\\u0000",
  "\\ud800",
  "\u202e",
  "99999999999999999999",
].map(bytes);

const probe: FuzzTarget = {
  name: "ffprobe's JSON",
  corpus: [json(PROBED), json({ streams: PROBED.streams.slice(1) })],
  dictionary: JSON_DICTIONARY,
  run(input) {
    const film = parseProbe(textOf(input));
    const tracks = [...film.audio, ...film.subtitles];
    must(film.video !== null || film.audio.length > 0, "there is something to play");
    must(
      film.audio.every(({ index }, place) => index === place),
      "tracks are counted",
    );
    for (const text of tracks.flatMap(({ title, language }) => [title, language])) {
      must(
        text === null || (/^[^\p{Cc}\u202e]{1,240}$/u.test(text) && text.isWellFormed()),
        "text is fit to be shown",
      );
    }
    const facts = { probe: film, index: indexed(), caps: chrome(), machine: machine() };
    const decision = decide({ ...facts, quality: "720", audio: 3, mediaType: "video/mp4" });
    must(decision.mode === "direct" || decision.isPlayable, "HLS is offered where it plays");
    must(
      new Set(decision.reasons.map(({ code, track }) => `${code} ${track}`)).size === decision.reasons.length,
      "a reason is told once",
    );
  },
  isExpected: (error) => error instanceof TorrxError && error.code === "unsupported_media",
};

const caps: FuzzTarget = {
  name: "a player's caps",
  corpus: [
    json({
      mse: true,
      native_hls: false,
      types: [{ type: 'video/mp4; codecs="avc1.640028"', plays: true }],
      hdr: ["hlg"],
    }),
    json({
      mse: false,
      native_hls: true,
      types: [{ type: "video/webm;codecs=vp9,opus", plays: true }],
      max_height: 720,
      platform: "ios",
    }),
  ],
  dictionary: [...JSON_DICTIONARY, ...["hvc1.2.4.L153.B0", "av01.0.13M.10", "codecs=", ";", "."].map(bytes)],
  run(input) {
    const { types } = parseCaps(JSON.parse(textOf(input)));
    for (const codec of ["avc1.640028", "hvc1.2.4.L120.B0", "vp09.00.41.08", "mp4a.40.2", ""])
      judgeCodec(types, "mp4", codec);
  },
  isExpected: (error) =>
    error instanceof SyntaxError || (error instanceof TorrxError && error.code === "validation"),
};

const accept: FuzzTarget = {
  name: "Accept",
  corpus: [
    "*/*",
    'video/mp4;a="b,c";q=0.5, application/*;q=0',
    "text/html, application/vnd.apple.mpegurl;q=1.0",
  ].map(bytes),
  dictionary: ["*/*", ";q=0", '"', "\\", ",", "application/*", "q=1"].map(bytes),
  run(input) {
    const header = textOf(input);
    must(acceptsPlaylist(header) === acceptsPlaylist(header.toUpperCase()), "case does not count");
  },
  isExpected: () => false,
};

export const MEDIA_PROBE_TARGETS: readonly FuzzTarget[] = [probe, caps, accept];
