// Which files of which torrents have a stream. Asked often, changes seldom: kept until the registry says otherwise.

import type { InfoHash } from "../base/brand.ts";
import type { StreamRegistry } from "../stream/demand/index.ts";

const NONE: ReadonlySet<number> = new Set();

export class StreamedFiles {
  readonly #registry: () => StreamRegistry;
  #byTorrent: Map<InfoHash, Set<number>> | null = null;

  constructor(registry: () => StreamRegistry) {
    this.#registry = registry;
  }

  /** Streams may have come or gone. */
  invalidate(): void {
    this.#byTorrent = null;
  }

  of(torrent: InfoHash): ReadonlySet<number> {
    this.#byTorrent ??= this.#count();
    return this.#byTorrent.get(torrent) ?? NONE;
  }

  #count(): Map<InfoHash, Set<number>> {
    const byTorrent = new Map<InfoHash, Set<number>>();
    for (const { torrent, file } of this.#registry().streams()) {
      const files = byTorrent.get(torrent) ?? new Set();
      files.add(file);
      byTorrent.set(torrent, files);
    }
    return byTorrent;
  }
}

export function isSameSet(a: ReadonlySet<number>, b: ReadonlySet<number>): boolean {
  return a === b || (a.size === b.size && [...a].every((item) => b.has(item)));
}
