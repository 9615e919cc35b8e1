// What the media services are given, narrow enough to be faked.

import type { InfoHash } from "../../base/brand.ts";
import type {
  LoopbackInput,
  MediaIndex,
  MediaProbe,
  MediaSource,
  RunWork,
  SegmentPlan,
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
  /**
   * One bounded ffprobe; the time in which `isWaiting` (its bytes are on their way) does not count. Rejects
   * unsupported_media for what is no media or where ffprobe is missing.
   */
  probe(url: string, signal: AbortSignal, isWaiting: () => boolean): Promise<MediaProbe>;
}

/** All that is known of a file. */
export interface MediaFacts {
  readonly index: MediaIndex;
  readonly probe: MediaProbe;
}

/** One track of a film in one form, made as it is asked for. All who watch it share it; `client` tells them apart. */
export interface MadeRendition {
  /** What comes before any segment; where nothing has been made yet, the making begins `near` a segment. */
  init(signal: AbortSignal, near: number, client: string): Promise<Uint8Array>;
  /** Waits until it is made. Rejects busy, unsupported_media (it cannot be made), or the signal's reason. */
  segment(segment: number, signal: AbortSignal, client: string): Promise<Uint8Array>;
  /** Begins to make it before anybody asks. */
  prepare(segment: number, client: string): void;
  /** Ends its programs and refuses who waits. Resolves when no process is left. */
  close(): Promise<void>;
}

/** What is to be made. */
export interface RenditionOrder {
  /** The segments' place in the store; made of letters, digits and "-_/." alone. The same name is the same bytes. */
  readonly name: string;
  readonly kind: "video" | "audio";
  readonly plan: SegmentPlan;
  readonly work: RunWork;
}

/** `openInput` is called for each program that is about to read, with where that will be; null where it is not known. */
export type MakeRendition = (
  order: RenditionOrder,
  openInput: (fromBytes: number | null) => Promise<LoopbackInput>,
) => MadeRendition;
