// A film as the browser reads it by itself: the file's own bytes, or the playlist where the browser plays HLS without
// help (its own controls then offer the tracks). Subtitles of a file come as WebVTT beside it.

import { absolute, type FilePlace } from "../api/client.ts";
import type { SubtitleTrack } from "../api/types.ts";
import { subtitleText } from "../lib/track-text.ts";
import { play, type Source, type SourceOptions } from "./source.ts";

export class FileSource implements Source {
  readonly audio: readonly number[] = [];
  readonly qualities: Source["qualities"] = [];
  readonly #options: SourceOptions;
  readonly #tracks = new Map<number, HTMLTrackElement>();
  #reload = 0;

  constructor(options: SourceOptions) {
    this.#options = options;
    const { video } = options;
    video.textTracks.addEventListener("change", this.#tellSubtitles);
    video.addEventListener("loadedmetadata", this.#seek);
    this.#load();
  }

  get subtitles(): number[] {
    return [...this.#tracks.keys()];
  }

  /** Beside a file; a playlist has its own. */
  offerSubtitles(file: FilePlace, subtitles: readonly SubtitleTrack[]): void {
    const { video, events } = this.#options;
    for (const subtitle of subtitles.filter(({ available }) => available)) {
      const track = document.createElement("track");
      track.kind = "subtitles";
      track.srclang = subtitle.language ?? "";
      track.label = subtitleText(subtitle);
      track.src = absolute(`/api/stream/${file.torrentId}/${file.fileIndex}/subtitles/${subtitle.index}.vtt`);
      track.addEventListener("error", () => events.onNoSubtitles(null));
      this.#tracks.set(subtitle.index, track);
      video.append(track);
    }
    events.onTracks();
  }

  chooseAudio(): void {
    throw new Error("a browser cannot change the audio track of a file");
  }

  chooseQuality(): void {
    throw new Error("a file has one quality");
  }

  chooseSubtitles(index: number | null): void {
    for (const [number, { track }] of this.#tracks) track.mode = number === index ? "showing" : "disabled";
  }

  remedy(remedy: Parameters<Source["remedy"]>[0]): void {
    clearTimeout(this.#reload);
    const afterMs = remedy.kind === "load_again" ? remedy.afterMs : 0;
    this.#reload = window.setTimeout(() => this.#load(), afterMs);
  }

  close(): void {
    const { video } = this.#options;
    clearTimeout(this.#reload);
    video.textTracks.removeEventListener("change", this.#tellSubtitles);
    video.removeEventListener("loadedmetadata", this.#seek);
    for (const track of this.#tracks.values()) track.remove();
    // Ends the download at once; removing the element alone may leave it running.
    video.removeAttribute("src");
    video.load();
  }

  #load(): void {
    const { video, url } = this.#options;
    video.src = url;
    video.load();
    play(this.#options);
  }

  readonly #seek = () => {
    const { video, positionSec } = this.#options;
    const startSec = positionSec();
    if (startSec > 0) video.currentTime = startSec;
  };

  /** They can be chosen in the browser's own controls as well. */
  readonly #tellSubtitles = () => {
    const shown = [...this.#tracks].find(([, { track }]) => track.mode === "showing");
    this.#options.events.onSubtitles(shown?.[0] ?? null);
  };
}
