// The media services as routes see them: they note what they are asked and answer something small, or fail.

import { TorrxError } from "../../src/base/errors.ts";
import type { Asker, MediaPart, MediaService, TracksView } from "../../src/services/media/index.ts";
import { ownPart } from "../../src/services/media/parts.ts";

const TRACKS: TracksView = {
  video: null,
  audio: [
    {
      kind: "audio",
      stream: 1,
      index: 0,
      codec: "ac3",
      codecString: "ac-3",
      profile: null,
      channels: 6,
      sampleRate: 48_000,
      language: "en",
      title: null,
      isDefault: true,
      isCommentary: false,
      bitsPerSec: 448_000,
    },
  ],
  subtitles: [
    {
      kind: "embedded",
      index: 0,
      track: {
        kind: "subtitle",
        stream: 2,
        index: 0,
        codec: "hdmv_pgs_subtitle",
        isText: false,
        language: "de",
        title: "Full",
        isDefault: false,
        isForced: false,
      },
    },
    {
      kind: "sidecar",
      index: 1,
      sidecar: {
        fileIndex: 2,
        path: "film.en.srt",
        lengthBytes: 99,
        format: "srt",
        language: "en",
        title: null,
        isForced: true,
        isSdh: false,
      },
    },
  ],
  durationSec: 600.5,
};

export class TestMedia implements MediaService {
  readonly calls: { readonly name: string; readonly asker: Asker; readonly argument: unknown }[] = [];
  /** Rejected by every call that waits. */
  failure: TorrxError | null = null;

  chooseDelivery = () => "bytes" as const;
  admit = () => null;
  playbackOf = () => ({ mode: "direct", positionSec: null }) as const;

  openSession(asker: Asker, wish: unknown) {
    return this.#answer("openSession", asker, wish, {
      id: "s1",
      url: `/api/stream/${asker.torrent}/${asker.file}/master.m3u8?session=s1&token=${asker.token}`,
      decision: {
        mode: "remux",
        isPlayable: true,
        quality: "original",
        video: { kind: "copy_video", isHevc: false },
        encoder: null,
        audio: [],
        audioIndex: 0,
        subtitles: [],
        reasons: [{ code: "ContainerNotSupported", message: "It cannot.", track: null }],
        offers: [{ quality: "original", making: { kind: "copy_video", isHevc: false }, encoder: null }],
        isLinear: false,
      },
    } as const);
  }

  ping(asker: Asker, positionSec: number | null): void {
    this.calls.push({ name: "ping", asker, argument: positionSec });
    if (asker.session !== "s1") throw new TorrxError("not_found", "this session has ended; open a new one");
  }

  endSession(asker: Asker): void {
    this.calls.push({ name: "endSession", asker, argument: null });
  }

  master(asker: Asker, choice: unknown) {
    return this.#answer("master", asker, choice, "#EXTM3U\nmaster\n");
  }

  playlist(asker: Asker, rendition: unknown) {
    return this.#answer("playlist", asker, rendition, "#EXTM3U\nplaylist\n");
  }

  init(asker: Asker, rendition: unknown) {
    return this.#answer("init", asker, rendition, ownPart("video", Buffer.from("init")));
  }

  segment(asker: Asker, rendition: { readonly kind: MediaPart["kind"] }, number: string) {
    return this.#answer("segment", asker, number, ownPart(rendition.kind, Buffer.from("segment")));
  }

  subtitles(asker: Asker, ...asked: readonly unknown[]) {
    return this.#answer("subtitles", asker, asked, "WEBVTT\n");
  }

  tracks(asker: Asker) {
    return this.#answer("tracks", asker, null, TRACKS);
  }

  info(asker: Asker) {
    return this.#answer("info", asker, null, { mode: "hls", tracks: TRACKS, positionSec: 12.5 } as const);
  }

  #answer<T>(name: string, asker: Asker, argument: unknown, value: T): Promise<T> {
    this.calls.push({ name, asker, argument });
    return this.failure === null ? Promise.resolve(value) : Promise.reject(this.failure);
  }
}
