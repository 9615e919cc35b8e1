// The URLs of a film's parts. Each carries all that opens it: players that load playlists by themselves send neither
// headers nor the query of the playlist along.

import { type PlaylistPart, renditionName, type UriOf } from "../../media/index.ts";
import type { InputPlace } from "./loopback-inputs.ts";

export interface Opening {
  readonly token: string;
  /** null where the bare link is played. */
  readonly session: string | null;
}

/** Absolute paths. */
export function uriOf(place: InputPlace, opening: Opening): UriOf {
  const base = `/api/stream/${place.torrent}/${place.file}`;
  return (part) => {
    const { rendition } = part;
    const query = new URLSearchParams({ r: renditionName(rendition) });
    if (rendition.quality !== "original") query.set("q", rendition.quality);
    if (opening.session !== null) query.set("session", opening.session);
    query.set("token", opening.token);
    return `${base}/${pathOf(part)}?${query}`;
  };
}

export function masterUri(place: InputPlace, opening: Opening, audio: number | null): string {
  const query = new URLSearchParams();
  if (opening.session !== null) query.set("session", opening.session);
  if (audio !== null) query.set("audio", String(audio));
  query.set("token", opening.token);
  return `/api/stream/${place.torrent}/${place.file}/master.m3u8?${query}`;
}

function pathOf(part: PlaylistPart): string {
  switch (part.part) {
    case "playlist":
      return "playlist.m3u8";
    case "init":
      return "segment/init";
    case "segment":
      return `segment/${part.segment}`;
  }
}
