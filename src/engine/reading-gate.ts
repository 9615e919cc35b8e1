// Back-pressure of a slow disk towards the peers: while what waits to be hashed and written takes most of the memory for
// pieces in the making, nothing is read from the peers of the torrents that it belongs to. It cannot lock up: what waits
// there has all its blocks and clears without any peer, and the last piece of a torrent that does opens its gate, however
// much others hold. Pieces that lack blocks never shut it. A torrent that somebody watches is read longest.

import type { AssemblyBudget, TorrentStore } from "../store/index.ts";
import type { PeerLink } from "../wire/index.ts";

const MOST = 1 / 2;
const MOST_WATCHED = 3 / 4;

export interface ReadingGateOptions {
  readonly store: Pick<TorrentStore, "settlingBytes">;
  readonly budget: Pick<AssemblyBudget, "capacityBytes" | "settlingBytes" | "awaitFree" | "onFree">;
  readonly isWatched: () => boolean;
  readonly links: () => Iterable<PeerLink>;
}

export class ReadingGate {
  readonly #options: ReadingGateOptions;
  #isShut = false;
  #stopListening: (() => void) | null = null;

  constructor(options: ReadingGateOptions) {
    this.#options = options;
  }

  /** A peer that comes meanwhile is not read either. */
  get isShut(): boolean {
    return this.#isShut;
  }

  start(): void {
    this.#stopListening ??= this.#options.budget.onFree(() => this.look());
  }

  /** Opens it, and looks no more. */
  stop(): void {
    this.#stopListening?.();
    this.#stopListening = null;
    this.#set(false);
  }

  /** To be called when blocks have come; when memory comes back it looks by itself. */
  look(): void {
    if (this.#stopListening === null) return;
    this.#set(this.#mustShut());
    if (this.#isShut) this.#options.budget.awaitFree();
  }

  #mustShut(): boolean {
    const { store, budget, isWatched } = this.#options;
    if (budget.settlingBytes < MOST * budget.capacityBytes || store.settlingBytes === 0) return false;
    return !isWatched() || budget.settlingBytes >= MOST_WATCHED * budget.capacityBytes;
  }

  #set(isShut: boolean): void {
    if (isShut === this.#isShut) return;
    this.#isShut = isShut;
    for (const link of this.#options.links()) {
      if (isShut) link.pauseReading();
      else link.resumeReading();
    }
  }
}
