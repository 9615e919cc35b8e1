// Playing a file while it is on its way: sessions, playlists, segments, subtitles. The link of a file opens all of it.

import { Elysia } from "elysia";
import { TorrxError } from "../../base/errors.ts";
import { STREAM_WORDS } from "../../base/stream-url.ts";
import { type Asker, type MasterChoice, type MediaPart, tryRendition } from "../../services/media/index.ts";
import { audioTrackDto, sessionDto } from "../dto/media.ts";
import { answers } from "../openapi/answers.ts";
import {
  fileParams,
  masterQuery,
  namedFileParams,
  openQuery,
  pingBody,
  renditionQuery,
  segmentParams,
  sessionBody,
  sessionParams,
  subtitleParams,
  subtitleQuery,
} from "../schemas.ts";
import type { RouteServices } from "../services.ts";
import { askerOf, type FileRequest } from "./asker.ts";
import { partBody } from "./part-body.ts";

const PLAYLIST_HEADERS = {
  "content-type": "application/vnd.apple.mpegurl; charset=utf-8",
  "cache-control": "no-store",
  // Under the address of the file others get its bytes.
  vary: "Accept, User-Agent",
};
const TEXT_TYPE = "text/vtt; charset=utf-8";
const PART_TYPES: Readonly<Record<MediaPart["kind"], string>> = {
  video: "video/mp4",
  audio: "audio/mp4",
  subtitle: TEXT_TYPE,
};

const detail = (summary: string, success: Parameters<typeof answers>[0]) => ({
  summary,
  ...answers(success, ["forbidden", "not_found", "not_ready", "unsupported_media", "validation", "busy"]),
});

const DOCS = {
  master: detail("HLS: the renditions of a film", { 200: "text" }),
  playlist: detail("HLS: the segments of a rendition, all of them from the first answer on", { 200: "text" }),
  segment: detail("HLS: a segment, or what comes before any; waits while it is made", { 200: "bytes" }),
  subtitles: detail("Subtitles as WebVTT: all that is known, or those of a stretch of the film", {
    200: "text",
  }),
  tracks: detail("The audio tracks of a file", { 200: "AudioTrackList" }),
};

export function playlistRoutes(services: RouteServices) {
  const { media } = services;
  const master = async (asked: FileRequest & { readonly query: MasterQuery }) =>
    new Response(await media.master(askerOf(services, asked), choiceOf(asked.query)), {
      headers: PLAYLIST_HEADERS,
    });
  // What the front does not answer with the bytes.
  const whole = { query: masterQuery, detail: { hide: true } };
  return new Elysia({ normalize: false, detail: { tags: ["streams"] } })
    .get("/api/stream/:id/:file", master, { params: fileParams, ...whole })
    .get(
      "/api/stream/:id/:file/:name",
      (asked) => {
        if (STREAM_WORDS.has(asked.params.name))
          throw new TorrxError("not_found", "there is nothing at this address");
        return master(asked);
      },
      { params: namedFileParams, ...whole },
    )
    .get("/api/stream/:id/:file/master.m3u8", master, {
      params: fileParams,
      query: masterQuery,
      detail: DOCS.master,
    })
    .get(
      "/api/stream/:id/:file/playlist.m3u8",
      async (asked) => {
        const text = await media.playlist(askerOf(services, asked), renditionOf(asked.query));
        return new Response(text, { headers: PLAYLIST_HEADERS });
      },
      { params: fileParams, query: renditionQuery, detail: DOCS.playlist },
    );
}

export function partRoutes(services: RouteServices) {
  const { media } = services;
  return new Elysia({ normalize: false, detail: { tags: ["streams"] } })
    .get(
      "/api/stream/:id/:file/segment/:n",
      async (asked) => {
        const { n } = asked.params;
        const asker = askerOf(services, asked);
        const rendition = renditionOf(asked.query);
        const part = await (n === "init" ? media.init(asker, rendition) : media.segment(asker, rendition, n));
        return answerPart(part, asker);
      },
      { params: segmentParams, query: renditionQuery, detail: DOCS.segment },
    )
    .get(
      "/api/stream/:id/:file/subtitles/:n",
      async (asked) => {
        const index = Number.parseInt(asked.params.n, 10);
        const text = await media.subtitles(askerOf(services, asked), index, stretchOf(asked.query));
        return new Response(text, {
          headers: { "content-type": TEXT_TYPE, "cache-control": "private, no-cache" },
        });
      },
      { params: subtitleParams, query: subtitleQuery, detail: DOCS.subtitles },
    )
    .get(
      "/api/stream/:id/:file/audio_tracks",
      async (asked) => (await media.tracks(askerOf(services, asked))).audio.map(audioTrackDto),
      { params: fileParams, query: openQuery, detail: DOCS.tracks },
    );
}

export function sessionRoutes(services: RouteServices) {
  const { media } = services;
  return new Elysia({ normalize: false, detail: { tags: ["streams"] } })
    .post(
      "/api/stream/:id/:file/session",
      async (asked) => {
        const { caps, position_sec = 0, audio = null, quality = "original", mode } = asked.body ?? {};
        const wish = { caps, positionSec: position_sec, audio, quality, isHlsForced: mode === "hls" };
        return sessionDto(await media.openSession(askerOf(services, asked), wish));
      },
      {
        params: fileParams,
        query: openQuery,
        body: sessionBody,
        detail: detail("Start to play: how this file goes to this player, where, and why", {
          200: "Session",
        }),
      },
    )
    .post(
      "/api/stream/:id/:file/session/:session/ping",
      (asked) => {
        const { session } = asked.params;
        const asker = { ...askerOf(services, asked), session };
        media.ping(asker, asked.body?.position_sec ?? null);
        asked.set.status = 204;
      },
      {
        params: sessionParams,
        query: openQuery,
        body: pingBody,
        detail: detail("Keep a session for another 60 s, and tell where its player is", { 204: "nothing" }),
      },
    )
    .post(
      "/api/stream/:id/:file/session/:session/end",
      (asked) => {
        const { session } = asked.params;
        media.endSession({ ...askerOf(services, asked), session });
        asked.set.status = 204;
      },
      {
        params: sessionParams,
        query: openQuery,
        detail: detail("End a session; what is made for it alone stops at once", { 204: "nothing" }),
      },
    );
}

type MasterQuery = typeof masterQuery.static;

function choiceOf({ audio, quality }: MasterQuery): MasterChoice {
  return { audio: audio === undefined ? null : Number(audio), quality: quality ?? null };
}

const STRETCH_SEC = 120;

function stretchOf({ from, to }: typeof subtitleQuery.static) {
  if (from === undefined && to === undefined) return null;
  const fromSec = Number(from ?? 0);
  return { fromSec, toSec: to === undefined ? fromSec + STRETCH_SEC : Number(to) };
}

/** Throws validation: a name can fit its pattern and be none (a00). */
function renditionOf({ r, q }: typeof renditionQuery.static) {
  const rendition = tryRendition(r ?? "v0", q ?? null);
  if (rendition === null)
    throw new TorrxError("validation", "r must be v0, or a or s with the number of a track");
  return rendition;
}

function answerPart(part: MediaPart, asker: Asker): Response {
  const headers = {
    "content-type": PART_TYPES[part.kind],
    "content-length": String(part.lengthBytes),
    "cache-control": cachingOf(part, asker),
  };
  return new Response(partBody(part), { headers });
}

/** With its session an address names all that the bytes depend on; else also who asks, and the settings. */
function cachingOf({ kind }: MediaPart, { session }: Asker): string {
  if (session === null) return "no-store";
  return kind === "subtitle" ? "private, no-cache" : "private, max-age=3600, immutable";
}
