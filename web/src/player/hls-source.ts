// A film by hls.js, which comes as a script of its own when it is needed first. It asks again by itself where the server
// is busy; what it cannot help is told as a fault, and it does then what it is told to.

import type { ErrorData, default as Hls, MediaPlaylist } from "hls.js";
import type { Quality } from "../api/types.ts";
import { bufferFor, HLS_CONFIG, isPassing } from "./hls-config.ts";
import type { Fault } from "./recovery.ts";
import { refusalIn } from "./server-words.ts";
import { play, type Source, type SourceOptions } from "./source.ts";
import { TextTracks } from "./text-tracks.ts";

export interface HlsOptions extends SourceOptions {
  /** Plays at first. */
  readonly quality: Quality;
}

const SUBTITLES_PAUSE_MS = 4_000;
const QUALITIES: readonly Quality[] = ["original", "720", "480"];

/** null where `signal` has ended it meanwhile. */
export async function openHls(options: HlsOptions, signal: AbortSignal): Promise<Source | null> {
  const { default: HlsPlayer } = await import("hls.js").catch(() => {
    throw new Error("The server does not answer.");
  });
  return signal.aborted ? null : new HlsSource(new HlsPlayer(HLS_CONFIG), HlsPlayer, options);
}

class HlsSource implements Source {
  readonly #hls: Hls;
  readonly #options: HlsOptions;
  readonly #texts: TextTracks;
  #reload = 0;
  /** A fault was told, and nothing has been done about it yet. */
  #isStopped = false;

  constructor(hls: Hls, { Events }: typeof Hls, options: HlsOptions) {
    this.#hls = hls;
    this.#options = options;
    const { events, video, url } = options;
    this.#texts = new TextTracks(video, events.onSubtitlesChosen);
    hls.on(Events.MANIFEST_PARSED, () => this.#begin());
    hls.on(Events.AUDIO_TRACKS_UPDATED, () => this.#tellTracks());
    hls.on(Events.SUBTITLE_TRACKS_UPDATED, () => this.#offerSubtitles());
    hls.on(Events.AUDIO_TRACK_SWITCHING, () => events.onAudio(this.audio[hls.audioTrack] ?? null));
    hls.on(Events.SUBTITLE_TRACK_SWITCH, () => this.#showSubtitles());
    hls.on(Events.CUES_PARSED, (_event, { subtitleTrack, cues }) => {
      if (subtitleTrack !== undefined) this.#texts.addCues(numberOf(subtitleTrack), cues as VTTCue[]);
    });
    hls.on(Events.LEVEL_SWITCHING, (_event, { bitrate }) => Object.assign(hls.config, bufferFor(bitrate)));
    hls.on(Events.ERROR, (_event, data) => this.#onError(data));
    hls.attachMedia(video);
    hls.loadSource(url);
  }

  get audio(): number[] {
    return this.#hls.audioTracks.map(numberOf);
  }

  get subtitles(): number[] {
    return this.#hls.subtitleTracks.map(numberOf);
  }

  get qualities(): Quality[] {
    const listed = this.#hls.levels.map(({ uri }) => qualityIn(uri));
    return QUALITIES.filter((quality) => listed.includes(quality));
  }

  chooseAudio(index: number): void {
    const chosen = this.audio.indexOf(index);
    if (chosen !== this.#hls.audioTrack) this.#hls.audioTrack = chosen;
  }

  chooseSubtitles(index: number | null): void {
    const chosen = index === null ? -1 : this.subtitles.indexOf(index);
    if (chosen !== this.#hls.subtitleTrack) this.#hls.subtitleTrack = chosen;
  }

  chooseQuality(quality: Quality): void {
    this.#hls.nextLevel = this.#levelOf(quality);
  }

  remedy(remedy: Parameters<Source["remedy"]>[0]): void {
    if (remedy.kind === "load_again") {
      this.#loadAgainIn(remedy.afterMs);
      return;
    }
    if (this.#isStopped) {
      this.#hls.recoverMediaError();
      this.#loadAgainIn(0);
    }
    play(this.#options);
  }

  close(): void {
    clearTimeout(this.#reload);
    this.#texts.close();
    this.#hls.destroy();
  }

  #begin(): void {
    const { positionSec, quality } = this.#options;
    this.#hls.loadLevel = this.#levelOf(quality);
    this.#hls.startLoad(positionSec());
    this.#tellTracks();
    play(this.#options);
  }

  /** Never at once: hls.js takes what it has just stopped loading for lost, and leaves it out. */
  #loadAgainIn(ms: number): void {
    clearTimeout(this.#reload);
    this.#reload = window.setTimeout(() => {
      this.#isStopped = false;
      const { url, positionSec } = this.#options;
      if (this.#hls.levels.length === 0) this.#hls.loadSource(url);
      else this.#hls.startLoad(positionSec());
    }, ms);
  }

  #levelOf(quality: Quality): number {
    return Math.max(
      0,
      this.#hls.levels.findIndex(({ uri }) => qualityIn(uri) === quality),
    );
  }

  #offerSubtitles(): void {
    this.#texts.clear();
    for (const track of this.#hls.subtitleTracks) {
      this.#texts.offer({ index: numberOf(track), label: track.name, language: track.lang ?? "" });
    }
    this.#tellTracks();
  }

  /** hls.js makes a choice of its own behind its events; what is chosen now is to last. */
  #tellTracks(): void {
    queueMicrotask(() => this.#options.events.onTracks());
  }

  #showSubtitles(): void {
    const shown = this.subtitles[this.#hls.subtitleTrack] ?? null;
    this.#texts.show(shown);
    this.#options.events.onSubtitles(shown);
  }

  #onError(data: ErrorData): void {
    if (this.#isStopped) return;
    const { events } = this.#options;
    const refusal = refusalIn(bodyOf(data));
    events.onBusy(refusal?.code === "busy" ? refusal.text : null);
    // hls.js mends that by itself, time and again; whether that leads anywhere is seen from outside.
    if (!data.fatal && data.details === "mediaSourceRequiresReset") events.onFault({ kind: "media" }, null);
    if (!data.fatal && !isHopeless(data)) return;
    const fault = faultOf(data);
    const isSessionOver = fault.kind === "refused" && fault.status === 404;
    if (isOfSubtitles(data) && !isSessionOver) this.#goOnWithout(fault, refusal?.text ?? null);
    else {
      this.#isStopped = true;
      this.#hls.stopLoad();
      events.onFault(fault, refusal?.text ?? null);
    }
  }

  /** Picture and sound are not to end with the subtitles, and these not while the server has them to come. */
  #goOnWithout(fault: Fault, text: string | null): void {
    if (fault.kind !== "wait") {
      this.chooseSubtitles(null);
      this.#options.events.onNoSubtitles(text);
    }
    this.#loadAgainIn(fault.kind === "wait" ? SUBTITLES_PAUSE_MS : 0);
  }
}

/** The server's, as its playlists name it. */
function numberOf({ url }: MediaPlaylist): number {
  return Number(/[?&]r=[as](\d+)/.exec(url)?.[1] ?? -1);
}

function qualityIn(uri: string): Quality {
  const named = /[?&]q=(\w+)/.exec(uri)?.[1];
  return QUALITIES.find((quality) => quality === named) ?? "original";
}

function isOfSubtitles({ frag, context }: ErrorData): boolean {
  return frag?.type === "subtitle" || context?.type === "subtitleTrack";
}

/**
 * What hls.js would ask for again in vain: what the server refuses for good; and, where the browser believes that there is
 * no network, nothing at all before it believes otherwise, although the server may be on this very machine.
 */
function isHopeless({ type, response, reason }: ErrorData): boolean {
  return type === "networkError" && (reason === "offline" || !isPassing(response?.code));
}

function faultOf({ type, response }: ErrorData): Fault {
  const status = response?.code || null;
  if (type === "mediaError") return { kind: "media" };
  if (type !== "networkError") return { kind: "other" };
  return status === null || status === 503 ? { kind: "wait" } : { kind: "refused", status };
}

/** Text, "" where there is none. */
function bodyOf({ networkDetails }: ErrorData): string {
  if (!(networkDetails instanceof XMLHttpRequest)) return "";
  const body: unknown = networkDetails.response;
  if (typeof body === "string") return body;
  return body instanceof ArrayBuffer ? new TextDecoder().decode(body) : "";
}
