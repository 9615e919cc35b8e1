// The module's door.

export { AssemblyBudget } from "./assembly-budget.ts";
export { DataConflictError } from "./faults.ts";
export { freeBytesAt, freeSpaceShortfall, missingBytes, type SpaceQuestion } from "./free-space.ts";
export { nativeMemory } from "./native-memory.ts";
export { type FileAdopter, nodeDisk } from "./node-disk.ts";
export type {
  Disk,
  DiskFile,
  FilePresence,
  FileRun,
  FileStamp,
  MemoryFault,
  PieceMemory,
  PieceRead,
  PieceSlot,
  ResumeState,
  SettleOutcome,
  StoreEvents,
  StoreFault,
  TorrentMemory,
  TorrentStore,
} from "./ports.ts";
export type { TorrentStoreOptions } from "./store-options.ts";
export { createTorrentStore } from "./torrent-store.ts";
