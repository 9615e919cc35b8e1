// Finds who sent bad blocks without ever blaming an honest peer (ENGINE §3, smart ban). When a piece fails, a digest
// of every block is kept with its sender; when the piece later passes, whoever's digest differs from the good block
// has lied. A peer that sent the whole failed piece alone is guilty at once.

import { BLOCK_BYTES } from "../base/limits.ts";

interface Evidence {
  readonly block: number;
  readonly host: string;
  readonly digest: bigint;
}

export class LiarDetector {
  readonly #seed: bigint;
  /** Piece → by block and host what that host sent first. */
  readonly #evidence = new Map<number, Map<string, Evidence>>();

  /** `seed` is secret, so that a liar cannot craft blocks of equal digest. */
  constructor(seed: bigint) {
    this.#seed = seed;
  }

  /**
   * A piece failed its hash. `senders` by block; a hole is a block whose sender is not known, and then nobody can have
   * sent the piece alone. Returns the hosts that are proven guilty by it.
   */
  pieceFailed(piece: number, bytes: Uint8Array, senders: readonly (string | undefined)[]): readonly string[] {
    const blockCount = Math.ceil(bytes.length / BLOCK_BYTES);
    const [first] = senders;
    const isAlone = Array.from({ length: blockCount }, (_, block) => senders[block]).every(
      (host) => host === first,
    );
    if (first !== undefined && isAlone) return [first];
    const evidence = this.#evidence.get(piece) ?? new Map<string, Evidence>();
    this.#evidence.set(piece, evidence);
    const changed = new Set<string>();
    for (let block = 0; block < blockCount; block++) {
      const host = senders[block];
      if (host === undefined) continue;
      const digest = this.#digestOf(bytes, block);
      const key = `${block} ${host}`;
      const before = evidence.get(key);
      if (before === undefined) evidence.set(key, { block, host, digest });
      else if (before.digest !== digest) changed.add(host);
    }
    return [...changed];
  }

  isSuspicious(piece: number): boolean {
    return this.#evidence.has(piece);
  }

  /** A piece that failed before has passed; `bytes` are the good ones. Returns the proven liars. */
  piecePassed(piece: number, bytes: Uint8Array): readonly string[] {
    const evidence = [...(this.#evidence.get(piece)?.values() ?? [])];
    this.#evidence.delete(piece);
    const liars = evidence.filter((entry) => entry.digest !== this.#digestOf(bytes, entry.block));
    return [...new Set(liars.map((entry) => entry.host))];
  }

  #digestOf(bytes: Uint8Array, block: number): bigint {
    return Bun.hash.xxHash64(bytes.subarray(block * BLOCK_BYTES, (block + 1) * BLOCK_BYTES), this.#seed);
  }
}
