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
  readonly #evidence = new Map<number, Evidence[]>();

  /** `seed` is secret, so that a liar cannot craft blocks of equal digest. */
  constructor(seed: bigint) {
    this.#seed = seed;
  }

  /** A piece failed its hash. Returns the hosts that are proven guilty by it. */
  pieceFailed(piece: number, bytes: Uint8Array, senders: readonly string[]): readonly string[] {
    const hosts = new Set(senders.filter((host) => host !== undefined));
    if (hosts.size === 1) return [...hosts];
    const evidence = this.#evidence.get(piece) ?? [];
    const changed: string[] = [];
    senders.forEach((host, block) => {
      if (host === undefined) return;
      const digest = this.#digestOf(bytes, block);
      const before = evidence.find((entry) => entry.block === block && entry.host === host);
      if (before === undefined) evidence.push({ block, host, digest });
      else if (before.digest !== digest) changed.push(host);
    });
    this.#evidence.set(piece, evidence);
    return [...new Set(changed)];
  }

  isSuspicious(piece: number): boolean {
    return this.#evidence.has(piece);
  }

  /** A piece that failed before has passed; `bytes` are the good ones. Returns the proven liars. */
  piecePassed(piece: number, bytes: Uint8Array): readonly string[] {
    const evidence = this.#evidence.get(piece) ?? [];
    this.#evidence.delete(piece);
    const liars = evidence.filter((entry) => entry.digest !== this.#digestOf(bytes, entry.block));
    return [...new Set(liars.map((entry) => entry.host))];
  }

  #digestOf(bytes: Uint8Array, block: number): bigint {
    return Bun.hash.xxHash64(bytes.subarray(block * BLOCK_BYTES, (block + 1) * BLOCK_BYTES), this.#seed);
  }
}
