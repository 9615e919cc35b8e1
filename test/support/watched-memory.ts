// Piece memory whose jobs on files a test hears of, as they begin.

import type { FileRun, PieceMemory, PieceRead, PieceSlot, TorrentMemory } from "../../src/store/index.ts";

export interface MemoryWatch {
  onCheck?(reads: readonly PieceRead[]): void;
  onSettle?(writes: readonly FileRun[]): void;
}

export function watchedMemory(memory: PieceMemory, watch: MemoryWatch): PieceMemory {
  return { open: (torrent) => watchedTorrent(memory.open(torrent), watch) };
}

function watchedTorrent(torrent: TorrentMemory, watch: MemoryWatch): TorrentMemory {
  return {
    take(piece, lengthBytes) {
      const slot = torrent.take(piece, lengthBytes);
      return slot === null ? null : watchedSlot(slot, watch);
    },
    check(sha1, reads) {
      watch.onCheck?.(reads);
      return torrent.check(sha1, reads);
    },
    setHave: (bits) => torrent.setHave(bits),
    addHave: (piece) => torrent.addHave(piece),
    removeHave: (piece) => torrent.removeHave(piece),
    setFault: (fault) => torrent.setFault(fault),
    renew: () => torrent.renew(),
    close: () => torrent.close(),
  };
}

function watchedSlot(slot: PieceSlot, watch: MemoryWatch): PieceSlot {
  return {
    lengthBytes: slot.lengthBytes,
    write: (atBytes, chunk, from, to) => slot.write(atBytes, chunk, from, to),
    advance: (bytes) => slot.advance(bytes),
    copy: (atBytes, lengthBytes) => slot.copy(atBytes, lengthBytes),
    settle(sha1, writes) {
      watch.onSettle?.(writes);
      return slot.settle(sha1, writes);
    },
    release: () => slot.release(),
  };
}
