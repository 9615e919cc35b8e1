// What a decision is made of.

import type { MediaIndex, MediaProbe, Quality } from "../ports.ts";
import type { ClientCaps } from "./caps.ts";
import type { Machine } from "./machine.ts";

export interface DecisionInput {
  readonly probe: MediaProbe;
  /** Null where none could be read. */
  readonly index: MediaIndex | null;
  readonly caps: ClientCaps;
  readonly quality: Quality;
  /** AudioTrack.index that was asked for. */
  readonly audio: number | null;
  readonly machine: Machine;
  /** The Content-Type that the bytes of the file go out with. */
  readonly mediaType: string;
  /** ?mode=hls: never the file itself. */
  readonly isHlsForced?: boolean;
}
