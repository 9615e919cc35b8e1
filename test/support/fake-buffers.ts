// Windows that only remember what services tell them, and say what a test makes them say.

import type { InfoHash } from "../../src/base/brand.ts";
import type { BufferSizes, BufferUsage, StreamBuffers } from "../../src/stream/ports.ts";

export class FakeBuffers implements StreamBuffers {
  sizes: BufferSizes | null = null;
  readonly removed: InfoHash[] = [];
  shown: BufferUsage = { usedBytes: 0, capBytes: 100, sharedBytes: null, streams: [] };

  resize({ ramBufferBytes, ramTotalBytes, bufferAheadPercent }: BufferSizes): void {
    this.sizes = { ramBufferBytes, ramTotalBytes, bufferAheadPercent };
  }

  usage(): BufferUsage {
    return this.shown;
  }

  removeTorrent(torrent: InfoHash): void {
    this.removed.push(torrent);
  }
}
