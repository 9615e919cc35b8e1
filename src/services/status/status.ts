// What /api/status says: figures of now and everything the user should know.

import type { Clock } from "../../base/clock.ts";
import { describeError } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import { type DeferredWrites, isDatabaseFull } from "../../db/index.ts";
import type { EnginePort } from "../../engine/port.ts";
import type { BufferUsage, StreamBuffers } from "../../stream/ports.ts";
import type { OpenedMedia } from "../media/index.ts";
import type { SettingsService, StatusService, StatusView } from "../ports.ts";
import { shownSpeed } from "../torrents/view.ts";
import type { Volume } from "../volume.ts";
import type { Warning, WarningBoard } from "../warnings.ts";
import { sharingWarning, streamViews } from "./stream-views.ts";

export interface StatusParts {
  readonly version: string;
  readonly engine: Pick<EnginePort, "totals" | "streams">;
  readonly settings: Pick<SettingsService, "get">;
  readonly buffers: Pick<StreamBuffers, "usage">;
  readonly volume: Volume;
  readonly warnings: WarningBoard;
  readonly writes: Pick<DeferredWrites, "failure">;
  readonly playback: Pick<OpenedMedia, "media" | "warnings">;
  readonly clock: Clock;
  readonly log: Log;
  /** Resident memory of the process in bytes. */
  readonly rssBytes: () => number;
}

export class Status implements StatusService {
  readonly #parts: StatusParts;
  readonly #startedAtMs: number;

  constructor(parts: StatusParts) {
    this.#parts = parts;
    this.#startedAtMs = parts.clock.nowMs();
  }

  async status(): Promise<StatusView> {
    const { version, engine, buffers, clock, rssBytes, playback } = this.#parts;
    const [totals, streams, space, playing] = await Promise.all([
      engine.totals(),
      engine.streams(),
      this.#space(),
      playback.warnings(),
    ]);
    const usage = buffers.usage();
    return {
      version,
      uptimeSec: Math.floor((clock.nowMs() - this.#startedAtMs) / 1000),
      downloadSpeed: shownSpeed(totals.downloadSpeed),
      uploadSpeed: shownSpeed(totals.uploadSpeed),
      ramUsedBytes: usage.usedBytes,
      ramCapBytes: usage.capBytes,
      rssBytes: rssBytes(),
      diskFreeBytes: space?.freeBytes ?? 0,
      diskTotalBytes: space?.totalBytes ?? 0,
      warnings: [...this.#parts.warnings.list(), ...this.#present(space === null, usage), ...playing],
      streams: streamViews(streams, usage, (row) => playback.media.playbackOf(row)),
    };
  }

  async #space() {
    const { volume, settings, log } = this.#parts;
    try {
      return await volume.spaceOf(settings.get().downloadDir);
    } catch (error) {
      log.warn("free space unknown", { error: describeError(error) });
      return null;
    }
  }

  /** Warnings that hold only as long as their cause does. */
  #present(isSpaceUnknown: boolean, usage: BufferUsage): Warning[] {
    const warnings: Warning[] = [];
    const sharing = sharingWarning(usage);
    if (sharing !== null) warnings.push(sharing);
    const { failure } = this.#parts.writes;
    if (failure !== null) {
      const cause = isDatabaseFull(failure) ? "its disk is full" : describeError(failure);
      const message = `The database cannot be written (${cause}). TorrX goes on and tries again; progress since then is not saved.`;
      warnings.push({ code: "database_write_failed", message });
    }
    if (isSpaceUnknown) {
      warnings.push({ code: "download_dir_unreadable", message: "The download folder cannot be read." });
    }
    return warnings;
  }
}
