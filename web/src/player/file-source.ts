// A film as the browser reads it by itself: the file's own bytes, or the playlist where the browser plays HLS without
// help (its own controls then offer the tracks). Subtitles of a file come as WebVTT beside it.

import { absolute, type FilePlace } from "../api/client.ts";
import type { SubtitleTrack } from "../api/types.ts";
import { subtitleText } from "../lib/track-text.ts";
import { play, type Source, type SourceOptions } from "./source.ts";
import { TextTracks } from "./text-tracks.ts";

export class FileSource implements Source {
  readonly audio: readonly number[] = [];
  readonly qualities: Source["qualities"] = [];
  readonly #options: SourceOptions;
  readonly #texts: TextTracks;
  #reload = 0;

  constructor(options: SourceOptions) {
    this.#options = options;
    const { video, events } = options;
    this.#texts = new TextTracks(video, events.onSubtitlesChosen);
    video.addEventListener("loadedmetadata", this.#seek);
    this.#load();
  }

  get subtitles(): number[] {
    return this.#texts.indexes;
  }

  /** Beside a file; a playlist has its own. */
  offerSubtitles(file: FilePlace, subtitles: readonly SubtitleTrack[]): void {
    const { events } = this.#options;
    for (const subtitle of subtitles.filter(({ available }) => available)) {
      const { index, language } = subtitle;
      const text = { index, label: subtitleText(subtitle), language: language ?? "" };
      const url = absolute(`/api/stream/${file.torrentId}/${file.fileIndex}/subtitles/${index}.vtt`);
      this.#texts.offer(text, url).addEventListener("error", () => events.onNoSubtitles(null));
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
    this.#texts.show(index);
    this.#options.events.onSubtitles(index);
  }

  remedy(remedy: Parameters<Source["remedy"]>[0]): void {
    clearTimeout(this.#reload);
    const afterMs = remedy.kind === "load_again" ? remedy.afterMs : 0;
    this.#reload = window.setTimeout(() => this.#load(), afterMs);
  }

  close(): void {
    const { video } = this.#options;
    clearTimeout(this.#reload);
    video.removeEventListener("loadedmetadata", this.#seek);
    this.#texts.close();
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
}
