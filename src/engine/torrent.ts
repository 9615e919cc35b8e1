// One torrent as a state machine. Its status is never stored: it follows from what the user wants (spec), what the
// queue allows, what the disk says (fault) and what is had. reconcile() brings the parts (session, data) to where that
// says they belong, and may be called at any time; everything that waits for the disk runs one after the other.

import type { InfoHash } from "../base/brand.ts";
import { describeError, TorrxError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { parseInfoDict, type TorrentInfo } from "../metainfo/index.ts";
import type { OpenReader, ReaderId } from "../stream/ports.ts";
import type { TrackerState } from "../swarm/index.ts";
import type { PeerLink } from "../wire/index.ts";
import { idleTrackers } from "./idle-trackers.ts";
import { MetadataSession } from "./metadata-session.ts";
import type { Peer } from "./peer.ts";
import type { EngineEvent, FileChoice, TorrentChange, TorrentFault, TorrentSpec } from "./port.ts";
import type { QueueEntry } from "./queue.ts";
import type { TorrentLimits } from "./rate-limits.ts";
import { planOf, type RunPlan } from "./run-plan.ts";
import { choiceOf, type Progress } from "./selection.ts";
import { SerialTasks } from "./serial-tasks.ts";
import { sessionFactsOf } from "./session-facts.ts";
import type { Shared } from "./shared.ts";
import { SwarmSession } from "./swarm-session.ts";
import { type DemandChange, TorrentData } from "./torrent-data.ts";
import { TorrentTraffic } from "./torrent-traffic.ts";

export interface TorrentHost {
  readonly shared: Shared;
  emit(event: EngineEvent): void;
  /** The seed ratio limit of now, 0 = none. */
  seedRatioLimit(): number;
  /** Something changed that may let another torrent run. */
  queueChanged(): void;
}

export class Torrent {
  readonly id: InfoHash;
  readonly traffic: TorrentTraffic;
  readonly #host: TorrentHost;
  readonly #log: Log;
  readonly #limits: TorrentLimits;
  readonly #metadata: MetadataSession;
  readonly #tasks = new SerialTasks();
  #spec: TorrentSpec;
  #data: TorrentData | null = null;
  #session: SwarmSession | null = null;
  #info: TorrentInfo | null = null;
  #fault: { readonly code: TorrentFault; readonly detail: string } | null = null;
  #checkProgress: number | null = null;
  #abort = new AbortController();
  #isActive = false;
  #isRemoved = false;
  #isRechecking = false;
  #streamedFiles: ReadonlySet<number> = new Set();
  #wasComplete: boolean;
  /** Raised by everything that stats show. */
  isDirty = true;

  constructor(spec: TorrentSpec, host: TorrentHost) {
    const { clock, log } = host.shared.deps;
    this.id = spec.id;
    this.#spec = spec;
    this.#host = host;
    this.#log = log.of("torrent");
    this.#wasComplete = spec.completedAtMs !== null;
    this.traffic = new TorrentTraffic(clock, spec);
    this.#limits = host.shared.limits.ofTorrent(spec.maxDownloadSpeed, spec.maxUploadSpeed);
    this.#metadata = new MetadataSession({
      infoHash: spec.id,
      infoBytes: spec.infoBytes,
      clock,
      log: this.#log,
      onComplete: (infoBytes) => this.#metadataArrived(infoBytes),
    });
    if (spec.infoBytes !== null) this.#setInfo(parseInfoDict(spec.infoBytes));
  }

  get spec(): TorrentSpec {
    return this.#spec;
  }

  get info(): TorrentInfo | null {
    return this.#info;
  }

  get data(): TorrentData | null {
    return this.#data;
  }

  get session(): SwarmSession | null {
    return this.#session;
  }

  get fault() {
    return this.#fault;
  }

  get checkProgress(): number | null {
    return this.#checkProgress;
  }

  get isActive(): boolean {
    return this.#isActive;
  }

  get metadataProgress() {
    return this.#metadata.progress;
  }

  get isStreamed(): boolean {
    return this.#host.shared.streamedFiles.of(this.id).size > 0;
  }

  get progress(): Progress | null {
    return this.#data?.progress(this.#spec.files) ?? null;
  }

  get isComplete(): boolean {
    return this.progress?.isComplete ?? false;
  }

  get hasReachedRatio(): boolean {
    const limit = this.#host.seedRatioLimit();
    const totalBytes = this.#info?.totalBytes ?? 0;
    return limit > 0 && totalBytes > 0 && this.traffic.totals.uploadedBytes >= limit * totalBytes;
  }

  queueEntry(): QueueEntry {
    const isReady = this.#data !== null && this.#fault === null && !this.#spec.isPaused;
    return {
      id: this.id,
      wantsDownload: isReady && this.progress?.isComplete === false,
      isStreamed: this.isStreamed,
      priority: this.#spec.priority,
      addedAtMs: this.#spec.addedAtMs,
    };
  }

  setActive(isActive: boolean): void {
    if (isActive === this.#isActive) return;
    this.#isActive = isActive;
    this.isDirty = true;
    this.reconcile();
    this.#applyWishes();
  }

  async change(change: TorrentChange): Promise<void> {
    this.#spec = { ...this.#spec, ...change };
    this.#data?.choiceChanged();
    this.#limits.set(this.#spec.maxDownloadSpeed, this.#spec.maxUploadSpeed);
    this.isDirty = true;
    if (change.isPaused === false) this.#fault = null;
    if (change.peers !== undefined && this.#info?.isPrivate !== true) {
      this.#session?.dialer.offer(change.peers, "magnet");
    }
    if (change.trackers !== undefined) this.#session?.sources.add(change.trackers.flat());
    await this.#tasks.run(async () => {
      await this.#data?.makePresent((index) => choiceOf(this.#spec.files, index).isSelected);
      if (change.isPaused === true && this.#data?.isOpen) await this.#data.store.commit();
    });
    this.#host.queueChanged();
    this.reconcile();
    this.#applyWishes();
  }

  /** The services have stored the metadata and say under which name it lies on disk. */
  confirmMetadata(diskName: string | null, files: readonly FileChoice[]): void {
    if (this.#info === null || this.#data !== null) return;
    this.#spec = { ...this.#spec, diskName, files };
    this.#createData(this.#info);
    this.#host.queueChanged();
    this.reconcile();
  }

  /** Where an incoming peer of this torrent is handled; null refuses it. */
  acceptIncoming(link: PeerLink): Peer | null {
    return this.#session?.acceptIncoming(link) ?? null;
  }

  async openReader(request: OpenReader): Promise<ReaderId> {
    const data = this.#data;
    if (data === null) throw new TorrxError("not_ready", "the torrent's file list is not known yet");
    const file = data.geometry.files[request.file];
    if (file === undefined || file.isPad) throw new TorrxError("not_found", "the torrent has no such file");
    this.#failOnFault();
    const reader = data.streams.open(request, file);
    try {
      this.#host.queueChanged();
      this.reconcile();
      await data.open(this.#abort.signal);
      await data.makePresent((index) => index === request.file);
    } catch (error) {
      data.streams.close(reader);
      throw error;
    }
    this.isDirty = true;
    return reader;
  }

  #failOnFault(): void {
    if (this.#fault?.code === "data_conflict") throw new TorrxError("internal", this.#fault.detail);
  }

  recheck(): Promise<void> {
    const data = this.#data;
    if (data === null) throw new TorrxError("not_ready", "the torrent's file list is not known yet");
    return this.#tasks.run(async () => {
      await data.open(this.#abort.signal);
      this.#isRechecking = true;
      await this.#stopSession();
      this.#fault = null;
      this.#setChecking(0);
      try {
        await data.recheck(this.#abort.signal);
      } finally {
        this.#isRechecking = false;
        this.#setChecking(null);
        this.#host.queueChanged();
        this.reconcile();
      }
    });
  }

  reannounce(): void {
    this.#session?.sources.announceNow();
  }

  trackerStates(): readonly TrackerState[] {
    return this.#session?.sources.states() ?? idleTrackers(this.#spec.trackers);
  }

  /** The registry has noted a change in what its streams want. */
  demandNoted(): void {
    this.#data?.streams.noted();
  }

  /** Every 100 ms while it has peers or streams, else every second. */
  tick(nowMs: number): void {
    this.#session?.tick(nowMs);
  }

  /** Space may be back: try to go on. */
  async retryAfterFault(): Promise<void> {
    if (this.#fault?.code !== "disk_full") return;
    await this.#tasks.run(async () => {
      await this.#data?.store.retry();
      this.#fault = null;
      this.isDirty = true;
    });
    this.#host.queueChanged();
    this.reconcile();
  }

  /** Ends everything and leaves the data clean on disk. */
  async close(options: { deleteFiles: boolean } = { deleteFiles: false }): Promise<void> {
    this.#isRemoved = true;
    this.#abort.abort();
    await this.#tasks.run(async () => {
      await this.#stopSession();
      await this.#data?.close();
      if (options.deleteFiles) await this.#data?.store.removeData();
    });
  }

  /** Brings session and data to where the spec, the queue and the fault say they belong. Idempotent. */
  reconcile(): void {
    if (this.#isRemoved) return;
    this.#refreshStreamed();
    const plan = this.#plan();
    if (plan.needsData && this.#data?.isOpen === false) this.#openData(this.#data);
    if (!plan.needsPeers) this.#stopSession().catch((error: unknown) => this.#failed(error));
    else this.#session ??= this.#createSession();
    if (this.#session?.transfer === null && this.#data?.isOpen === true) {
      this.#session.attach(this.#data.startTransfer(), this.#data.geometry.pieceLengthBytes);
      this.#applyWishes();
    }
  }

  /** A stream that came or ended its after-life changes which files are wanted. */
  #refreshStreamed(): void {
    const files = this.#host.shared.streamedFiles.of(this.id);
    if (files === this.#streamedFiles) return;
    const hasChanged =
      files.size !== this.#streamedFiles.size || [...files].some((file) => !this.#streamedFiles.has(file));
    this.#streamedFiles = files;
    if (!hasChanged) return;
    this.isDirty = true;
    this.#applyWishes();
  }

  #plan(): RunPlan {
    return planOf({
      isPaused: this.#spec.isPaused,
      isStreamed: this.isStreamed,
      hasFault: this.#fault !== null,
      isRechecking: this.#isRechecking,
      hasMetadata: this.#data !== null,
      isDataOpen: this.#data?.isOpen ?? false,
      hasSession: this.#session !== null,
      isComplete: this.isComplete,
      hasReachedRatio: this.hasReachedRatio,
      isActive: this.#isActive,
    });
  }

  #openData(data: TorrentData): void {
    if (this.#checkProgress !== null) return;
    this.#setChecking(0);
    this.#tasks
      .run(() => data.open(this.#abort.signal))
      .then(
        () => this.#opened(),
        (error: unknown) => this.#failed(error),
      );
  }

  #opened(): void {
    this.#setChecking(null);
    this.#noteCompletion();
    this.#host.queueChanged();
    this.reconcile();
  }

  #setChecking(share: number | null): void {
    this.#checkProgress = share;
    this.isDirty = true;
  }

  #createSession(): SwarmSession {
    const { shared } = this.#host;
    return new SwarmSession({
      shared,
      log: this.#log,
      metadata: this.#metadata,
      trackers: this.#spec.trackers,
      magnetPeers: this.#spec.peers,
      facts: sessionFactsOf(this, shared),
    });
  }

  async #stopSession(): Promise<void> {
    const session = this.#session;
    if (session === null) return;
    this.#session = null;
    this.#data?.stopTransfer();
    await session.stop();
  }

  #setInfo(info: TorrentInfo): void {
    if (info.infoHash !== this.id)
      throw new TorrxError("invalid_torrent", "the metadata is of another torrent");
    this.#info = info;
    this.#createData(info);
  }

  #createData(info: TorrentInfo): void {
    this.#data = new TorrentData({
      info,
      saveDirectory: this.#spec.saveDirectory,
      diskName: this.#spec.diskName,
      files: this.#spec.files,
      resume: this.#spec.resume,
      limits: this.#limits,
      shared: this.#host.shared,
      log: this.#log,
      events: {
        onResume: (state) => this.#host.emit({ type: "resume", id: this.id, state }),
        onFault: (code, detail) => this.#faultFound(code, detail),
        onCheckProgress: (share) => this.#setChecking(share),
        onChanged: () => this.#dataChanged(),
        onDownloaded: (bytes) => this.traffic.down.add(bytes),
        onUploaded: (bytes) => this.traffic.up.add(bytes),
        onLiar: (host) => this.#session?.banHost(host),
        onDemand: (change) => this.#demandChanged(change),
      },
    });
  }

  #metadataArrived(infoBytes: Uint8Array): void {
    try {
      this.#info = parseInfoDict(infoBytes);
    } catch (error) {
      this.#faultFound("metadata_invalid", describeError(error));
      return;
    }
    this.isDirty = true;
    this.#host.emit({ type: "metadata", id: this.id, infoBytes });
  }

  #dataChanged(): void {
    this.isDirty = true;
    if (!this.#wasComplete) this.#noteCompletion();
  }

  #noteCompletion(): void {
    const { isComplete } = this;
    if (isComplete && !this.#wasComplete) {
      this.#session?.sources.completed();
      this.#host.emit({ type: "completed", id: this.id, atMs: this.#host.shared.deps.clock.wallMs() });
      this.#host.queueChanged();
      this.#tasks
        .run(async () => await this.#data?.store.commit())
        .catch((error: unknown) => this.#failed(error));
    }
    this.#wasComplete = isComplete;
  }

  #demandChanged(change: DemandChange): void {
    if (change === "moved") this.#data?.applyDemands();
    else this.#applyWishes();
    this.isDirty = true;
  }

  #applyWishes(): void {
    const fetchesSelected = !this.#spec.isPaused && this.#isActive && this.#spec.download === "all";
    this.#data?.applyWishes(this.#spec.files, fetchesSelected);
  }

  #faultFound(code: TorrentFault, detail: string): void {
    if (this.#fault !== null) return;
    this.#fault = { code, detail };
    this.isDirty = true;
    this.#log.warn("a torrent cannot go on", { torrent: this.id, fault: code, detail });
    this.#host.queueChanged();
    this.reconcile();
  }

  #failed(error: unknown): void {
    this.#setChecking(null);
    if (this.#isRemoved) return;
    this.#faultFound("internal", describeError(error));
  }
}
