// The module's door.

export { AssemblyBudget } from "./assembly-budget.ts";
export { DataConflictError } from "./faults.ts";
export { freeBytesAt, freeSpaceShortfall, missingBytes, type SpaceQuestion } from "./free-space.ts";
export { nodeDisk } from "./node-disk.ts";
export type {
  Disk,
  DiskFile,
  FilePresence,
  FileStamp,
  MemoryFault,
  PieceHasher,
  PieceMemory,
  PieceSlot,
  ResumeState,
  StoreEvents,
  StoreFault,
  TorrentMemory,
  TorrentStore,
} from "./ports.ts";
export type { TorrentStoreOptions } from "./store-options.ts";
export { subtleHasher } from "./subtle-hasher.ts";
export { createTorrentStore } from "./torrent-store.ts";
