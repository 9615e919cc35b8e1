// What the player shows of playing.

import { createStore, type SetStoreFunction } from "solid-js/store";
import type { PlaySession, Quality, Tracks } from "../api/types.ts";

export interface View {
  /** null until the server has said how the film is sent. */
  session: PlaySession | null;
  tracks: Tracks | null;
  /** What can be chosen now. */
  audio: readonly number[];
  subtitles: readonly number[];
  chosen: { audio: number | null; subtitles: number | null; quality: Quality };
  /** Why the server asks to wait; null where it does not. */
  busy: string | null;
  /** Something that does not work while the film plays on. */
  note: string | null;
  /** Why the film does not play. */
  problem: { readonly text: string; readonly why: readonly string[] } | null;
}

export function createView(): [View, SetStoreFunction<View>] {
  return createStore<View>({
    session: null,
    tracks: null,
    audio: [],
    subtitles: [],
    chosen: { audio: null, subtitles: null, quality: "original" },
    busy: null,
    note: null,
    problem: null,
  });
}
