// Key frames in whatever order a container names them → the ascending list. A list may miss key frames and stays true;
// so what contradicts the others is left out.

import { LIMITS } from "../../base/limits.ts";
import type { KeyframeIndex } from "../ports.ts";
import { IndexFault } from "./index-fault.ts";

export interface Keyframe {
  readonly timeSec: number;
  readonly positionBytes: number;
}

export class KeyframeList {
  readonly #lengthBytes: number;
  readonly #found: Keyframe[] = [];

  constructor(lengthBytes: number) {
    this.#lengthBytes = lengthBytes;
  }

  get size(): number {
    return this.#found.length;
  }

  /** Ignored where it lies beyond the end of the file. */
  add(timeSec: number, positionBytes: number): void {
    if (!Number.isFinite(timeSec) || !(positionBytes >= 0 && positionBytes < this.#lengthBytes)) return;
    if (this.#found.length >= LIMITS.mediaIndex.keyframes) throw new IndexFault("too_large");
    this.#found.push({ timeSec, positionBytes });
  }

  /**
   * Times strictly ascending, at least `spacingSec` apart; positions ascending. IndexFault "no_cues" where there is
   * none.
   */
  toIndex(spacingSec = 0): KeyframeIndex {
    const kept = ascending(this.#found, spacingSec);
    if (kept.length === 0) throw new IndexFault("no_cues");
    return {
      timesSec: Float64Array.from(kept, (keyframe) => keyframe.timeSec),
      positionsBytes: Float64Array.from(kept, (keyframe) => keyframe.positionBytes),
    };
  }
}

function ascending(found: readonly Keyframe[], spacingSec: number): Keyframe[] {
  const sorted = found.toSorted((a, b) => a.timeSec - b.timeSec || a.positionBytes - b.positionBytes);
  const kept: Keyframe[] = [];
  let last: Keyframe = { timeSec: Number.NEGATIVE_INFINITY, positionBytes: 0 };
  for (const keyframe of sorted) {
    const isLater = keyframe.timeSec > last.timeSec && keyframe.timeSec - last.timeSec >= spacingSec;
    if (!isLater || keyframe.positionBytes < last.positionBytes) continue;
    kept.push(keyframe);
    last = keyframe;
  }
  return kept;
}
