// Stores on the native addon's memory and real files.

import { type NativeThread, openNative } from "../../native/index.ts";
import type { InfoHash } from "../../src/base/brand.ts";
import { nativeMemory, nodeDisk, type PieceMemory } from "../../src/store/index.ts";
import type { StoreWorld } from "./store-files.ts";

const CAPACITY_BYTES = 256 * 2 ** 20;

export interface NativeWorld extends StoreWorld {
  readonly native: NativeThread;
  /** Ends everything that was opened here. */
  close(): void;
}

export function nativeWorld(): NativeWorld {
  const native = openNative();
  native.setCapacity(CAPACITY_BYTES);
  return {
    native,
    disk: nodeDisk(native),
    memory: manyOf(nativeMemory(native)),
    worksOffLoop: true,
    close: () => native.close(),
  };
}

/** The process holds a torrent once; a test opens it again and again. */
function manyOf(memory: PieceMemory): PieceMemory {
  let opened = 0;
  return {
    open: (torrent) => {
      const infoHash = (++opened).toString(16).padStart(40, "0") as InfoHash;
      return memory.open({ ...torrent, infoHash });
    },
  };
}
