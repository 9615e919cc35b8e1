// What stands for the facts of a file of which nothing could be read.

import type { MediaFacts } from "./ports.ts";

export const UNREAD: MediaFacts = {
  index: {
    container: "other",
    durationSec: null,
    tracks: [],
    keyframes: null,
    noIndex: "container",
    headBytes: [],
  },
  probe: {
    format: "",
    durationSec: null,
    bitsPerSec: null,
    video: null,
    audio: [],
    subtitles: [],
    attachments: 0,
  },
};
