// What a playlist points to, and the names that renditions have in URLs (PRODUCT §4: r=v0|a1|s2, q=original|720|480).

import { TorrxError } from "../../base/errors.ts";
import { QUALITIES, type Quality, type RenditionId } from "../ports.ts";

export type PlaylistPart =
  | { readonly part: "playlist" | "init"; readonly rendition: RenditionId }
  | { readonly part: "segment"; readonly rendition: RenditionId; readonly segment: number };

/** The URI of a part, with all that opens it (native players send no headers): an absolute path. */
export type UriOf = (part: PlaylistPart) => string;

const LETTERS = { video: "v", audio: "a", subtitle: "s" } as const;
const KINDS = { v: "video", a: "audio", s: "subtitle" } as const;
/** There is one video in a film. */
const NAME = /^(?:(v)(0)|([as])(0|[1-9]\d{0,2}))$/;

/** "v0", "a1", "s2". */
export function renditionName({ kind, track }: Pick<RenditionId, "kind" | "track">): string {
  return `${LETTERS[kind]}${track}`;
}

/** What `r` and `q` of a URL name; null where one of them is nothing of the kind. Video of any, else of no quality. */
export function tryRendition(r: string | null, q: string | null): RenditionId | null {
  const match = NAME.exec(r ?? "v0");
  const quality = tryQuality(q ?? "original");
  if (match === null || quality === null) return null;
  const letter = (match[1] ?? match[3]) as keyof typeof KINDS;
  const kind = KINDS[letter];
  return { kind, track: Number(match[2] ?? match[4]), quality: kind === "video" ? quality : "original" };
}

function tryQuality(text: string): Quality | null {
  return QUALITIES.find((quality) => quality === text) ?? null;
}

/** A URI as a line or attribute of a playlist: whoever made it must have escaped what would break out of either. */
export function uriText(uri: string): string {
  if (/^\/[\w.~!$&()*+,;=:@/?%-]*$/.test(uri)) return uri;
  throw new TorrxError("internal", "a playlist was to get a URI that is no absolute path");
}
