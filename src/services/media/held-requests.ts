// Requests that wait for what is being made or fetched. Something moves for them while their file is read, or while
// anything of its torrent arrives.

import type { Clock } from "../../base/clock.ts";
import type { EnginePort } from "../../engine/port.ts";
import type { InputPlace, LoopbackInputs } from "./loopback-inputs.ts";
import { isOfPieces, type Progress, patiently, waitingFor } from "./patience.ts";

export interface HeldRequestsParts {
  readonly engine: Pick<EnginePort, "streams">;
  readonly inputs: Pick<LoopbackInputs, "readBytesOf">;
  readonly clock: Clock;
}

export class HeldRequests {
  readonly #parts: HeldRequestsParts;

  constructor(parts: HeldRequestsParts) {
    this.#parts = parts;
  }

  /** `signal` is the client's going away. Rejects as patiently() does. */
  async hold<T>(
    place: InputPlace,
    signal: AbortSignal,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const look = () => this.#progressOf(place);
    try {
      return await patiently(work, { signal, clock: this.#parts.clock, look });
    } catch (error) {
      throw isOfPieces(error) ? waitingFor((await look()).wait, error) : error;
    }
  }

  async #progressOf(place: InputPlace): Promise<Progress> {
    const { engine, inputs, clock } = this.#parts;
    const rows = (await engine.streams()).filter(({ torrent, file }) => {
      return torrent === place.torrent && file === place.file;
    });
    const wait = rows.find((row) => row.wait !== null)?.wait ?? null;
    // A large piece takes long to arrive, and shows nowhere before it is whole.
    const arriving = (wait?.rate ?? 0) > 0 ? clock.nowMs() : 0;
    const places = rows.map(({ positionBytes, aheadBytes }) => `${positionBytes}+${aheadBytes}`);
    return { marker: [inputs.readBytesOf(place), arriving, ...places].join(" "), wait };
  }
}
