// What the parts of the torrents service share. One of each per process.

import type { InfoHash } from "../../base/brand.ts";
import type { Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import { type DeferredWrites, type TorrxDatabase, toWriteError } from "../../db/index.ts";
import type { EnginePort } from "../../engine/port.ts";
import type { StreamBuffers } from "../../stream/ports.ts";
import type { KeyedQueue } from "../keyed-queue.ts";
import type { LiveHub } from "../live/live-hub.ts";
import type { OpenedMedia } from "../media/index.ts";
import type { SettingsService } from "../ports.ts";
import type { Volume } from "../volume.ts";
import type { WarningBoard } from "../warnings.ts";
import type { Catalogue } from "./catalogue.ts";

export interface TorrentsContext {
  readonly database: TorrxDatabase;
  readonly engine: EnginePort;
  readonly buffers: Pick<StreamBuffers, "removeTorrent">;
  readonly playback: Pick<OpenedMedia, "forget">;
  readonly volume: Volume;
  readonly settings: Pick<SettingsService, "get">;
  readonly clock: Clock;
  readonly log: Log;
  readonly live: LiveHub;
  readonly warnings: WarningBoard;
  readonly catalogue: Catalogue;
  /** Commands on one torrent, one after the other. */
  readonly queue: KeyedQueue<InfoHash>;
  /** For what the engine tells; what a user asks for is written at once or refused. */
  readonly writes: DeferredWrites;
}

/** Writes for a user who waits for it: durable, and a failure is theirs to see. */
export function writeNow(context: Pick<TorrentsContext, "database">, work: () => void): void {
  try {
    context.database.write(work, { durable: true });
  } catch (error) {
    throw toWriteError(error);
  }
}
