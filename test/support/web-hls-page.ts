// A small page with real hls.js, as players of other houses are: it knows the URL of a master playlist and nothing else.
// Bundled and served by hls-page-player.ts; what it offers is in hls-page-port.ts.

import Hls, { type HlsConfig, type LoadPolicy, type RetryConfig } from "hls.js";
import type { LoadedPart, PageEvent, PageFigures, PagePlayer, ShownFrame } from "./hls-page-port.ts";

const RETRIED_STATUS = [0, 404, 409, 425, 429];
const BACK_OFF_MS = { retryDelayMs: 1_000, maxRetryDelayMs: 8_000, backoff: "linear" } as const;

const retry = (maxNumRetry: number): RetryConfig => ({
  ...BACK_OFF_MS,
  maxNumRetry,
  shouldRetry: (...[, count, isTimeout, response, byDefault]) => {
    if (count >= maxNumRetry) return false;
    const code = response?.code;
    return isTimeout || (code === undefined ? byDefault : RETRIED_STATUS.includes(code) || code >= 500);
  },
});

const patient = (maxTimeToFirstByteMs: number, maxLoadTimeMs: number, retries: number): LoadPolicy => ({
  default: { maxTimeToFirstByteMs, maxLoadTimeMs, timeoutRetry: retry(retries), errorRetry: retry(retries) },
});

/** As TorrX's own page has it. */
const CONFIG: Partial<HlsConfig> = {
  startPosition: 0,
  lowLatencyMode: false,
  testBandwidth: false,
  startFragPrefetch: true,
  maxBufferLength: 60,
  maxMaxBufferLength: 180,
  maxBufferSize: 80 << 20,
  backBufferLength: 60,
  maxBufferHole: 0.5,
  nudgeMaxRetry: 8,
  detectStallWithCurrentTimeMs: 2_500,
  manifestLoadPolicy: patient(60_000, 90_000, 10),
  playlistLoadPolicy: patient(60_000, 90_000, 20),
  fragLoadPolicy: patient(60_000, 240_000, 40),
};

const FFT_SIZE = 8192;
const nowMs = () => performance.timeOrigin + performance.now();

class Player implements PagePlayer {
  readonly parts: LoadedPart[] = [];
  readonly events: PageEvent[] = [];
  readonly broken: Promise<never>;
  readonly #video: HTMLVideoElement;
  readonly #hls = new Hls(CONFIG);
  #analyser: AnalyserNode | null = null;

  constructor(video: HTMLVideoElement) {
    this.#video = video;
    for (const name of ["waiting", "playing", "seeking", "seeked", "ended"]) {
      video.addEventListener(name, () => this.#note(name));
    }
    const { promise, reject } = Promise.withResolvers<never>();
    this.broken = promise;
    this.#hls.on(Hls.Events.ERROR, (_event, { details, fatal, response, frag, error }) => {
      const answer =
        response === undefined ? error.message : `${response.code} ${response.text} ${frag?.url}`;
      this.#note(details, { isFatal: fatal, answer });
      if (fatal) reject(new Error(`${details}: ${answer}`));
    });
    this.#hls.on(Hls.Events.FRAG_LOADED, (_event, { frag }) => {
      const { start, end } = frag.stats.loading;
      this.parts.push({
        kind: frag.type as LoadedPart["kind"],
        segment: typeof frag.sn === "number" ? frag.sn : -1,
        startSec: frag.start,
        endSec: frag.start + frag.duration,
        askedAtMs: performance.timeOrigin + start,
        loadedAtMs: performance.timeOrigin + end,
      });
    });
  }

  plays(types: readonly string[]) {
    return types.map((type) => ({ type, plays: MediaSource.isTypeSupported(type) }));
  }

  async load(url: string): Promise<void> {
    const parsed = new Promise((resolve) => this.#hls.once(Hls.Events.MANIFEST_PARSED, resolve));
    this.#hls.loadSource(url);
    this.#hls.attachMedia(this.#video);
    await parsed;
  }

  async play(): Promise<ShownFrame> {
    const frame = this.#frameFrom(0);
    await this.#video.play();
    return await frame;
  }

  async seek(sec: number) {
    const askedAtMs = nowMs();
    // A frame of the old place may still be on its way to the screen.
    const seeking = new Promise((resolve) =>
      this.#video.addEventListener("seeking", resolve, { once: true }),
    );
    this.#video.currentTime = sec;
    await seeking;
    return { ...(await this.#frameFrom(sec - 0.05, sec + 10)), askedAtMs };
  }

  async reach(sec: number): Promise<void> {
    await this.#frameFrom(sec);
  }

  audioTracks() {
    return this.#hls.audioTracks.map(({ name, lang }) => `${lang} ${name}`);
  }

  subtitleTracks() {
    return this.#hls.subtitleTracks.map(({ name, lang }) => `${lang} ${name}`);
  }

  chooseAudio(track: number): void {
    this.#note("audio chosen");
    this.#hls.audioTrack = track;
  }

  async hear(hertz: number): Promise<number> {
    const analyser = this.#listen();
    const levels = new Float32Array(analyser.frequencyBinCount);
    const binHertz = analyser.context.sampleRate / FFT_SIZE;
    for (;;) {
      await nextFrame();
      analyser.getFloatFrequencyData(levels);
      const loudest = levels.reduce((best, level, bin) => (level > (levels[best] ?? 0) ? bin : best), 1);
      if (Math.abs(loudest * binHertz - hertz) < hertz * 0.03) return nowMs();
    }
  }

  async read(track: number) {
    this.#hls.subtitleDisplay = true;
    this.#hls.subtitleTrack = track;
    for (;;) {
      await nextFrame();
      for (const { mode, activeCues } of this.#video.textTracks) {
        const cue = mode === "showing" ? activeCues?.[0] : undefined;
        if (cue instanceof VTTCue) return { text: cue.text, positionSec: this.#video.currentTime };
      }
    }
  }

  async buffer(aheadSec: number): Promise<void> {
    const isEnough = () =>
      this.#aheadSec() >= Math.min(aheadSec, this.#video.duration - this.#video.currentTime - 1);
    while (!isEnough()) await nextFrame();
  }

  setRate(rate: number): void {
    this.#video.playbackRate = rate;
  }

  async end(): Promise<void> {
    if (this.#video.ended) return;
    await new Promise((resolve) => this.#video.addEventListener("ended", resolve, { once: true }));
  }

  figures(): PageFigures {
    const { buffered, currentTime, duration } = this.#video;
    const quality = this.#video.getVideoPlaybackQuality() as VideoPlaybackQuality & {
      readonly corruptedVideoFrames: number;
    };
    return {
      ranges: Array.from(
        { length: buffered.length },
        (_, at) => [buffered.start(at), buffered.end(at)] as const,
      ),
      positionSec: currentTime,
      durationSec: duration,
      frames: quality.totalVideoFrames,
      corrupted: quality.corruptedVideoFrames,
    };
  }

  /** Once sound goes through here it is heard through here: made when it is first asked for. */
  #listen(): AnalyserNode {
    if (this.#analyser !== null) return this.#analyser;
    const context = new AudioContext();
    const analyser = new AnalyserNode(context, { fftSize: FFT_SIZE, smoothingTimeConstant: 0 });
    context.createMediaElementSource(this.#video).connect(analyser).connect(context.destination);
    this.#analyser = analyser;
    return analyser;
  }

  async #frameFrom(fromSec: number, toSec = Number.POSITIVE_INFINITY): Promise<ShownFrame> {
    for (;;) {
      const mediaSec = await new Promise<number>((resolve) => {
        this.#video.requestVideoFrameCallback((_now, { mediaTime }) => resolve(mediaTime));
      });
      if (mediaSec >= fromSec && mediaSec < toSec) return { atMs: nowMs(), mediaSec };
    }
  }

  #note(what: string, error: Pick<PageEvent, "isFatal" | "answer"> = { isFatal: false, answer: null }): void {
    this.events.push({
      atMs: nowMs(),
      positionSec: this.#video.currentTime,
      what,
      ...error,
      aheadSec: this.#aheadSec(),
    });
  }

  #aheadSec(): number {
    const { buffered, currentTime } = this.#video;
    for (let at = 0; at < buffered.length; at++) {
      const isHere = buffered.start(at) <= currentTime + 0.1 && currentTime < buffered.end(at);
      if (isHere) return buffered.end(at) - currentTime;
    }
    return 0;
  }
}

const nextFrame = () => new Promise((resolve) => requestAnimationFrame(resolve));

const video = document.querySelector("video");
if (video === null) throw new Error("the page has no video");
(globalThis as unknown as { player: PagePlayer }).player = new Player(video);
