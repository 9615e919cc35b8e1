// One film on one video element, from the press of Play to the leaving of the player: the server is asked how it sends the
// film to this browser, a source plays that, and what breaks off is begun again at the same place.

import { onCleanup } from "solid-js";
import { ApiError, absolute, api, errorText, type FilePlace } from "../api/client.ts";
import type { PlaySession, Quality, SessionWish } from "../api/types.ts";
import { busyText } from "../lib/busy-text.ts";
import { reasonTexts } from "../lib/track-text.ts";
import { browserCaps } from "./caps.ts";
import { FileSource } from "./file-source.ts";
import { openHls } from "./hls-source.ts";
import { type Fault, Recovery } from "./recovery.ts";
import { keepSession, openSession } from "./server-session.ts";
import type { Source, SourceEvents, SourceOptions } from "./source.ts";
import { createView } from "./view.ts";
import { createWaiting } from "./waiting.ts";

const UNSUPPORTED = "This browser cannot play this file. Open it in VLC or another player.";
const BROKEN = "The stream breaks off again and again.";
const NO_SUBTITLES = "These subtitles cannot be shown.";

export interface PlaybackOptions {
  readonly file: FilePlace;
  /** The file's bytes; absolute. */
  readonly directUrl: string;
  readonly video: () => HTMLVideoElement;
}

/** What the viewer chose; what is missing stays as the film has it. */
interface Choice {
  readonly quality?: Quality;
  readonly audio?: number;
  readonly subtitles?: number | null;
}

export class Playback {
  readonly waiting = createWaiting();
  readonly view;
  readonly #setView;
  readonly #options: PlaybackOptions;
  readonly #caps = browserCaps();
  #recovery = new Recovery();
  #choice: Choice = {};
  /** The file itself was tried and did not play. */
  #isHlsForced = false;
  #opening = new AbortController();
  #source: Source | null = null;
  #endSession: (() => void) | null = null;
  #atSec = 0;
  #isPaused = false;

  constructor(options: PlaybackOptions) {
    this.#options = options;
    [this.view, this.#setView] = createView();
    onCleanup(() => this.#leave());
  }

  async open(): Promise<void> {
    this.#leave();
    const { signal } = this.#opening;
    this.#setView({ problem: null, note: null });
    this.waiting.now();
    try {
      await this.#start(signal);
    } catch (error) {
      if (!signal.aborted) this.#refused(error);
    }
  }

  /** Anew after a problem. */
  retry(): void {
    this.#recovery = new Recovery();
    void this.open();
  }

  chooseAudio(audio: number): void {
    this.#choice = { ...this.#choice, audio };
    this.#setView("chosen", { audio });
    if (this.#source?.audio.includes(audio)) this.#source.chooseAudio(audio);
    else void this.open();
  }

  chooseSubtitles(subtitles: number | null): void {
    this.#choice = { ...this.#choice, subtitles };
    this.#setView("note", null);
    this.#source?.chooseSubtitles(subtitles);
  }

  chooseQuality(quality: Quality): void {
    this.#choice = { ...this.#choice, quality };
    this.#setView("chosen", { quality });
    if (this.#source?.qualities.includes(quality)) this.#source.chooseQuality(quality);
    else void this.open();
  }

  /** The video element tells that the viewer stopped it or let it go on. */
  notePaused(isPaused: boolean): void {
    this.#isPaused = isPaused;
  }

  notePlace(): void {
    const video = this.#options.video();
    // Loading anew sets the time back to 0 and tells of it; that is no place of the viewer's.
    if (video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return;
    this.#atSec = video.currentTime;
    this.#recovery.notePlaying(this.#atSec);
  }

  noteSeek(): void {
    const video = this.#options.video();
    if (video.readyState >= HTMLMediaElement.HAVE_METADATA) this.#atSec = video.currentTime;
    this.waiting.soon();
  }

  noteGoing(): void {
    this.#setView("busy", null);
    this.waiting.over();
  }

  /** The video element has given up; what plays by hls.js is its own care. */
  async noteFailure(): Promise<void> {
    const source = this.#source;
    if (!(source instanceof FileSource)) return;
    const code = this.#options.video().error?.code;
    const answer = await api.streamInfo(this.#options.file).catch((error: unknown) => error);
    if (this.#source !== source) return;
    const isAway = answer instanceof ApiError && (answer.code === "offline" || answer.code === "busy");
    const isFile = this.view.session === null || this.view.session.mode === "direct";
    if (isAway) this.#fault({ kind: "wait" }, null);
    // A playlist may belong to a session that has ended; the element does not tell.
    else if (code === MediaError.MEDIA_ERR_NETWORK) this.#fault({ kind: isFile ? "cut" : "other" }, null);
    else if (answer instanceof Error) this.#fail(errorText(answer));
    else this.#unplayable();
  }

  async #start(signal: AbortSignal): Promise<void> {
    const { file } = this.#options;
    const session = await openSession(file, this.#wish(), {
      signal,
      onBusy: (text) => this.#setView("busy", busyText(text)),
    });
    const endSession = keepSession(file, session.session, () => this.#atSec);
    if (signal.aborted) return endSession();
    this.#endSession = endSession;
    const { audio, quality } = session;
    this.#setView({ session, busy: null });
    this.#setView("chosen", { audio, quality, subtitles: null });
    if (!session.is_playable) return this.#fail(UNSUPPORTED);
    const source = await this.#sourceOf(session, signal);
    if (source === null) return;
    this.#source = source;
    this.#showTracks();
    await this.#nameTracks(session, signal);
  }

  #wish(): SessionWish {
    const { audio, quality } = this.#choice;
    return {
      caps: this.#caps,
      position_sec: this.#atSec,
      // All of them at once can be changed without a break.
      quality: quality === undefined || quality === "original" ? "all" : quality,
      ...(audio === undefined ? {} : { audio }),
      ...(this.#isHlsForced ? { mode: "hls" } : {}),
    };
  }

  async #sourceOf({ mode, url, quality }: PlaySession, signal: AbortSignal): Promise<Source | null> {
    const options = this.#sourceOptions(absolute(url));
    if (mode === "direct" || !this.#caps.mse) return new FileSource(options);
    return await openHls({ ...options, quality }, signal);
  }

  #sourceOptions(url: string): SourceOptions {
    return {
      video: this.#options.video(),
      url,
      positionSec: () => this.#atSec,
      isPaused: () => this.#isPaused,
      events: this.#events,
    };
  }

  /** The film plays without their names as well. */
  async #nameTracks({ mode }: PlaySession, signal: AbortSignal): Promise<void> {
    const { file } = this.#options;
    const tracks = await api.streamInfo(file).then(
      (info) => info.tracks,
      () => null,
    );
    if (signal.aborted || tracks === null) return;
    this.#setView({ tracks });
    const source = this.#source;
    if (!(source instanceof FileSource)) return;
    if (mode === "direct") source.offerSubtitles(file, tracks.subtitles);
    // Another playlist brings another track where the browser does not change it by itself.
    else this.#setView({ audio: tracks.audio.map(({ index }) => index) });
  }

  /** The server does not know how to send it; the browser may know what to do with the file. */
  #refused(error: unknown): void {
    if (error instanceof ApiError && error.code === "unsupported_media") {
      this.#setView("note", error.message);
      this.#source = new FileSource(this.#sourceOptions(this.#options.directUrl));
    } else this.#fail(errorText(error));
  }

  #unplayable(): void {
    const { session, note } = this.view;
    const canChange = session !== null && session.qualities.length > 0 && !this.#isHlsForced;
    if (canChange) {
      this.#isHlsForced = true;
      void this.open();
    } else this.#fail(UNSUPPORTED, note === null ? [] : [note]);
  }

  readonly #events: SourceEvents = {
    onTracks: () => this.#showTracks(),
    onAudio: (audio) => this.#setView("chosen", { audio }),
    onSubtitles: (subtitles) => this.#setView("chosen", { subtitles }),
    onSubtitlesChosen: (subtitles) => this.chooseSubtitles(subtitles),
    onFault: (fault, text) => this.#fault(fault, text),
    onBusy: (text) => this.#setView("busy", text === null ? null : busyText(text)),
    onRefused: () => this.waiting.over(),
    onNoSubtitles: (text) => this.#setView("note", text === null ? NO_SUBTITLES : `${NO_SUBTITLES} ${text}`),
  };

  #showTracks(): void {
    const source = this.#source;
    if (source === null) return;
    const { audio, subtitles } = source;
    this.#setView({ audio, subtitles });
    const chosen = this.#choice;
    if (chosen.audio !== undefined && audio.includes(chosen.audio)) source.chooseAudio(chosen.audio);
    if (chosen.subtitles === undefined) return;
    if (chosen.subtitles === null || subtitles.includes(chosen.subtitles)) {
      source.chooseSubtitles(chosen.subtitles);
    }
  }

  #fault(fault: Fault, text: string | null): void {
    const remedy = this.#recovery.remedyFor(fault, this.#atSec);
    this.waiting.now();
    if (remedy.kind === "give_up") this.#fail(text ?? (fault.kind === "media" ? UNSUPPORTED : BROKEN));
    else if (remedy.kind === "reopen") void this.open();
    else this.#source?.remedy(remedy);
  }

  #fail(text: string, why: readonly string[] = []): void {
    const { session, tracks } = this.view;
    this.#leave();
    this.waiting.over();
    this.#setView({
      audio: [],
      subtitles: [],
      busy: null,
      note: null,
      problem: { text, why: [...why, ...reasonTexts(session?.reasons ?? [], tracks)] },
    });
  }

  /** Nothing of it goes on. */
  #leave(): void {
    this.#opening.abort();
    this.#opening = new AbortController();
    this.#source?.close();
    this.#source = null;
    this.#endSession?.();
    this.#endSession = null;
  }
}
