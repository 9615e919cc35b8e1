// Who asks for something of a file, and that a link is for this very file: checked by the front, and here once more.

import type { InfoHash } from "../../base/brand.ts";
import { TorrxError } from "../../base/errors.ts";
import { linkViewer, type Principal } from "../../services/access/index.ts";
import type { Asker } from "../../services/media/index.ts";
import type { RouteServices } from "../services.ts";
import { idOf } from "./torrents.ts";

export interface FileRequest {
  readonly params: { readonly id: string; readonly file: string };
  readonly query: { readonly token?: string | undefined; readonly session?: string | undefined };
  readonly request: Request;
}

/** Throws forbidden, not_found. */
export function askerOf({ access, contexts }: RouteServices, asked: FileRequest): Asker {
  const { params, query, request } = asked;
  const torrent = idOf(params.id);
  const file = Number(params.file);
  const { principal, clientAddress } = contexts.of(request);
  checkLink(principal, torrent, file);
  // What follows from the answer is asked for by its token alone: the viewer is the same from the first request on.
  const token =
    principal.kind === "link" && query.token !== undefined
      ? query.token
      : access.issueStreamToken({ torrent, file, viewer: principal.viewer });
  const link = access.verifyToken(token);
  if (link === null) throw new TorrxError("forbidden", "this link is no longer valid");
  return {
    torrent,
    file,
    viewer: linkViewer(link),
    clientAddress,
    userAgent: request.headers.get("user-agent"),
    accept: request.headers.get("accept"),
    token,
    session: query.session ?? null,
    signal: request.signal,
  };
}

/** Throws forbidden. `file` null = the torrent's playlist. */
export function checkLink(principal: Principal, torrent: InfoHash, file: number | null): void {
  if (principal.kind === "user") return;
  const token = principal.kind === "link" ? principal.token : null;
  const isFor = token?.kind === "playlist" ? file === null : token?.file === file;
  if (isFor && token?.torrent === torrent) return;
  throw new TorrxError("forbidden", "this link opens something else");
}
