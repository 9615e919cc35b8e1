// What is tried next when video cannot be made as it was decided: another encoder for one that failed on its device, an
// encode for a copy that ffmpeg cannot cut. Only until a session has been given video: after that a player has what
// belongs to it, and is told of the failure instead.

import { TorrxError } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import { type Decision, type DecisionInput, decide } from "../../media/index.ts";
import type { Film } from "./film.ts";
import type { MachineFacts } from "./machine-facts.ts";
import type { RenditionOrder } from "./ports.ts";
import type { PlaybackSession } from "./sessions.ts";

export interface FallbackParts {
  readonly machine: Pick<MachineFacts, "get" | "failed">;
  readonly log: Log;
}

export class Fallback {
  readonly #parts: FallbackParts;

  constructor(parts: FallbackParts) {
    this.#parts = parts;
  }

  /** True where the session was decided anew and it is worth trying again. */
  async tryOther(session: PlaybackSession, { work }: RenditionOrder, error: unknown): Promise<boolean> {
    const isUnmakeable = error instanceof TorrxError && error.code === "unsupported_media";
    if (!isUnmakeable || !this.#isLearned(session, work) || session.hasVideo) return false;
    const next = await this.#decide(withCopyRight(session.input, session.film));
    if (next.mode === "direct") return false;
    this.#parts.log.warn("video could not be made as it was decided", { was: work.kind, why: error.message });
    session.decision = next;
    return true;
  }

  /** True where there is another way, for this session or those to come. */
  #isLearned({ film }: PlaybackSession, work: RenditionOrder["work"]): boolean {
    switch (work.kind) {
      case "copy_video":
        film.canCopyVideo = false;
        return true;
      case "encode_video":
        return this.#parts.machine.failed(work.encoder);
      case "copy_audio":
      case "encode_audio":
        return false;
    }
  }

  async #decide(input: Omit<DecisionInput, "machine">): Promise<Decision> {
    return decide({ ...input, machine: await this.#parts.machine.get() });
  }
}

/** Where video cannot be copied nobody is asked whether they could play it: they get what is encoded for everyone. */
export function withCopyRight<T extends Pick<DecisionInput, "caps">>(
  input: T,
  film: Pick<Film, "canCopyVideo">,
): T {
  if (film.canCopyVideo) return input;
  const types = input.caps.types.filter(({ type }) => !/^video\//i.test(type));
  return { ...input, caps: { ...input.caps, readsContainers: false, types } };
}
