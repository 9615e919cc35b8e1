// What feeds the video element, and what of it can be changed while it plays. Tracks go by the server's numbers.

import type { Quality } from "../api/types.ts";
import type { Fault, Remedy } from "./recovery.ts";

export interface Source {
  /** What it can play in the place of what it plays. */
  readonly audio: readonly number[];
  readonly subtitles: readonly number[];
  /** Best first. */
  readonly qualities: readonly Quality[];
  chooseAudio(index: number): void;
  /** null: none. */
  chooseSubtitles(index: number | null): void;
  chooseQuality(quality: Quality): void;
  /** What it does itself about a fault it told of. */
  remedy(remedy: Extract<Remedy, { kind: "load_again" | "recover_media" }>): void;
  /** Lets go of the element and ends every request at once. */
  close(): void;
}

export interface SourceEvents {
  /** What can be chosen is known, or it has changed. */
  onTracks(): void;
  onAudio(index: number | null): void;
  onSubtitles(index: number | null): void;
  /** In the browser's own controls. */
  onSubtitlesChosen(index: number | null): void;
  /** `text`: what the server said, null where it said nothing. */
  onFault(fault: Fault, text: string | null): void;
  /** The server asks to wait, with its reason, or it no longer does; tried again without being told. */
  onBusy(text: string | null): void;
  /** The browser does not begin by itself. */
  onRefused(): void;
  /** Chosen subtitles do not come, for this reason. */
  onNoSubtitles(text: string | null): void;
}

export interface SourceOptions {
  readonly video: HTMLVideoElement;
  /** Absolute. */
  readonly url: string;
  /** Where it begins, and begins again. */
  readonly positionSec: () => number;
  /** The viewer has stopped it, or never wanted it to begin. */
  readonly isPaused: () => boolean;
  readonly events: SourceEvents;
}

/** Browsers that want a press of the button first are left with it. */
export function play({ video, isPaused, events }: SourceOptions): void {
  if (isPaused()) return;
  video.play().catch((error: unknown) => {
    if (error instanceof DOMException && error.name === "NotAllowedError") events.onRefused();
  });
}
