// What belongs to playing, besides the bytes, which the front serves itself: the playlist and a file's state. Links
// open these two; that a link is for this very torrent and file is checked here once more.

import { Elysia } from "elysia";
import type { InfoHash } from "../../base/brand.ts";
import { contentDisposition } from "../../base/content-disposition.ts";
import { streamPath } from "../../base/stream-url.ts";
import type { RequestContext } from "../../services/access/index.ts";
import type { Asker } from "../../services/media/index.ts";
import { streamInfoDto } from "../dto/media.ts";
import { answers } from "../openapi/answers.ts";
import { m3u } from "../playlist.ts";
import { fileParams, openQuery, playlistQuery, torrentParams } from "../schemas.ts";
import type { RouteServices } from "../services.ts";
import { askerOf, checkLink } from "./asker.ts";
import { idOf } from "./torrents.ts";

export function streamRoutes(services: RouteServices) {
  return new Elysia({ normalize: false, detail: { tags: ["streams"] } })
    .get(
      "/api/torrents/:id/playlist.m3u8",
      ({ params, request }) => {
        const id = idOf(params.id);
        const context = services.contexts.of(request);
        checkLink(context.principal, id, null);
        return playlist(services, id, { ...context, viewer: context.principal.viewer });
      },
      {
        params: torrentParams,
        query: playlistQuery,
        detail: {
          summary: "Playable files for VLC, Kodi, mpv, as M3U",
          ...answers({ 200: "text" }, ["forbidden", "not_found", "not_ready"]),
        },
      },
    )
    .get("/api/stream/:id/:file/info", (asked) => info(services, askerOf(services, asked)), {
      params: fileParams,
      query: openQuery,
      detail: {
        summary: "How a file is delivered and what it waits for",
        ...answers({ 200: "StreamInfo" }, ["forbidden", "not_found", "not_ready"]),
      },
    });
}

function playlist(
  { access, streams, torrents }: RouteServices,
  id: InfoHash,
  { origin, viewer }: Pick<RequestContext, "origin"> & { viewer: string },
): Response {
  const { name } = torrents.get(id).torrent;
  const entries = streams.playable(id).map((target) => {
    const token = access.issueStreamToken({ torrent: id, file: target.file, viewer });
    return { title: target.name, url: `${origin}${streamPath(target)}?mode=direct&token=${token}` };
  });
  return new Response(m3u(entries), {
    headers: {
      "content-type": "audio/x-mpegurl; charset=utf-8",
      "content-disposition": contentDisposition(`${fileName(name) || id}.m3u8`, true),
      "cache-control": "no-store",
    },
  });
}

const FILE_NAME_CHARS = 120;

/** A name that every file system takes; "" where nothing is left of it. */
function fileName(name: string): string {
  const plain = name
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, "")
    .replace(/[\\/:*?"<>|]+/g, "_");
  const cut = Array.from(plain).slice(0, FILE_NAME_CHARS).join("");
  return cut.replace(/^[. ]+|[. ]+$/g, "");
}

async function info({ streams, torrents, status, media }: RouteServices, asker: Asker) {
  const { torrent, file, viewer } = asker;
  const target = streams.resolve(torrent, file);
  const play = await media.info(asker);
  const rows = (await status.status()).streams.filter((row) => row.torrent === torrent && row.file === file);
  const stream = rows.find((row) => row.viewer === viewer) ?? rows[0];
  const wait = stream?.wait ?? (target.isComplete ? null : torrents.get(torrent).torrent.wait);
  return streamInfoDto({ target, play, wait, stream });
}
