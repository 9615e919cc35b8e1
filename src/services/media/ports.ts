// What the media services are given, narrow enough to be faked.

import type { InfoHash } from "../../base/brand.ts";
import type {
  AudioTrack,
  LoopbackInput,
  MediaIndex,
  MediaProbe,
  MediaSource,
  SegmentPlan,
  TrackMaking,
  VideoEncoder,
  VideoTrack,
} from "../../media/index.ts";

/** A file of a torrent. */
export interface MediaFile {
  readonly torrent: InfoHash;
  readonly file: number;
  readonly lengthBytes: number;
}

/** How a file tells what it is made of. */
export interface MediaReading {
  /** Rejects what the source rejects. A file without an index is a result, no failure. */
  readIndex(source: MediaSource, signal: AbortSignal): Promise<MediaIndex>;
  /** One bounded ffprobe. Rejects unsupported_media for what is no media or where ffprobe is missing. */
  probe(url: string, signal: AbortSignal): Promise<MediaProbe>;
}

/** All that is known of a file. */
export interface MediaFacts {
  readonly index: MediaIndex;
  readonly probe: MediaProbe;
}

/** One track of a film in one form, made as it is asked for. All who watch it share it. */
export interface MadeRendition {
  /** What comes before any segment. `nearSegment` is where its making begins when nothing has been made yet. */
  init(nearSegment: number, signal: AbortSignal): Promise<Uint8Array>;
  /** Waits until it is made. Rejects busy (transcode_busy), what ended its making, or the signal's reason. */
  segment(segment: number, signal: AbortSignal): Promise<Uint8Array>;
  /** Begins to make it before anybody asks. */
  prepare(segment: number): void;
  /** Nobody watches it any more: its programs end. It begins anew when it is asked again. Never rejects. */
  stop(): Promise<void>;
}

/** What is to be made. */
export interface RenditionOrder {
  /** The segments' place in the store; made of letters, digits and "-_/." alone. The same name is the same bytes. */
  readonly name: string;
  readonly kind: "video" | "audio";
  readonly plan: SegmentPlan;
  readonly work: RenditionWork;
}

type MakingOf<Kind extends TrackMaking["kind"]> = Extract<TrackMaking, { readonly kind: Kind }>;

export type RenditionWork =
  | { readonly track: VideoTrack; readonly making: MakingOf<"copy_video">; readonly encoder: null }
  | { readonly track: VideoTrack; readonly making: MakingOf<"encode_video">; readonly encoder: VideoEncoder }
  | {
      readonly track: AudioTrack;
      readonly making: MakingOf<"copy_audio" | "encode_audio">;
      readonly encoder: null;
    };

/** `openInput` is called for each program that is about to read. */
export type MakeRendition = (order: RenditionOrder, openInput: () => LoopbackInput) => MadeRendition;
