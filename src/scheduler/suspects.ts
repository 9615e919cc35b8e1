// Pieces that failed their hash: the next try is given to one peer alone, another one each time, so that the
// engine can tell from the contributors who lies, and two honest tries are not spoilt by the same liar.

import type { PeerState } from "./peer-state.ts";
import type { PeerKey } from "./ports.ts";

interface Suspect {
  /** The peer that has this try, or null before its first block is asked. */
  only: PeerKey | null;
  /** Peers whose try failed. */
  readonly tried: Set<PeerKey>;
}

export class Suspects {
  readonly #pieces = new Map<number, Suspect>();

  failed(piece: number): void {
    const suspect = this.#pieces.get(piece);
    if (suspect === undefined) {
      this.#pieces.set(piece, { only: null, tried: new Set() });
      return;
    }
    if (suspect.only !== null) suspect.tried.add(suspect.only);
    suspect.only = null;
  }

  passed(piece: number): void {
    this.#pieces.delete(piece);
  }

  clear(): void {
    this.#pieces.clear();
  }

  /** The peer can no longer finish its try: gone, choking or silent. */
  released(peer: PeerKey): void {
    for (const suspect of this.#pieces.values()) if (suspect.only === peer) suspect.only = null;
  }

  has(piece: number): boolean {
    return this.#pieces.size > 0 && this.#pieces.has(piece);
  }

  /** Whether `peer` may be asked for the piece; `able` are the peers that could. */
  allows(piece: number, peer: PeerState, able: readonly PeerState[]): boolean {
    if (this.#pieces.size === 0) return true;
    const suspect = this.#pieces.get(piece);
    if (suspect === undefined) return true;
    if (suspect.only !== null) return suspect.only === peer.key;
    if (!suspect.tried.has(peer.key)) return true;
    return !able.some(
      (other) => !suspect.tried.has(other.key) && other.snub === "none" && other.canAsk(piece),
    );
  }

  noteAsked(piece: number, peer: PeerState): void {
    if (this.#pieces.size === 0) return;
    const suspect = this.#pieces.get(piece);
    if (suspect !== undefined) suspect.only = peer.key;
  }
}
