// Tells the swarm where a program is going to read before it is started: starting takes it a tenth of a second, in which
// the first blocks may already come. A hint counts as a connection of its viewer's stream; it ends when the program reads
// there itself, or has ended, or did not come.

import type { Clock } from "../../base/clock.ts";
import { describeError } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import type { ReadableSource, ReaderId, ReaderRequest } from "../../stream/ports.ts";

const HINT_MS = 3_000;

export interface DemandHintsParts {
  readonly source: ReadableSource;
  readonly nextReaderId: () => ReaderId;
  readonly clock: Clock;
  readonly log: Log;
}

export class DemandHints {
  readonly #parts: DemandHintsParts;
  readonly #endings = new Set<() => void>();

  constructor(parts: DemandHintsParts) {
    this.#parts = parts;
  }

  /** The result ends it; idempotent. */
  give(request: ReaderRequest): () => void {
    const { source, nextReaderId, clock, log } = this.#parts;
    const reader = nextReaderId();
    const end = () => {
      timer.cancel();
      if (this.#endings.delete(end)) source.closeReader(reader);
    };
    const timer = clock.after(HINT_MS, end);
    this.#endings.add(end);
    source.openReader({ ...request, reader }).catch((error: unknown) => {
      // The program's own read meets the same, and tells it.
      log.debug("a place could not be asked for ahead", { error: describeError(error) });
      end();
    });
    return end;
  }

  close(): void {
    for (const end of [...this.#endings]) end();
  }
}
