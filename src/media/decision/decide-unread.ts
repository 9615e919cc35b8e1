// What goes out of a file of which nothing could be read here: the file itself, for players that read it on their own.

import type { ClientCaps } from "./caps.ts";
import type { Decision } from "./decide.ts";
import { reason } from "./reasons.ts";

export interface UnreadFile {
  readonly caps: ClientCaps;
  /** The Content-Type that its bytes go out with. */
  readonly mediaType: string;
  /** It was read, and is nothing that FFmpeg knows; else there was nothing to read it with. */
  readonly isBroken: boolean;
}

export function decideUnread({ caps, mediaType, isBroken }: UnreadFile): Decision {
  return {
    mode: "direct",
    isPlayable: caps.readsContainers || (!isBroken && opens(caps, mediaType)),
    quality: "original",
    video: null,
    encoder: null,
    audio: [],
    audioIndex: null,
    subtitles: [],
    reasons: [reason(isBroken ? "ContentNotReadable" : "FFmpegNotAvailable")],
    offers: [],
    isLinear: false,
  };
}

/** Which codecs are inside is not known: a player that opens such files at all is taken to play this one. */
function opens({ types }: ClientCaps, mediaType: string): boolean {
  if (mediaType === "audio/mpeg") return true;
  const container = /^(?:video|audio)\/(mp4|webm)$/.exec(mediaType)?.[1];
  if (container === undefined) return false;
  return types.some(({ type, plays }) => plays && type.toLowerCase().startsWith(`video/${container}`));
}
