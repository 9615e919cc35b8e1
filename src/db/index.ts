// The door of db.

export { type DatabaseWarning, TorrxDatabase } from "./database.ts";
export { DeferredWrites } from "./deferred-writes.ts";
export type { FileRow, FilesRepository } from "./files-repository.ts";
export type { MediaFileKey, MediaIndexRow, MediaRepository } from "./media-repository.ts";
export { type OpenOptions, openDatabase } from "./open.ts";
export type { ResumeRow } from "./resume-repository.ts";
export type { JsonValue, SettingsRepository } from "./settings-repository.ts";
export { isDatabaseFull, toWriteError } from "./sqlite-faults.ts";
export type { StateRepository } from "./state-repository.ts";
export type { FiguresRow, StoredPriority, StoredStatus, TorrentRow } from "./torrents-repository.ts";
