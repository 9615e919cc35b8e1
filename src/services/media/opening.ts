// How a session begins: what the file is made of is read, and how it goes to this player is decided.

import { TorrxError } from "../../base/errors.ts";
import {
  type ClientCaps,
  type ClientFacts,
  clientCaps,
  type Decision,
  type DecisionInput,
  decide,
  decideUnread,
  type Machine,
  type Quality,
  unlessAborted,
} from "../../media/index.ts";
import { contentTypeOf } from "../../metainfo/index.ts";
import type { StreamTarget } from "../ports.ts";
import { withCopyRight } from "./fallback.ts";
import { Film } from "./film.ts";
import type { ReadingViewer } from "./loopback-inputs.ts";
import type { MediaFacts } from "./ports.ts";
import type { PlaybackSession, SessionPlan, Sessions } from "./sessions.ts";
import { ProgramMissing } from "./told-programs.ts";
import { UNREAD } from "./unread.ts";

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
  readonly machine: {
    readonly atHand: Machine;
    /** Waits until it is known; `target` is what is to be played. */
    get(target: StreamTarget, signal: AbortSignal): Promise<Machine>;
  };
  readonly segmentSec: () => number;
}

export interface Player extends Pick<ClientFacts, "userAgent" | "accept"> {
  readonly reader: ReadingViewer;
  readonly signal: AbortSignal;
}

type Wanted = Omit<PlayWish, "caps"> & { readonly caps: ClientCaps };
type Plan = Omit<SessionPlan, "implicitKey">;

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
    // Two devices of one kind may have the same link.
    const implicitKey = `${player.reader.clientAddress} ${player.userAgent ?? ""}`;
    const find = () => sessions.implicit(target, player.reader.viewer, implicitKey);
    const known = find();
    if (known !== null) return known;
    const wish = { positionSec: 0, audio: null, quality: "original", isHlsForced: true } as const;
    const plan = await this.#planFor(target, player, { ...wish, caps: clientCaps(player) });
    checkPlayable(plan.decision);
    // Another request of the same player may have been quicker.
    return find() ?? sessions.open({ ...plan, implicitKey });
  }

  /** Without ffprobe, and where it makes nothing of the file, there is still the file itself. */
  async #planFor(target: StreamTarget, player: Player, wish: Wanted): Promise<Plan> {
    let facts: MediaFacts;
    try {
      facts = await this.#parts.factsOf(target, player.reader, player.signal);
    } catch (error) {
      if (!(error instanceof TorrxError) || error.code !== "unsupported_media") throw error;
      return this.#planUnread(target, player, { wish, isBroken: !(error instanceof ProgramMissing) });
    }
    checkAudio(wish.audio, facts);
    const film = this.#filmOf(target, facts);
    const input = inputOf(target, facts, wish);
    const decision = await this.#decide(withCopyRight(input, film), target, player.signal);
    return {
      reader: player.reader,
      input,
      decision,
      film,
      qualities: wish.quality === "all" ? decision.offers.map(({ quality }) => quality) : [decision.quality],
      positionSec: wish.positionSec,
    };
  }

  #planUnread(
    target: StreamTarget,
    { reader }: Player,
    { wish, isBroken }: { wish: Wanted; isBroken: boolean },
  ): Plan {
    const { torrent, file, lengthBytes } = target;
    const input = inputOf(target, UNREAD, wish);
    return {
      reader,
      input,
      decision: decideUnread({ ...input, isBroken }),
      film: new Film({ torrent, file, lengthBytes }, UNREAD, this.#parts.segmentSec()),
      qualities: [],
      positionSec: wish.positionSec,
    };
  }

  /** A film that is copied does not wait until it is known what this machine can encode with. */
  async #decide(
    input: Omit<DecisionInput, "machine">,
    target: StreamTarget,
    signal: AbortSignal,
  ): Promise<Decision> {
    const { machine } = this.#parts;
    const early = decide({ ...input, machine: machine.atHand });
    if (early.mode === "remux" || (early.mode === "direct" && early.isPlayable)) return early;
    return decide({ ...input, machine: await unlessAborted(machine.get(target, signal), signal) });
  }

  /** One that is watched already has its plans. */
  #filmOf({ torrent, file, lengthBytes }: StreamTarget, facts: MediaFacts): Film {
    const segmentSec = this.#parts.segmentSec();
    const known = this.#parts.sessions.films().find((film) => {
      const isIt = film.file.torrent === torrent && film.file.file === file;
      return isIt && film.segmentSec === segmentSec && film.facts !== UNREAD;
    });
    return known ?? new Film({ torrent, file, lengthBytes }, facts, segmentSec);
  }
}

function inputOf(target: StreamTarget, facts: MediaFacts, wish: Wanted): Omit<DecisionInput, "machine"> {
  const { caps, audio, isHlsForced } = wish;
  const quality = wish.quality === "all" ? "original" : wish.quality;
  return { ...facts, caps, audio, isHlsForced, quality, mediaType: contentTypeOf(target.name) };
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
