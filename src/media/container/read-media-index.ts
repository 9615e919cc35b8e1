// The index of a film: its tracks, its duration and where its key frames are, from a few small reads of a file that may
// still be on its way. Knows Matroska/WebM and MP4/MOV; every other container has none that a copy can be cut by.

import type { MediaIndex, MediaSource } from "../ports.ts";
import { EBML_MAGIC } from "./ebml.ts";
import { IndexDraft } from "./index-draft.ts";
import { IndexFault } from "./index-fault.ts";
import { readMatroska } from "./matroska.ts";
import { readMp4 } from "./mp4.ts";
import { isMp4Head } from "./mp4-layout.ts";
import { RangeCache } from "./range-cache.ts";

const HEAD_BYTES = 64;

/**
 * Never rejects for what the file contains: that is told by `noIndex`. Rejects with what the source rejects with, or
 * with the signal's reason.
 */
export async function readMediaIndex(source: MediaSource, signal: AbortSignal): Promise<MediaIndex> {
  const cache = new RangeCache(source, signal);
  const draft = new IndexDraft(containerOf(await cache.readUpTo(0, HEAD_BYTES)));
  try {
    const keyframes = await readKeyframes(cache, draft);
    return { ...factsOf(draft, cache), keyframes, noIndex: null };
  } catch (error) {
    if (!(error instanceof IndexFault)) throw error;
    return { ...factsOf(draft, cache), keyframes: null, noIndex: error.reason };
  }
}

function containerOf(head: Uint8Array): MediaIndex["container"] {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  if (head.length >= 4 && view.getUint32(0) === EBML_MAGIC) return "matroska";
  return isMp4Head(head) ? "mp4" : "other";
}

async function readKeyframes(
  cache: RangeCache,
  draft: IndexDraft,
): Promise<NonNullable<MediaIndex["keyframes"]>> {
  switch (draft.container) {
    case "matroska":
      return await readMatroska(cache, draft);
    case "mp4":
      return await readMp4(cache, draft);
    case "other":
      throw new IndexFault("container");
  }
}

function factsOf(draft: IndexDraft, cache: RangeCache): Omit<MediaIndex, "keyframes" | "noIndex"> {
  return {
    container: draft.container,
    durationSec: draft.durationSec,
    tracks: draft.tracks,
    headBytes: draft.headWithin(cache.lengthBytes),
  };
}
