// Playing a file while it is on its way, as the HTTP side calls it: sessions, what their players load, and what is told of
// a file. Each request that names a session keeps it alive.

import { TorrxError } from "../../base/errors.ts";
import { streamPath } from "../../base/stream-url.ts";
import { type RenditionId, vttOf } from "../../media/index.ts";
import { isPlayable } from "../../metainfo/index.ts";
import type { StreamsService, StreamTarget } from "../ports.ts";
import { masterUri } from "./addresses.ts";
import { chooseDelivery, type DeliveryAsked, type DeliveryParts } from "./delivery.ts";
import type { FilmSubtitles, Stretch } from "./film-subtitles.ts";
import type { HeldRequests } from "./held-requests.ts";
import type { MediaLibrary } from "./library.ts";
import type { InputPlace, LoopbackInputs, ReadingViewer } from "./loopback-inputs.ts";
import type { Player, PlayWish, SessionOpening } from "./opening.ts";
import type { PlayerRequests } from "./player-requests.ts";
import type { MediaFacts } from "./ports.ts";
import type { PlaybackSession, Sessions } from "./sessions.ts";
import { isText } from "./subtitle-list.ts";
import type {
  Asker,
  MasterChoice,
  MediaPart,
  MediaService,
  PlayInfo,
  SessionView,
  StreamPlayback,
  TracksView,
} from "./views.ts";

export interface MediaParts {
  readonly streams: Pick<StreamsService, "resolve">;
  readonly wantsBytes: DeliveryParts["wantsBytes"];
  readonly inputs: LoopbackInputs;
  readonly library: MediaLibrary;
  readonly held: HeldRequests;
  readonly sessions: Sessions;
  readonly opening: SessionOpening;
  readonly requests: PlayerRequests;
  readonly subtitles: FilmSubtitles;
}

export class Media implements MediaService {
  readonly #parts: MediaParts;

  constructor(parts: MediaParts) {
    this.#parts = parts;
  }

  chooseDelivery(asked: DeliveryAsked): "bytes" | "hls" {
    const { streams, wantsBytes } = this.#parts;
    return chooseDelivery(asked, { resolve: (torrent, file) => streams.resolve(torrent, file), wantsBytes });
  }

  admit(token: string, place: InputPlace) {
    return this.#parts.inputs.admit(token, place);
  }

  async openSession(asker: Asker, wish: PlayWish): Promise<SessionView> {
    const target = this.#playable(asker);
    const session = await this.#parts.opening.open(target, playerOf(asker), wish);
    const { id, decision } = session;
    const isDirect = decision.mode === "direct";
    if (!isDirect) this.#parts.requests.warm(session, asker, wish.audio);
    const opening = { token: asker.token, session: id };
    return {
      id,
      decision,
      url: isDirect ? directUri(target, asker.token) : masterUri(asker, opening, wish.audio),
    };
  }

  ping(asker: Asker, positionSec: number | null): void {
    const session = this.#heard(asker);
    if (positionSec !== null) this.#parts.sessions.tell(session, positionSec);
  }

  endSession(asker: Asker): void {
    if (asker.session !== null) this.#parts.sessions.end(asker.session, asker);
  }

  async master(asker: Asker, choice: MasterChoice): Promise<string> {
    return await this.#waiting(asker, (session) => this.#parts.requests.master(session, asker, choice));
  }

  async playlist(asker: Asker, rendition: RenditionId): Promise<string> {
    return this.#parts.requests.playlist(await this.#sessionOf(asker), asker, rendition);
  }

  async init(asker: Asker, rendition: RenditionId): Promise<MediaPart> {
    return await this.#waiting(asker, (session) => this.#parts.requests.init(session, asker, rendition));
  }

  async segment(asker: Asker, rendition: RenditionId, number: string): Promise<MediaPart> {
    const { requests } = this.#parts;
    return await this.#waiting(asker, (session) => requests.segment(session, asker, { rendition, number }));
  }

  async subtitles(asker: Asker, index: number, stretch: Stretch): Promise<string> {
    const { held, subtitles } = this.#parts;
    const file = this.#playable(asker);
    const film = { file, facts: await this.factsOf(file, asker, asker.signal) };
    const subtitle = subtitles.list(film).find((one) => one.index === index);
    if (subtitle === undefined) throw new TorrxError("not_found", "the film has no such subtitles");
    if (!isText(subtitle)) throw new TorrxError("unsupported_media", "these subtitles are pictures");
    const reader = { viewer: asker.viewer, clientAddress: asker.clientAddress };
    const cues = await held.hold(subtitles.placeOf(film, subtitle), asker.signal, (signal) => {
      return subtitles.cues(film, subtitle, { reader, signal, stretch });
    });
    return vttOf(cues, stretch ?? {});
  }

  async tracks(asker: Asker): Promise<TracksView> {
    const file = this.#playable(asker);
    return this.#tracksView(file, await this.factsOf(file, asker, asker.signal));
  }

  async info(asker: Asker): Promise<PlayInfo> {
    const target = this.#parts.streams.resolve(asker.torrent, asker.file);
    const facts = isPlayable(target.name) ? await this.#factsAtHand(target, asker) : null;
    const session = this.#watching(asker);
    const auto = this.chooseDelivery({ ...asker, mode: null }) === "bytes" ? "direct" : "hls";
    return {
      mode: session === null ? auto : deliveryOf(session),
      tracks: facts === null ? null : this.#tracksView(target, facts),
      positionSec: session?.positionSec ?? null,
    };
  }

  playbackOf(row: InputPlace & { readonly viewer: string }): StreamPlayback {
    const session = this.#watching(row);
    if (session === null) return { mode: "direct", positionSec: null };
    return { mode: deliveryOf(session), positionSec: session.positionSec };
  }

  /** What the file is made of; read where it has to be, for as long as a request is held. */
  factsOf(
    target: StreamTarget,
    { viewer, clientAddress }: ReadingViewer,
    signal: AbortSignal,
  ): Promise<MediaFacts> {
    const { held, library } = this.#parts;
    return held.hold(target, signal, (held) => library.facts(target, { viewer, clientAddress }, held));
  }

  /** Of a complete file all there is; of another what is known without making the swarm bring it. */
  async #factsAtHand(target: StreamTarget, asker: Asker): Promise<MediaFacts | null> {
    const known = this.#parts.library.known(target);
    if (known !== null || !target.isComplete) return known;
    try {
      return await this.factsOf(target, asker, asker.signal);
    } catch (error) {
      // The file may be no media after all, or ffprobe missing; the rest is told nevertheless.
      if (error instanceof TorrxError) return null;
      throw error;
    }
  }

  #tracksView(file: StreamTarget, facts: MediaFacts): TracksView {
    const { video, audio, durationSec } = facts.probe;
    const subtitles = this.#parts.subtitles.list({ file, facts });
    return { video, audio, subtitles, durationSec: durationSec ?? facts.index.durationSec };
  }

  /** Of several the one that was heard of last. */
  #watching({ torrent, file, viewer }: InputPlace & { readonly viewer: string }): PlaybackSession | null {
    const isIt = ({ film, reader }: PlaybackSession) =>
      film.file.torrent === torrent && film.file.file === file && reader.viewer === viewer;
    return this.#parts.sessions.awake().findLast(isIt) ?? null;
  }

  /** Throws unsupported_media for what no player plays on its own, and what `resolve` throws. */
  #playable(asker: Asker): StreamTarget {
    const target = this.#parts.streams.resolve(asker.torrent, asker.file);
    if (isPlayable(target.name)) return target;
    throw new TorrxError("unsupported_media", "this file is neither video nor audio");
  }

  #heard(asker: Asker): PlaybackSession {
    const session = asker.session === null ? null : this.#parts.sessions.hear(asker.session, asker);
    if (session === null) throw new TorrxError("not_found", "this session has ended; open a new one");
    return session;
  }

  async #waiting<T>(asker: Asker, work: (session: PlaybackSession) => Promise<T>): Promise<T> {
    const session = await this.#sessionOf(asker);
    return await this.#parts.sessions.whileWaiting(session, () => work(session));
  }

  async #sessionOf(asker: Asker): Promise<PlaybackSession> {
    if (asker.session !== null) return this.#heard(asker);
    return await this.#parts.opening.implicit(this.#playable(asker), playerOf(asker));
  }
}

function playerOf({ viewer, clientAddress, userAgent, accept, signal }: Asker): Player {
  return { reader: { viewer, clientAddress }, userAgent, accept, signal };
}

function directUri(target: StreamTarget, token: string): string {
  return `${streamPath(target)}?mode=direct&token=${token}`;
}

function deliveryOf({ decision }: PlaybackSession): "direct" | "hls" {
  return decision.mode === "direct" ? "direct" : "hls";
}
