// What to do when playing breaks off. Every remedy is tried a few times; the count begins anew once the film has played
// on for a while, so that a spot that cannot be played ends in words and not in a loop.

export type Fault =
  /** `status` of the answer; null where none came. */
  | { readonly kind: "network"; readonly status: number | null }
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
const MEDIA_RECOVERIES = 2;
const REOPENINGS = 2;
const PLAYED_ON_SEC = 10;

export class Recovery {
  #loads = 0;
  #mediaRecoveries = 0;
  #reopenings = 0;
  #faultAtSec = 0;

  remedyFor(fault: Fault, positionSec: number): Remedy {
    this.#faultAtSec = positionSec;
    if (fault.kind === "network") return this.#loadAgain(fault.status);
    if (fault.kind === "media" && this.#mediaRecoveries < MEDIA_RECOVERIES) {
      this.#mediaRecoveries += 1;
      return { kind: "recover_media" };
    }
    return this.#reopen();
  }

  /** The film is shown at `positionSec`. */
  notePlaying(positionSec: number): void {
    // A seek leads away from the spot as well.
    if (Math.abs(positionSec - this.#faultAtSec) < PLAYED_ON_SEC) return;
    this.#loads = 0;
    this.#mediaRecoveries = 0;
    this.#reopenings = 0;
    this.#faultAtSec = positionSec;
  }

  #loadAgain(status: number | null): Remedy {
    if (status === 404) return this.#reopen();
    const afterMs = PAUSES_MS[this.#loads];
    const isRefused = status !== null && status >= 400 && status < 500;
    if (isRefused || afterMs === undefined) return { kind: "give_up" };
    this.#loads += 1;
    return { kind: "load_again", afterMs };
  }

  #reopen(): Remedy {
    if (this.#reopenings >= REOPENINGS) return { kind: "give_up" };
    this.#reopenings += 1;
    return { kind: "reopen" };
  }
}
