// EXT-X-MEDIA (RFC 8216 §4.3.4.1): the audio tracks and the text subtitles that go with a film's video.

import type { AudioTrack, RenditionId } from "../ports.ts";
import { type AttributeValue, attributeList, decimal, quoted, yesNo } from "./attributes.ts";
import type { Bandwidth } from "./bandwidth.ts";
import { type UriOf, uriText } from "./playlist-part.ts";
import { languageTag, namesOf } from "./track-names.ts";

/** Codec and channels are those of what is delivered. */
export interface AudioRendition
  extends Pick<
    AudioTrack,
    "index" | "title" | "language" | "channels" | "codecString" | "isDefault" | "isCommentary"
  > {
  readonly bandwidth: Bandwidth;
}

export interface SubtitleRendition {
  /** The n of s{n}. */
  readonly index: number;
  readonly title: string | null;
  /** BCP 47, or null. */
  readonly language: string | null;
  /** Shown unless the viewer says otherwise. */
  readonly isDefault: boolean;
  /** Only what is said in other languages than the film's. */
  readonly isForced: boolean;
}

export const AUDIO_GROUP = "audio";
export const SUBTITLE_GROUP = "subs";

/** `chosen` is the one that plays at first. */
export function audioTags(
  audio: readonly AudioRendition[],
  chosen: AudioRendition | null,
  uriOf: UriOf,
): string[] {
  const names = namesOf(audio, "Audio");
  // The chosen one stands for its language, and a commentary for none.
  const own = audio.filter(({ isCommentary }) => !isCommentary);
  const selectable = firstOfLanguages(chosen === null ? own : [chosen, ...own]);
  return audio.map((track, i) =>
    mediaTag({
      TYPE: "AUDIO",
      "GROUP-ID": quoted(AUDIO_GROUP),
      NAME: quoted(names[i] ?? null),
      LANGUAGE: quoted(languageTag(track.language)),
      DEFAULT: yesNo(track === chosen),
      AUTOSELECT: yesNo(selectable.has(track)),
      CHANNELS: quoted(decimal(track.channels)),
      URI: uriAttribute(uriOf, { kind: "audio", track: track.index, quality: "original" }),
    }),
  );
}

export function subtitleTags(subtitles: readonly SubtitleRendition[], uriOf: UriOf): string[] {
  const names = namesOf(subtitles, "Subtitles");
  // A group has one default at most.
  const shown = subtitles.find(({ isDefault }) => isDefault);
  const ordered = shown === undefined ? subtitles : [shown, ...subtitles];
  const selectable = new Set([
    ...firstOfLanguages(ordered.filter(({ isForced }) => isForced)),
    ...firstOfLanguages(ordered.filter(({ isForced }) => !isForced)),
  ]);
  return subtitles.map((track, i) =>
    mediaTag({
      TYPE: "SUBTITLES",
      "GROUP-ID": quoted(SUBTITLE_GROUP),
      NAME: quoted(names[i] ?? null),
      LANGUAGE: quoted(languageTag(track.language)),
      DEFAULT: yesNo(track === shown),
      AUTOSELECT: yesNo(selectable.has(track)),
      FORCED: yesNo(track.isForced),
      URI: uriAttribute(uriOf, { kind: "subtitle", track: track.index, quality: "original" }),
    }),
  );
}

/** What a player may choose from by language alone has to differ by it. */
function firstOfLanguages<T extends { readonly language: string | null }>(tracks: readonly T[]): Set<T> {
  const first = new Map<string | null, T>();
  for (const track of tracks) {
    const language = languageTag(track.language);
    if (!first.has(language)) first.set(language, track);
  }
  return new Set(first.values());
}

function mediaTag(attributes: Readonly<Record<string, AttributeValue>>): string {
  return `#EXT-X-MEDIA:${attributeList(attributes)}`;
}

function uriAttribute(uriOf: UriOf, rendition: RenditionId): string {
  return `"${uriText(uriOf({ part: "playlist", rendition }))}"`;
}
