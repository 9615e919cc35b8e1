export { type Api, type ApiOptions, createApp } from "./app.ts";
export type { SettingsDto, StatusDto, StreamDto } from "./dto/status.ts";
export type { FileDto, TorrentDto, WaitDto } from "./dto/torrent.ts";
export type { PatchDto, SnapshotDto } from "./event-hub.ts";
export type { ApiServices } from "./services.ts";
