// Key frames in whatever order a container names them → the ascending list. A list may miss key frames and stays true;
// so what contradicts the others is left out.

import { LIMITS } from "../../base/limits.ts";
import type { KeyframeIndex } from "../ports.ts";
import { IndexFault } from "./index-fault.ts";

export class KeyframeList {
  readonly #lengthBytes: number;
  readonly #timesSec: number[] = [];
  readonly #positionsBytes: number[] = [];

  constructor(lengthBytes: number) {
    this.#lengthBytes = lengthBytes;
  }

  /** Ignored where it lies beyond the end of the file. */
  add(timeSec: number, positionBytes: number): void {
    if (!Number.isFinite(timeSec) || !(positionBytes >= 0 && positionBytes < this.#lengthBytes)) return;
    if (this.#timesSec.length >= LIMITS.mediaIndex.keyframes) throw new IndexFault("too_large");
    this.#timesSec.push(timeSec);
    this.#positionsBytes.push(positionBytes);
  }

  /**
   * Times strictly ascending, at least `spacingSec` apart; positions ascending. IndexFault "no_cues" where there is
   * none.
   */
  toIndex(spacingSec = 0): KeyframeIndex {
    const timesSec: number[] = [];
    const positionsBytes: number[] = [];
    let lastSec = Number.NEGATIVE_INFINITY;
    let lastBytes = 0;
    for (const found of this.#inOrder()) {
      const timeSec = this.#timesSec[found] ?? 0;
      const positionBytes = this.#positionsBytes[found] ?? 0;
      const isLater = timeSec > lastSec && timeSec - lastSec >= spacingSec;
      if (!isLater || positionBytes < lastBytes) continue;
      timesSec.push(timeSec);
      positionsBytes.push(positionBytes);
      lastSec = timeSec;
      lastBytes = positionBytes;
    }
    if (timesSec.length === 0) throw new IndexFault("no_cues");
    return { timesSec: Float64Array.from(timesSec), positionsBytes: Float64Array.from(positionsBytes) };
  }

  #inOrder(): Uint32Array {
    const [times, positions] = [this.#timesSec, this.#positionsBytes];
    const order = Uint32Array.from(times.keys());
    if (times.every((time, i) => i === 0 || time > (times[i - 1] ?? 0))) return order;
    return order.sort(
      (a, b) => (times[a] ?? 0) - (times[b] ?? 0) || (positions[a] ?? 0) - (positions[b] ?? 0),
    );
  }
}
