// What a torrent's store is given, and the parts it is put together from.

import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { DiskPlace } from "../metainfo/disk-layout.ts";
import type { TorrentInfo } from "../metainfo/types.ts";
import type { AssemblyBudget } from "./assembly-budget.ts";
import { Checker } from "./checker.ts";
import { Claim } from "./claim.ts";
import { Committer } from "./committer.ts";
import { FileTable } from "./file-table.ts";
import { Folders } from "./folders.ts";
import { type FileKey, Layout } from "./layout.ts";
import type { StoreParts } from "./loader.ts";
import { PieceIo } from "./piece-io.ts";
import type { Disk, FilePresence, FileStamp, ResumeState, StoreEvents, TorrentMemory } from "./ports.ts";

export interface TorrentStoreOptions {
  readonly info: TorrentInfo;
  readonly place: DiskPlace;
  readonly presence: FilePresence;
  readonly disk: Disk;
  /** Opened by whoever makes the store; what viewers are told there is not the store's to say. */
  readonly memory: Pick<TorrentMemory, "take" | "check">;
  readonly clock: Clock;
  readonly log: Log;
  readonly events: StoreEvents;
  /** Shared by all torrents. */
  readonly budget: AssemblyBudget;
  /** Absolute path of the file that keeps the bytes of boundary pieces whose files are not to exist. */
  readonly partsPath: string;
  /** A resume state of this torrent was recorded before: what lies in its place is its own. */
  readonly hasRecord: boolean;
}

export interface PartHooks {
  readonly onShort: (key: FileKey, sizeBytes: number) => void;
  readonly onShaped: (key: FileKey, stamp: FileStamp | null) => void;
  readonly onResume: (state: ResumeState) => void;
  readonly onSyncFailed: (error: unknown, pieces: readonly number[]) => void;
}

export function makeParts(options: TorrentStoreOptions, hooks: PartHooks): StoreParts {
  const { disk, clock, memory, log } = options;
  const layout = new Layout(options.info, options.place, options.partsPath);
  const folders = new Folders(disk, options.place.saveDirectory);
  const files = new FileTable({
    layout,
    folders,
    disk,
    clock,
    log,
    onShort: hooks.onShort,
    onShaped: hooks.onShaped,
  });
  const io = new PieceIo(layout, files);
  const claim = new Claim({ layout, files, hasRecord: options.hasRecord });
  const checker = new Checker({ layout, io, disk, memory, log });
  const committer = new Committer({
    layout,
    files,
    folders,
    disk,
    clock,
    onResume: hooks.onResume,
    onFailed: hooks.onSyncFailed,
  });
  return { layout, disk, folders, files, io, checker, committer, claim };
}
