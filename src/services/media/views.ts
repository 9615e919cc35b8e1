// What the media services take from and tell the HTTP side. Views are camelCase; api/dto gives the fields their names.

import type { InfoHash } from "../../base/brand.ts";
import type { AudioTrack, Decision, Quality, RenditionId, VideoTrack } from "../../media/index.ts";
import type { LoopbackGrant } from "../access/ports.ts";
import type { DeliveryAsked } from "./delivery.ts";
import type { Stretch } from "./film-subtitles.ts";
import type { InputPlace } from "./loopback-inputs.ts";
import type { PlayWish } from "./opening.ts";
import type { ListedSubtitle } from "./subtitle-list.ts";

/** Who asks for something of a file. */
export interface Asker {
  readonly torrent: InfoHash;
  readonly file: number;
  readonly viewer: string;
  readonly clientAddress: string;
  readonly userAgent: string | null;
  readonly accept: string | null;
  /** A link to the file: it opens what answers name. */
  readonly token: string;
  /** ?session= */
  readonly session: string | null;
  /** Their going away. */
  readonly signal: AbortSignal;
}

export interface SessionView {
  readonly id: string;
  readonly decision: Decision;
  /** Absolute path with its token. */
  readonly url: string;
}

/** null = as the session has it. */
export interface MasterChoice {
  readonly audio: number | null;
  readonly quality: Quality | "all" | null;
}

export interface TracksView {
  readonly video: VideoTrack | null;
  readonly audio: readonly AudioTrack[];
  readonly subtitles: readonly ListedSubtitle[];
  readonly durationSec: number | null;
}

export interface PlayInfo {
  /** How the asker is served: by its session, or as mode=auto would. */
  readonly mode: "direct" | "hls";
  /** null where nothing is known without reading the file. */
  readonly tracks: TracksView | null;
  readonly positionSec: number | null;
}

/** A part on its way to one client, who may take it as slowly as it likes: in between it keeps nothing in memory. */
export interface MediaPart {
  readonly kind: RenditionId["kind"];
  readonly lengthBytes: number;
  /** Bytes of the caller's own. Rejects busy where they are lost meanwhile. */
  read(atBytes: number, lengthBytes: number): Promise<Uint8Array>;
  /** Idempotent. */
  release(): void;
}

/** What of a stream its player's session knows. */
export interface StreamPlayback {
  readonly mode: "direct" | "hls";
  readonly positionSec: number | null;
}

export interface MediaService {
  /** Whether a request for a file gets its bytes. Throws validation, not_found, not_ready. */
  chooseDelivery(asked: DeliveryAsked): "bytes" | "hls";
  /** For the byte path: the leave of a program of ours. */
  admit(token: string, place: InputPlace): LoopbackGrant | null;
  /** Rejects validation, unsupported_media, busy (waiting_pieces, stream_limit), not_found, not_ready. */
  openSession(asker: Asker, wish: PlayWish): Promise<SessionView>;
  /** Throws not_found. */
  ping(asker: Asker, positionSec: number | null): void;
  /** Idempotent. */
  endSession(asker: Asker): void;
  /** Text. Rejects as openSession does, and not_found for a session that has ended. */
  master(asker: Asker, choice: MasterChoice): Promise<string>;
  playlist(asker: Asker, rendition: RenditionId): Promise<string>;
  /** Waits while it is made. Rejects not_found, busy (waiting_pieces, transcode_busy), and what ended its making. */
  init(asker: Asker, rendition: RenditionId): Promise<MediaPart>;
  /** `number` as it stands in the URL. Rejects as init does, and not_found behind the last one. */
  segment(asker: Asker, rendition: RenditionId, number: string): Promise<MediaPart>;
  /** WebVTT of a stretch, null = of all that is known. Rejects not_found, not_ready, unsupported_media for pictures. */
  subtitles(asker: Asker, index: number, stretch: Stretch): Promise<string>;
  /** Reads the file where it has to. */
  tracks(asker: Asker): Promise<TracksView>;
  info(asker: Asker): Promise<PlayInfo>;
  /** Of the viewer of a stream. */
  playbackOf(stream: InputPlace & { readonly viewer: string }): StreamPlayback;
}
