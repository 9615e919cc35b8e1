// How the cues of one embedded track are had, piece by piece of the film's time.

import type { Cue } from "./cue.ts";

export interface CueReader {
  /**
   * Every cue that is on the screen at some time of [fromSec, toSec), as far as the container tells where such cues lie;
   * those whose place is only known by reading what comes before are left to the reading of that. Null where what is
   * asked cannot be found without reading much more of the file than the time asked for.
   *
   * Rejects with what the source rejects with, or with the signal's reason.
   */
  read(fromSec: number, toSec: number, signal: AbortSignal): Promise<Cue[] | null>;
}
