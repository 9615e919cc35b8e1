// How a session begins: what the file is made of is read, and how it goes to this player is decided.

import { TorrxError } from "../../base/errors.ts";
import {
  type ClientCaps,
  type ClientFacts,
  clientCaps,
  type Decision,
  type DecisionInput,
  decide,
  type Quality,
} from "../../media/index.ts";
import { contentTypeOf } from "../../metainfo/index.ts";
import type { StreamTarget } from "../ports.ts";
import { withCopyRight } from "./fallback.ts";
import { Film } from "./film.ts";
import type { ReadingViewer } from "./loopback-inputs.ts";
import type { MachineFacts } from "./machine-facts.ts";
import type { MediaFacts } from "./ports.ts";
import type { PlaybackSession, SessionPlan, Sessions } from "./sessions.ts";

/** What is asked for with a session; the player's name alone decides where nothing is. */
export interface PlayWish {
  /** `caps` as they came; undefined where there are none. */
  readonly caps?: unknown;
  readonly positionSec: number;
  /** AudioTrack.index; null = the one that the file's maker meant. */
  readonly audio: number | null;
  /** "all": every quality that can be had, for players whose viewer may change it. */
  readonly quality: Quality | "all";
  /** Never the file itself. */
  readonly isHlsForced: boolean;
}

export interface OpeningParts {
  readonly sessions: Sessions;
  /** What a file is made of; waits as long as a request is held. */
  readonly factsOf: (target: StreamTarget, reader: ReadingViewer, signal: AbortSignal) => Promise<MediaFacts>;
  readonly machine: Pick<MachineFacts, "get" | "atHand">;
  readonly segmentSec: () => number;
}

export interface Player extends Pick<ClientFacts, "userAgent" | "accept"> {
  readonly reader: ReadingViewer;
  readonly signal: AbortSignal;
}

export class SessionOpening {
  readonly #parts: OpeningParts;

  constructor(parts: OpeningParts) {
    this.#parts = parts;
  }

  /** Rejects validation, unsupported_media, busy (waiting_pieces, stream_limit). */
  async open(target: StreamTarget, player: Player, wish: PlayWish): Promise<PlaybackSession> {
    const caps = clientCaps({ ...player, told: wish.caps });
    const plan = await this.#planFor(target, player, { ...wish, caps });
    return this.#parts.sessions.open({ ...plan, implicitKey: null });
  }

  /** The session of a player that was only given the link: HLS as its name promises to play it. */
  async implicit(target: StreamTarget, player: Player): Promise<PlaybackSession> {
    const { sessions } = this.#parts;
    const implicitKey = player.userAgent ?? "";
    const find = () => sessions.implicit(target, player.reader.viewer, implicitKey);
    const known = find();
    if (known !== null) return known;
    const wish = { positionSec: 0, audio: null, quality: "original", isHlsForced: true } as const;
    const plan = await this.#planFor(target, player, { ...wish, caps: clientCaps(player) });
    checkPlayable(plan.decision);
    // Another request of the same player may have been quicker.
    return find() ?? sessions.open({ ...plan, implicitKey });
  }

  async #planFor(
    target: StreamTarget,
    { reader, signal }: Player,
    wish: Omit<PlayWish, "caps"> & { readonly caps: ClientCaps },
  ): Promise<Omit<SessionPlan, "implicitKey">> {
    const facts = await this.#parts.factsOf(target, reader, signal);
    checkAudio(wish.audio, facts);
    const quality = wish.quality === "all" ? "original" : wish.quality;
    const mediaType = contentTypeOf(target.name);
    const { caps, audio, isHlsForced } = wish;
    const input = { ...facts, caps, audio, isHlsForced, quality, mediaType };
    const film = this.#filmOf(target, facts);
    const decision = await this.#decide(withCopyRight(input, film));
    return {
      reader,
      input,
      decision,
      film,
      qualities: wish.quality === "all" ? decision.offers.map(({ quality }) => quality) : [decision.quality],
      positionSec: wish.positionSec,
    };
  }

  /** A film that is copied does not wait until it is known what this machine can encode with. */
  async #decide(input: Omit<DecisionInput, "machine">): Promise<Decision> {
    const { machine } = this.#parts;
    const early = decide({ ...input, machine: machine.atHand });
    if (early.mode === "remux" || (early.mode === "direct" && early.isPlayable)) return early;
    return decide({ ...input, machine: await machine.get() });
  }

  /** One that is watched already has its plans. */
  #filmOf({ torrent, file, lengthBytes }: StreamTarget, facts: MediaFacts): Film {
    const segmentSec = this.#parts.segmentSec();
    const known = this.#parts.sessions.films().find((film) => {
      return film.file.torrent === torrent && film.file.file === file && film.segmentSec === segmentSec;
    });
    return known ?? new Film({ torrent, file, lengthBytes }, facts, segmentSec);
  }
}

/** Throws unsupported_media with the reasons where a session gives nothing to put into a playlist. */
export function checkPlayable({ mode, reasons }: Decision): void {
  if (mode !== "direct") return;
  const why = reasons.map(({ message }) => message).join(" ");
  throw new TorrxError(
    "unsupported_media",
    `This file cannot go out as HLS. ${why} VLC and mpv play it with mode=direct.`,
  );
}

/** Throws validation. */
export function checkAudio(audio: number | null, { probe }: MediaFacts): void {
  if (audio === null || probe.audio.some(({ index }) => index === audio)) return;
  throw new TorrxError("validation", "audio must be the number of an audio track of the file");
}
