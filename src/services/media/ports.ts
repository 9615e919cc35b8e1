// What the media services are given, narrow enough to be faked, and what they give to the HTTP side.

import type { InfoHash } from "../../base/brand.ts";
import type { MediaIndex, MediaProbe, MediaSource } from "../../media/ports.ts";

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
