// What is known of one torrent and what follows from it. Read-only to everybody but the torrent itself, which changes
// it through the protected fields.

import type { InfoHash } from "../base/brand.ts";
import type { TorrentInfo } from "../metainfo/index.ts";
import type { DataCare, Fault } from "./data-care.ts";
import type { EngineEvent, TorrentSpec } from "./port.ts";
import type { QueueEntry } from "./queue.ts";
import { planOf, type RunPlan } from "./run-plan.ts";
import type { Progress } from "./selection.ts";
import type { Shared } from "./shared.ts";
import type { SwarmSession } from "./swarm-session.ts";
import type { TorrentData } from "./torrent-data.ts";
import { TorrentTraffic } from "./torrent-traffic.ts";

export interface TorrentHost {
  readonly shared: Shared;
  emit(event: EngineEvent): void;
  /** The seed ratio limit of now, 0 = none. */
  seedRatioLimit(): number;
  /** Something changed that may let another torrent run. */
  queueChanged(): void;
  /** Within what time a torrent that starts now makes its first announce: many spread out. */
  announceSpreadMs(): number;
}

export abstract class TorrentFacts {
  readonly id: InfoHash;
  readonly traffic: TorrentTraffic;
  /** Raised by everything that stats show. */
  isDirty = true;
  protected readonly host: TorrentHost;
  protected currentSpec: TorrentSpec;
  protected currentInfo: TorrentInfo | null = null;
  protected currentData: TorrentData | null = null;
  protected currentSession: SwarmSession | null = null;
  protected abstract readonly care: DataCare;
  protected mayDownload = false;

  constructor(spec: TorrentSpec, host: TorrentHost) {
    this.id = spec.id;
    this.host = host;
    this.currentSpec = spec;
    this.traffic = new TorrentTraffic(host.shared.deps.clock, spec);
  }

  get spec(): TorrentSpec {
    return this.currentSpec;
  }

  /** null while the metadata is pending. */
  get info(): TorrentInfo | null {
    return this.currentInfo;
  }

  /** null until the metadata is known and stored. */
  get data(): TorrentData | null {
    return this.currentData;
  }

  /** null while it has no peers to have. */
  get session(): SwarmSession | null {
    return this.currentSession;
  }

  get fault(): Fault | null {
    return this.care.fault;
  }

  /** Share of a check or opening that runs, else null. */
  get checkProgress(): number | null {
    return this.care.checkProgress;
  }

  /** The queue lets it download. */
  get isActive(): boolean {
    return this.mayDownload;
  }

  get streamedFiles(): ReadonlySet<number> {
    return this.host.shared.streamedFiles.of(this.id);
  }

  get isStreamed(): boolean {
    return this.streamedFiles.size > 0;
  }

  /** null while the metadata is pending. */
  get progress(): Progress | null {
    return this.currentData?.progress(this.currentSpec.files) ?? null;
  }

  /** Every selected file is had. */
  get isComplete(): boolean {
    return this.progress?.isComplete ?? false;
  }

  get hasReachedRatio(): boolean {
    const limit = this.host.seedRatioLimit();
    const totalBytes = this.currentInfo?.totalBytes ?? 0;
    return limit > 0 && totalBytes > 0 && this.traffic.totals.uploadedBytes >= limit * totalBytes;
  }

  queueEntry(): QueueEntry {
    const { isPaused, download } = this.currentSpec;
    const isReady = this.currentData !== null && this.fault === null && !isPaused;
    return {
      id: this.id,
      // One that fetches only what is watched downloads nothing by itself, and takes nobody's place.
      wantsDownload: isReady && download === "all" && !this.isComplete,
      isStreamed: this.isStreamed,
      priority: this.currentSpec.priority,
      addedAtMs: this.currentSpec.addedAtMs,
    };
  }

  protected plan(): RunPlan {
    return planOf({
      isPaused: this.currentSpec.isPaused,
      isStreamed: this.isStreamed,
      hasFault: this.fault !== null,
      isRechecking: this.care.isReloading,
      hasMetadata: this.currentData !== null,
      isDataOpen: this.currentData?.isOpen ?? false,
      hasSession: this.currentSession !== null,
      isComplete: this.isComplete,
      hasReachedRatio: this.hasReachedRatio,
      isActive: this.mayDownload,
    });
  }
}
