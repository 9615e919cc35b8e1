// What the parts of the media pipeline hand to one another. Times are seconds on the film's own clock (the container's
// presentation times, never shifted per track); byte positions are those of the file.

/** A file of a torrent, readable at any place while it is incomplete; reading is what makes its bytes come first. */
export interface MediaSource {
  readonly lengthBytes: number;
  /**
   * Exactly the bytes asked for, fewer only at the end of the file. Waits for pieces. Rejects what ended the wait
   * (TorrxError), or the signal's reason.
   */
  read(atBytes: number, lengthBytes: number, signal: AbortSignal): Promise<Uint8Array>;
}

export type TrackKind = "video" | "audio" | "subtitle" | "other";
export type Container = "matroska" | "mp4" | "other";

/** A track as the container's own header tells of it. */
export interface IndexedTrack {
  /** Position among the container's tracks, as ffmpeg numbers its streams. */
  readonly stream: number;
  readonly kind: TrackKind;
  /** "V_MPEG4/ISO/AVC", "avc1" … */
  readonly codecId: string;
  /** Contents of avcC, hvcC, av1C, or the AudioSpecificConfig; null where there is none. */
  readonly codecPrivate: Uint8Array | null;
}

/** Why a file has no usable list of keyframes, and what it therefore cannot do is copied video with a seek bar. */
export type NoIndexReason = "container" | "no_cues" | "no_video" | "broken" | "too_large";

/** Where the key frames of the first video track are. Both arrays are of one length, ascending. */
export interface KeyframeIndex {
  readonly timesSec: Float64Array;
  /** Where the bytes begin that hold the frame: a cluster, or a sample. */
  readonly positionsBytes: Float64Array;
}

export interface MediaIndex {
  readonly container: Container;
  readonly durationSec: number | null;
  readonly tracks: readonly IndexedTrack[];
  readonly keyframes: KeyframeIndex | null;
  /** Set exactly when `keyframes` is null. */
  readonly noIndex: NoIndexReason | null;
  /** What a player or ffmpeg reads before it can start anywhere: header and index, [start, end) in bytes. */
  readonly headBytes: readonly { readonly start: number; readonly end: number }[];
}

export type DynamicRange = "sdr" | "hdr10" | "hlg" | "dolby_vision";

export interface DolbyVision {
  /** 5, 7, 8 …; null where the file does not tell. */
  readonly profile: number | null;
  /** What the base layer is by itself; null = nothing that another player could show in right colours (profile 5). */
  readonly base: Exclude<DynamicRange, "dolby_vision"> | null;
}

export interface VideoTrack {
  readonly kind: "video";
  /** ffmpeg's number of the stream in the file. */
  readonly stream: number;
  /** ffmpeg's name: "h264", "hevc" … */
  readonly codec: string;
  /** RFC 6381, exact where the container tells it; null for a codec that no browser has a name for. */
  readonly codecString: string | null;
  readonly profile: string | null;
  readonly level: number | null;
  readonly width: number;
  readonly height: number;
  readonly framesPerSec: number | null;
  readonly bitDepth: number;
  readonly pixelFormat: string | null;
  readonly isInterlaced: boolean;
  readonly dynamicRange: DynamicRange;
  /** Set for Dolby Vision alone: what a player without it can make of the picture. */
  readonly dolbyVision?: DolbyVision;
  /** Clockwise turn that a player applies; missing = none. */
  readonly rotationDegrees?: 90 | 180 | 270;
  readonly bitsPerSec: number | null;
}

export interface AudioTrack {
  readonly kind: "audio";
  readonly stream: number;
  /** Position among the audio tracks: what ?audio=n means. */
  readonly index: number;
  readonly codec: string;
  readonly codecString: string | null;
  readonly profile: string | null;
  readonly channels: number;
  readonly sampleRate: number;
  /** BCP 47, or null. */
  readonly language: string | null;
  readonly title: string | null;
  readonly isDefault: boolean;
  readonly isCommentary: boolean;
  readonly bitsPerSec: number | null;
}

export interface SubtitleTrack {
  readonly kind: "subtitle";
  readonly stream: number;
  /** Position among the embedded subtitle tracks. */
  readonly index: number;
  readonly codec: string;
  /** Text can become WebVTT; pictures (PGS, VobSub) cannot. */
  readonly isText: boolean;
  readonly language: string | null;
  readonly title: string | null;
  readonly isDefault: boolean;
  readonly isForced: boolean;
}

/** What one bounded ffprobe tells of a file. Cover pictures are no video. */
export interface MediaProbe {
  /** ffprobe's names: "matroska,webm". */
  readonly format: string;
  readonly durationSec: number | null;
  /** What the file's clock says at its beginning; missing = 0, or a container whose index is on that clock itself. */
  readonly startSec?: number;
  readonly bitsPerSec: number | null;
  readonly video: VideoTrack | null;
  readonly audio: readonly AudioTrack[];
  readonly subtitles: readonly SubtitleTrack[];
  /** Fonts and the like. */
  readonly attachments: number;
}

export type Quality = "original" | "720" | "480";
export const QUALITIES: readonly Quality[] = ["original", "720", "480"];

/** A rendition of a file: one track in one form. `r=` and `q=` of PRODUCT §4. */
export interface RenditionId {
  readonly kind: "video" | "audio" | "subtitle";
  /** v0, a1, s2 */
  readonly track: number;
  readonly quality: Quality;
}

/** How the samples of a rendition come to be. */
export type TrackMaking =
  | { readonly kind: "copy_video"; readonly isHevc: boolean }
  | {
      readonly kind: "encode_video";
      readonly heightLimit: number | null;
      readonly toneMap: boolean;
      readonly deinterlace: boolean;
    }
  | { readonly kind: "copy_audio" }
  /** `channels` of what comes out: 1 or 2. */
  | { readonly kind: "encode_audio"; readonly channels: number };

/** What makes H.264. A device is a path such as /dev/dri/renderD128. */
export type VideoEncoder =
  | { readonly kind: "x264" }
  | { readonly kind: "nvenc" }
  | { readonly kind: "vaapi"; readonly device: string }
  | { readonly kind: "qsv"; readonly device: string };

/** Segments of one rendition: their starts, then the end of the last. One clock for all renditions of a file. */
export interface SegmentPlan {
  /** n segments are n + 1 boundaries; the first is 0. */
  readonly boundariesSec: Float64Array;
  /** Video: the key frame that a run starting at a segment starts at, and where its bytes are; else null. */
  readonly keyframes: KeyframeIndex | null;
  /**
   * With `keyframes`: for each of them the key frame behind it in the film's whole index, Infinity behind the last. A
   * seek that is to land on the one must stay short of the other.
   */
  readonly nextKeyframesSec?: Float64Array;
  /** Audio: samples per second of the grid; a segment is a whole number of frames of 1024. Else null. */
  readonly sampleRate: number | null;
  /** What the file's own clock says at 0 of the plan, missing = 0: a transport stream begins at any time. */
  readonly startSec?: number;
}

/** A program that is started is given these things and no more; see process/. */
export interface MediaProgram {
  readonly program: "ffmpeg" | "ffprobe";
  /** Every argument behind the name of the program. */
  readonly argv: readonly string[];
}

/** A running program. Nothing of it outlives this process, however that ends. */
export interface MediaProcess {
  readonly pid: number;
  /** Reading no further stops the program when the pipe is full. */
  readonly stdout: ReadableStream<Uint8Array>;
  /** Settles when it has ended and is reaped. Never rejects. */
  readonly exited: Promise<MediaExit>;
  /**
   * TERM, after 500 ms KILL; resolves when it is gone. Gives up stdout at once, what is unread of it too: whoever does
   * not read to the end kills, also when it has ended. Idempotent.
   */
  kill(): Promise<void>;
}

export interface MediaExit {
  /** null when a signal ended it. */
  readonly code: number | null;
  readonly signal: string | null;
  /** We ended it. */
  readonly isKilled: boolean;
  /** The last lines that it wrote to stderr, at most 64 KiB, without URLs' tokens. */
  readonly stderr: string;
}

export interface StartOptions {
  /** Encodes have more memory and the last turn at the processor. */
  readonly isEncode: boolean;
  /** Paths below /dev of the hardware that it may use, such as "/dev/dri". */
  readonly devices?: readonly string[];
}

export interface MediaPrograms {
  /**
   * Rejects TorrxError: "unsupported_media" where the program is missing or cannot be started, with a message for the
   * user; "busy" where the system has no place for a process.
   */
  start(program: MediaProgram, options: StartOptions): Promise<MediaProcess>;
}

/** Gives a URL on loopback under which a program reads one file; `close` ends it and every connection on it. */
export interface LoopbackInput {
  readonly url: string;
  close(): void;
}
