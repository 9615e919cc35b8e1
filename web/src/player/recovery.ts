// What to do when playing breaks off. Every remedy is tried a few times; the count begins anew once the film has played
// on for a while, so that a spot that cannot be played ends in words and not in a loop. A server that is away or busy is
// waited for as long as the viewer likes: he is told what for.

export type Fault =
  /** No answer came, or one that asks to wait. */
  | { readonly kind: "wait" }
  /** The connection broke while the server is there. */
  | { readonly kind: "cut" }
  | { readonly kind: "refused"; readonly status: number }
  /** The browser could not decode or take what came. */
  | { readonly kind: "media" }
  | { readonly kind: "other" };

export type Remedy =
  | { readonly kind: "load_again"; readonly afterMs: number }
  | { readonly kind: "recover_media" }
  /** A new session at the same place: the old one is gone, or what it plays does not play. */
  | { readonly kind: "reopen" }
  | { readonly kind: "give_up" };

const PAUSES_MS = [1_000, 2_000, 4_000, 8_000, 8_000];
const LONGEST_PAUSE_MS = 8_000;
const MEDIA_RECOVERIES = 2;
const REOPENINGS = 2;
const PLAYED_ON_SEC = 10;

export class Recovery {
  #waits = 0;
  #loads = 0;
  #mediaRecoveries = 0;
  #reopenings = 0;
  #faultAtSec = 0;

  remedyFor(fault: Fault, positionSec: number): Remedy {
    this.#faultAtSec = positionSec;
    switch (fault.kind) {
      case "wait":
        return { kind: "load_again", afterMs: PAUSES_MS[this.#waits++] ?? LONGEST_PAUSE_MS };
      case "cut":
        return this.#loadAgain();
      case "refused":
        return this.#afterRefusal(fault.status);
      case "media":
        return this.#mediaRecoveries++ < MEDIA_RECOVERIES ? { kind: "recover_media" } : this.#reopen();
      case "other":
        return this.#reopen();
    }
  }

  /** The film is shown at `positionSec`. */
  notePlaying(positionSec: number): void {
    // A seek leads away from the spot as well.
    if (Math.abs(positionSec - this.#faultAtSec) < PLAYED_ON_SEC) return;
    this.#waits = 0;
    this.#loads = 0;
    this.#mediaRecoveries = 0;
    this.#reopenings = 0;
    this.#faultAtSec = positionSec;
  }

  #afterRefusal(status: number): Remedy {
    if (status === 404) return this.#reopen();
    return status >= 500 ? this.#loadAgain() : { kind: "give_up" };
  }

  #loadAgain(): Remedy {
    const afterMs = PAUSES_MS[this.#loads++];
    return afterMs === undefined ? { kind: "give_up" } : { kind: "load_again", afterMs };
  }

  #reopen(): Remedy {
    return this.#reopenings++ < REOPENINGS ? { kind: "reopen" } : { kind: "give_up" };
  }
}
