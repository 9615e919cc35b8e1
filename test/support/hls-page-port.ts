// What the page of web-hls-page.ts offers to the test that drives it, as `globalThis.player`. Times in milliseconds are
// those of every process on the machine: performance.timeOrigin + performance.now().

export interface LoadedPart {
  readonly kind: "main" | "audio" | "subtitle";
  /** -1 = init. */
  readonly segment: number;
  readonly startSec: number;
  readonly endSec: number;
  readonly askedAtMs: number;
  readonly loadedAtMs: number;
}

export interface PageEvent {
  readonly atMs: number;
  readonly positionSec: number;
  /** What hls.js or the element says: "bufferStalledError", "waiting", "seeking" … */
  readonly what: string;
  readonly isFatal: boolean;
  /** Of the answer that was no good, with its address; else null. */
  readonly answer: string | null;
  /** What was buffered ahead of the position then. */
  readonly aheadSec: number;
}

export interface ShownFrame {
  readonly atMs: number;
  readonly mediaSec: number;
}

export interface PageFigures {
  readonly ranges: readonly (readonly [number, number])[];
  readonly positionSec: number;
  readonly durationSec: number;
  readonly frames: number;
  readonly corrupted: number;
}

export interface PagePlayer {
  /** Of MediaSource.isTypeSupported. */
  plays(types: readonly string[]): readonly { readonly type: string; readonly plays: boolean }[];
  /** Takes the playlist up, from the beginning; the picture begins to move with play(). */
  load(url: string): Promise<void>;
  /** Resolves with the first frame. */
  play(): Promise<ShownFrame>;
  /** Resolves with the first frame at or behind `sec`. `askedAtMs` is when the position was set. */
  seek(sec: number): Promise<ShownFrame & { readonly askedAtMs: number }>;
  /** Resolves when the picture is at `sec` or behind. */
  reach(sec: number): Promise<void>;
  audioTracks(): readonly string[];
  subtitleTracks(): readonly string[];
  chooseAudio(track: number): void;
  /** Resolves once the loudest tone is within 3 % of `hertz`, with when it was. */
  hear(hertz: number): Promise<number>;
  /** Resolves once a cue of the chosen track is shown. */
  read(track: number): Promise<{ readonly text: string; readonly positionSec: number }>;
  /** Resolves when so much is buffered ahead of the position, or all there is. */
  buffer(aheadSec: number): Promise<void>;
  setRate(rate: number): void;
  /** Resolves at the end of the film. */
  end(): Promise<void>;
  figures(): PageFigures;
  /** Rejects with the first error that hls.js does not get over. */
  readonly broken: Promise<never>;
  readonly parts: readonly LoadedPart[];
  readonly events: readonly PageEvent[];
}
