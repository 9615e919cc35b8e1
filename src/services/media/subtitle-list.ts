// The subtitles of a film under one numbering, the n of s{n}: those inside the file, then those that lie beside it.

import type { ListedFile, Sidecar, SubtitleRendition, SubtitleTrack } from "../../media/index.ts";
import { sidecarsOf } from "../../media/index.ts";
import type { MediaFacts } from "./ports.ts";

export type ListedSubtitle =
  | { readonly kind: "embedded"; readonly index: number; readonly track: SubtitleTrack }
  | { readonly kind: "sidecar"; readonly index: number; readonly sidecar: Sidecar };

/** `files` are those of the torrent. */
export function subtitlesOf(
  facts: Pick<MediaFacts, "probe">,
  film: { readonly file: number },
  files: readonly ListedFile[],
): ListedSubtitle[] {
  return numbered(facts, sidecarsBeside(film, files));
}

export function sidecarsBeside(
  film: { readonly file: number },
  files: readonly ListedFile[],
): readonly Sidecar[] {
  const path = files.find(({ index }) => index === film.file)?.path;
  return path === undefined ? [] : sidecarsOf(files, path);
}

export function numbered(
  { probe }: Pick<MediaFacts, "probe">,
  sidecars: readonly Sidecar[],
): ListedSubtitle[] {
  return [
    ...probe.subtitles.map((track) => ({ kind: "embedded" as const, index: track.index, track })),
    ...sidecars.map((sidecar, i) => ({
      kind: "sidecar" as const,
      index: probe.subtitles.length + i,
      sidecar,
    })),
  ];
}

/** Text alone can be shown. */
export function isText(subtitle: ListedSubtitle): boolean {
  return subtitle.kind === "sidecar" || subtitle.track.isText;
}

export function renditionOf(subtitle: ListedSubtitle): SubtitleRendition {
  const { title, language, isForced } = subtitle.kind === "sidecar" ? subtitle.sidecar : subtitle.track;
  const isDefault = subtitle.kind === "embedded" && subtitle.track.isDefault;
  return { index: subtitle.index, title, language, isDefault, isForced };
}
