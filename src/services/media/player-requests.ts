// What a player of a session loads: its playlists, and the parts that they name.

import { TorrxError } from "../../base/errors.ts";
import { mediaPlaylist, type RenditionId, type SegmentPlan, segmentAt, vttOf } from "../../media/index.ts";
import { uriOf } from "./addresses.ts";
import type { Fallback } from "./fallback.ts";
import type { FilmSubtitles } from "./film-subtitles.ts";
import type { HeldRequests } from "./held-requests.ts";
import { checkAudio, checkPlayable } from "./opening.ts";
import { orderOf, trySegment } from "./orders.ts";
import { ownPart, type StoredParts } from "./parts.ts";
import { masterOf } from "./playlists.ts";
import type { MadeRendition } from "./ports.ts";
import type { PlaybackSession, Sessions } from "./sessions.ts";
import type { SharedRenditions } from "./shared-renditions.ts";
import { isText, type ListedSubtitle, renditionOf } from "./subtitle-list.ts";
import type { Asker, MasterChoice, MediaPart } from "./views.ts";

export interface PlayerRequestsParts {
  readonly renditions: SharedRenditions;
  readonly subtitles: FilmSubtitles;
  readonly held: HeldRequests;
  readonly fallback: Fallback;
  readonly stored: StoredParts;
  readonly sessions: Pick<Sessions, "ask">;
}

interface PartAsked {
  readonly part: number | "init";
  readonly ask: (made: MadeRendition, plan: SegmentPlan, signal: AbortSignal) => Promise<Uint8Array>;
}

export class PlayerRequests {
  readonly #parts: PlayerRequestsParts;

  constructor(parts: PlayerRequestsParts) {
    this.#parts = parts;
  }

  /** What a player asks for first is begun before it does. */
  warm(session: PlaybackSession, asker: Pick<Asker, "clientAddress">, audio: number | null): void {
    const { decision, positionSec } = session;
    const track = audio ?? decision.audioIndex;
    const ids: RenditionId[] = [{ kind: "video", track: 0, quality: decision.quality }];
    if (track !== null) ids.push({ kind: "audio", track, quality: "original" });
    for (const id of ids) {
      const order = orderOf(session, id);
      if (order === null) continue;
      const segment = segmentAt(order.plan, positionSec);
      this.#parts.renditions.hold(session, order, segment).prepare(segment, clientOf(session, asker));
    }
  }

  /** Text. Rejects unsupported_media where the session is none of HLS, validation, busy. */
  async master(session: PlaybackSession, asker: Asker, { audio, quality }: MasterChoice): Promise<string> {
    const { film, decision } = session;
    checkPlayable(decision);
    checkAudio(audio, film.facts);
    this.warm(session, asker, audio);
    const offered = decision.offers.map((offer) => offer.quality);
    const asked = offered.filter((one) => quality === "all" || quality === one);
    const { held, subtitles } = this.#parts;
    const playable = await held.hold(asker, asker.signal, (signal) => {
      return subtitles.playable(film, session.reader, signal);
    });
    return masterOf({
      session,
      qualities: asked.length > 0 ? asked : session.qualities,
      subtitles: playable.map(renditionOf),
      chosenAudio: audio,
      uriOf: uriOf(asker, asker),
    });
  }

  /** Text. Throws not_found. */
  playlist(session: PlaybackSession, asker: Asker, rendition: RenditionId): string {
    const plan = session.film.planOf(rendition);
    const isOffered =
      rendition.kind === "subtitle"
        ? this.#subtitle(session, rendition.track) !== null
        : orderOf(session, rendition) !== null;
    if (plan === null || !isOffered) throw notOffered();
    return mediaPlaylist({ plan, rendition, uriOf: uriOf(asker, asker) });
  }

  /** Rejects not_found, busy, and what ended the making. */
  async init(session: PlaybackSession, asker: Asker, rendition: RenditionId): Promise<MediaPart> {
    return await this.#make(session, asker, rendition, {
      part: "init",
      ask: (made, plan, signal) =>
        made.init(signal, segmentAt(plan, session.askedSec), clientOf(session, asker)),
    });
  }

  /** `number` as it stands in the URL. Rejects as init does; not_found also behind the last segment. */
  async segment(
    session: PlaybackSession,
    asker: Asker,
    { rendition, number }: { rendition: RenditionId; number: string },
  ): Promise<MediaPart> {
    const plan = session.film.planOf(rendition);
    if (plan === null) throw notOffered();
    const segment = trySegment(number, plan);
    if (segment === null) throw new TorrxError("not_found", "the film has no such segment");
    // Subtitles are fetched far ahead, some players all of them.
    if (rendition.kind === "subtitle") return await this.#text(session, asker, { rendition, plan, segment });
    this.#parts.sessions.ask(session, plan.boundariesSec[segment] ?? 0);
    return await this.#make(session, asker, rendition, {
      part: segment,
      ask: (made, _, signal) => made.segment(segment, signal, clientOf(session, asker)),
    });
  }

  /** Once more where it turned out that it has to be made in another way. */
  async #make(
    session: PlaybackSession,
    asker: Asker,
    rendition: RenditionId,
    { part, ask }: PartAsked,
  ): Promise<MediaPart> {
    const { renditions, held, fallback, stored } = this.#parts;
    for (let isFirst = true; ; isFirst = false) {
      const order = orderOf(session, rendition);
      if (order === null) throw notOffered();
      const made = renditions.hold(session, order, segmentAt(order.plan, session.askedSec));
      try {
        const bytes = await held.hold(asker, asker.signal, (signal) => ask(made, order.plan, signal));
        session.hasVideo ||= rendition.kind === "video";
        return await stored.part(order, part, bytes);
      } catch (error) {
        if (!isFirst || !(await fallback.tryOther(session, order, error))) throw error;
      }
    }
  }

  async #text(
    session: PlaybackSession,
    asker: Asker,
    { rendition, plan, segment }: { rendition: RenditionId; plan: SegmentPlan; segment: number },
  ): Promise<MediaPart> {
    const { held, subtitles } = this.#parts;
    const subtitle = this.#subtitle(session, rendition.track);
    if (subtitle === null) throw notOffered();
    const { boundariesSec } = plan;
    const fromSec = boundariesSec[segment] ?? 0;
    const stretch = { fromSec, toSec: boundariesSec[segment + 1] ?? fromSec };
    const place = subtitles.placeOf(session.film, subtitle);
    const cues = await held.hold(place, asker.signal, (signal) => {
      return subtitles.cues(session.film, subtitle, { reader: session.reader, signal, stretch });
    });
    const text = vttOf(cues, { ...stretch, isSegment: true });
    return ownPart("subtitle", new TextEncoder().encode(text));
  }

  #subtitle({ film }: PlaybackSession, index: number): ListedSubtitle | null {
    const listed = this.#parts.subtitles.list(film);
    return listed.find((one) => one.index === index && isText(one)) ?? null;
  }
}

/** Two devices may play by one session: its address can be copied. */
function clientOf({ id }: PlaybackSession, { clientAddress }: Pick<Asker, "clientAddress">): string {
  return `${id} ${clientAddress}`;
}

function notOffered(): TorrxError {
  return new TorrxError("not_found", "the film has no such rendition for this player");
}
