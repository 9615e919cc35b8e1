// /api/torrents: add, list, show, change, remove, and the commands.

import { Elysia } from "elysia";
import { type InfoHash, tryInfoHash } from "../../base/brand.ts";
import { TorrxError } from "../../base/errors.ts";
import { streamPath } from "../../base/stream-url.ts";
import type { Added, FilePatch, FileView, TorrentPatch, TorrentQuery } from "../../services/ports.ts";
import { fileDto, type TorrentDto, torrentDto } from "../dto/torrent.ts";
import { answers } from "../openapi/answers.ts";
import { addBody, filesPatch, listQuery, removeQuery, torrentParams, torrentPatch } from "../schemas.ts";
import type { RouteServices } from "../services.ts";

type AddBody = typeof addBody.static;
const DETAIL = { tags: ["torrents"] };
/** Above this only videos get a link: one costs a signature. */
const LINKS = 1_000;

const DOCS = {
  add: {
    summary: "Add by magnet, link or file; 200 if it was there already",
    ...answers({ 200: "Torrent", 201: "Torrent" }, [
      "bad_request",
      "invalid_magnet",
      "invalid_torrent",
      "too_large",
      "unsupported_media",
      "validation",
      "disk_full",
    ]),
  },
  list: { summary: "The catalogue", ...answers({ 200: "TorrentList" }, ["validation"]) },
  show: {
    summary: "One torrent with its files and their stream links",
    ...answers({ 200: "TorrentDetail" }, ["not_found"]),
  },
  change: {
    summary: "Change name, priority or limits",
    ...answers({ 200: "Torrent" }, ["not_found", "validation"]),
  },
  choose: {
    summary: "Choose files and their priority",
    ...answers({ 200: "FileList" }, ["not_found", "not_ready", "validation"]),
  },
  remove: {
    summary: "Remove from the list, or with its files",
    ...answers({ 204: "nothing" }, ["not_found", "validation"]),
  },
};

export function torrentRoutes(services: RouteServices) {
  const { torrents } = services;
  return new Elysia({ normalize: false, detail: DETAIL })
    .post(
      "/api/torrents",
      async ({ body, set }) => {
        const { torrent, isNew } = await add(services, body);
        set.status = isNew ? 201 : 200;
        return torrentDto(torrent);
      },
      {
        body: addBody,
        detail: DOCS.add,
      },
    )
    .get("/api/torrents", ({ query }) => list(services, query), {
      query: listQuery,
      detail: DOCS.list,
    })
    .get(
      "/api/torrents/:id",
      ({ params, request }) => {
        const { torrent, files } = torrents.get(idOf(params.id));
        const { viewer } = services.contexts.of(request).principal;
        return { ...torrentDto(torrent), ...linked(services, { id: torrent.id, files, viewer }) };
      },
      {
        params: torrentParams,
        detail: DOCS.show,
      },
    )
    .patch(
      "/api/torrents/:id",
      async ({ params, body }) => torrentDto(await torrents.patch(idOf(params.id), patchOf(body))),
      {
        params: torrentParams,
        body: torrentPatch,
        detail: DOCS.change,
      },
    )
    .patch(
      "/api/torrents/:id/files",
      async ({ params, body, request }) => {
        const id = idOf(params.id);
        const files = await torrents.patchFiles(id, body.files.map(filePatchOf));
        const { viewer } = services.contexts.of(request).principal;
        return { files: linked(services, { id, files, viewer }).files };
      },
      {
        params: torrentParams,
        body: filesPatch,
        detail: DOCS.choose,
      },
    )
    .delete(
      "/api/torrents/:id",
      async ({ params, query, set }) => {
        await torrents.remove(idOf(params.id), { deleteFiles: query.delete_files === "true" });
        set.status = 204;
      },
      {
        params: torrentParams,
        query: removeQuery,
        detail: DOCS.remove,
      },
    );
}

export function torrentCommands({ torrents }: RouteServices) {
  const options = (summary: string) => ({
    params: torrentParams,
    detail: { summary, ...answers({ 200: "Torrent" }, ["not_found"]) },
  });
  return new Elysia({ normalize: false, detail: DETAIL })
    .put(
      "/api/torrents/:id/pause",
      async ({ params }) => torrentDto(await torrents.pause(idOf(params.id))),
      options("Stop it until it is resumed"),
    )
    .put(
      "/api/torrents/:id/resume",
      async ({ params }) => torrentDto(await torrents.resume(idOf(params.id))),
      options("Go on, also after a fault"),
    )
    .put(
      "/api/torrents/:id/recheck",
      async ({ params }) => torrentDto(await torrents.recheck(idOf(params.id))),
      options("Read its files again and go on with what is really there"),
    )
    .put(
      "/api/torrents/:id/reannounce",
      async ({ params }) => torrentDto(await torrents.reannounce(idOf(params.id))),
      options("Ask trackers and DHT for peers now"),
    );
}

/** Throws not_found: what is no id names no torrent. */
export function idOf(text: string): InfoHash {
  const id = tryInfoHash(text);
  if (id === null) throw new TorrxError("not_found", "there is no such torrent");
  return id;
}

async function add({ torrents }: RouteServices, body: AddBody): Promise<Added> {
  const { magnet, url, torrent, paused } = body;
  if ([magnet, url, torrent].filter((one) => one !== undefined).length !== 1) {
    throw new TorrxError("validation", "exactly one of magnet, url and torrent must be given");
  }
  const options = { paused: paused === true || paused === "true" };
  if (magnet !== undefined) return torrents.addMagnet(magnet, options);
  if (url !== undefined) return torrents.addUrl(url, options);
  return torrents.addTorrentFile(
    new Uint8Array((await torrent?.arrayBuffer()) ?? new ArrayBuffer()),
    options,
  );
}

function list({ torrents }: RouteServices, query: typeof listQuery.static) {
  const { fields, limit, offset, ...rest } = query;
  const { items, total } = torrents.list({
    ...(rest as Pick<TorrentQuery, "status" | "search" | "sort">),
    ...(limit !== undefined && { limit: Number(limit) }),
    ...(offset !== undefined && { offset: Number(offset) }),
  });
  const dtos = items.map(torrentDto);
  return { items: fields === undefined ? dtos : dtos.map((dto) => pick(dto, fields.split(","))), total };
}

function pick(dto: TorrentDto, fields: readonly string[]): Partial<TorrentDto> {
  const unknown = fields.some((field) => !Object.hasOwn(dto, field));
  if (unknown)
    throw new TorrxError("validation", `fields must be names out of: ${Object.keys(dto).join(", ")}`);
  return Object.fromEntries(fields.map((field) => [field, dto[field as keyof TorrentDto]]));
}

function linked(
  { access }: RouteServices,
  { id, files, viewer }: { id: InfoHash; files: readonly FileView[]; viewer: string },
) {
  const urlOf = (file: FileView) => {
    if (files.length > LINKS && !file.isVideo) return null;
    const token = access.issueStreamToken({ torrent: id, file: file.index, viewer });
    const name = file.path.slice(file.path.lastIndexOf("/") + 1);
    return `${streamPath({ torrent: id, file: file.index, name })}?token=${token}`;
  };
  return {
    playlist_url: `/api/torrents/${id}/playlist.m3u8?token=${access.issuePlaylistToken({ torrent: id, viewer })}`,
    files: files.map((file) => fileDto(file, urlOf(file))),
  };
}

function patchOf(body: typeof torrentPatch.static): TorrentPatch {
  const { name, priority, download, max_download_speed, max_upload_speed } = body;
  return {
    ...(name !== undefined && { name }),
    ...(priority !== undefined && { priority }),
    ...(download !== undefined && { download }),
    ...(max_download_speed !== undefined && { maxDownloadSpeed: max_download_speed }),
    ...(max_upload_speed !== undefined && { maxUploadSpeed: max_upload_speed }),
  };
}

function filePatchOf(patch: (typeof filesPatch.static)["files"][number]): FilePatch {
  const { index, is_selected, priority } = patch;
  return {
    index,
    ...(is_selected !== undefined && { isSelected: is_selected }),
    ...(priority !== undefined && { priority }),
  };
}
