// One torrent as a state machine. Its status is never stored: it follows from what the user wants (spec), what the
// queue allows, what the disk says (fault) and what is had. reconcile() brings the parts (session, data) to where that
// says they belong, and may be called at any time; everything that waits for the disk runs one after the other.

import { describeError, TorrxError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { parseInfoDict, type TorrentInfo } from "../metainfo/index.ts";
import type { OpenReader } from "../stream/ports.ts";
import type { TrackerState } from "../swarm/index.ts";
import type { PeerLink } from "../wire/index.ts";
import { DataCare } from "./data-care.ts";
import { idleTrackers } from "./idle-trackers.ts";
import { MetadataSession } from "./metadata-session.ts";
import type { Peer } from "./peer.ts";
import { mergedPeers } from "./peer-sources.ts";
import type { FileChoice, TorrentChange, TorrentSpec } from "./port.ts";
import type { TorrentLimits } from "./rate-limits.ts";
import { choiceOf } from "./selection.ts";
import { sessionFactsOf } from "./session-facts.ts";
import { isSameSet } from "./streamed-files.ts";
import { SwarmSession } from "./swarm-session.ts";
import { type DemandChange, TorrentData } from "./torrent-data.ts";
import { TorrentFacts, type TorrentHost } from "./torrent-facts.ts";

export class Torrent extends TorrentFacts {
  readonly #log: Log;
  readonly #limits: TorrentLimits;
  readonly #metadata: MetadataSession;
  protected readonly care: DataCare;
  #isRemoved = false;
  /** Sessions that ended and may still be saying goodbye to their trackers. */
  #stopping: Promise<unknown> = Promise.resolve();
  #seenStreamedFiles: ReadonlySet<number> = new Set();
  #wasComplete: boolean;

  constructor(spec: TorrentSpec, host: TorrentHost) {
    super(spec, host);
    const { clock, log } = host.shared.deps;
    this.#log = log.of("torrent");
    this.#wasComplete = spec.completedAtMs !== null;
    this.care = new DataCare(
      {
        id: spec.id,
        data: () => this.currentData,
        dropPeers: () => this.#dropSession(),
        changed: () => {
          this.isDirty = true;
        },
        settled: () => this.#settled(),
      },
      this.#log,
    );
    if (spec.isPaused) host.shared.streams.pause(spec.id);
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

  get metadataProgress() {
    return this.#metadata.progress;
  }

  setActive(isActive: boolean): void {
    if (isActive === this.mayDownload) return;
    this.mayDownload = isActive;
    this.isDirty = true;
    this.reconcile();
    this.#applyWishes();
  }

  /** Holds at once; what the disk has to do for it follows, perhaps behind a check that runs. */
  change(change: TorrentChange): void {
    const peers = mergedPeers(this.currentSpec.peers, change.peers ?? []);
    this.currentSpec = { ...this.currentSpec, ...change, peers };
    this.currentData?.choiceChanged();
    this.#limits.set(this.currentSpec.maxDownloadSpeed, this.currentSpec.maxUploadSpeed);
    this.isDirty = true;
    if (change.isPaused === false) {
      this.host.shared.streams.resume(this.id);
      this.care.goOn();
    }
    if (change.peers !== undefined && this.currentInfo?.isPrivate !== true) {
      this.currentSession?.offer(change.peers, "magnet");
    }
    if (change.trackers !== undefined) this.currentSession?.sources.add(change.trackers.flat());
    if (change.isPaused === true) {
      this.host.shared.streams.pause(this.id);
      if (!this.isStreamed) this.care.cutOpeningShort();
    }
    if (change.files !== undefined) this.#noteCompletion();
    this.host.queueChanged();
    this.reconcile();
    this.#applyWishes();
    this.care.later(async () => {
      await this.currentData?.makePresent((index) => choiceOf(this.currentSpec.files, index).isSelected);
      if (change.isPaused === true && this.currentData?.isOpen) await this.currentData.store.commit();
    });
  }

  /** The services have stored the metadata and say under which name it lies on disk. */
  confirmMetadata(diskName: string | null, files: readonly FileChoice[]): void {
    if (this.currentInfo === null || this.currentData !== null) return;
    this.currentSpec = { ...this.currentSpec, diskName, files };
    this.#createData(this.currentInfo);
    this.host.queueChanged();
    this.reconcile();
  }

  /** Where an incoming peer of this torrent is handled; null refuses it. */
  acceptIncoming(link: PeerLink): Peer | null {
    return this.currentSession?.acceptIncoming(link) ?? null;
  }

  async openReader(request: OpenReader): Promise<void> {
    if (this.care.readFault !== null) throw this.care.readFault;
    const data = this.#knownData();
    const opening = data.openReader(request, this.care.signal);
    this.host.queueChanged();
    this.reconcile();
    this.isDirty = true;
    await opening.catch((error: unknown) => {
      // Cut short by the removal, which is no fault of anything inside.
      throw this.#isRemoved ? new TorrxError("not_found", "the torrent was stopped") : error;
    });
  }

  #knownData(): TorrentData {
    if (this.currentData === null)
      throw new TorrxError("not_ready", "the torrent's file list is not known yet");
    return this.currentData;
  }

  async recheck(): Promise<void> {
    await this.care.recheck(this.#knownData());
  }

  reannounce(): void {
    this.currentSession?.sources.announceNow();
  }

  trackerStates(): readonly TrackerState[] {
    return this.currentSession?.sources.states() ?? idleTrackers(this.currentSpec.trackers);
  }

  /** The registry has noted a change in what its streams want. */
  demandNoted(): void {
    this.currentData?.streams.noted();
  }

  /** Every 100 ms while it has peers or streams, else every second. */
  tick(nowMs: number): void {
    this.currentSession?.tick(nowMs);
  }

  /** Space may be back: try to go on. */
  async retryAfterFault(): Promise<void> {
    await this.care.retryIfFull();
  }

  /** Ends everything and leaves the data clean on disk, or removes it. Does not wait for a check: it ends the check. */
  async close(options: { deleteFiles: boolean } = { deleteFiles: false }): Promise<void> {
    this.#isRemoved = true;
    this.care.end();
    this.#dropSession();
    await Promise.all([this.#stopping, this.currentData?.close(options)]);
    await this.care.idle();
  }

  /** Brings session and data to where the spec, the queue and the fault say they belong. Idempotent. */
  reconcile(): void {
    if (this.#isRemoved) return;
    this.#refreshStreamed();
    const plan = this.plan();
    if (plan.needsData && this.currentData?.isOpen === false) this.care.open(this.currentData);
    if (!plan.needsPeers) this.#dropSession();
    else this.currentSession ??= this.#createSession();
    if (this.currentSession?.transfer === null && this.currentData?.isOpen === true) {
      this.currentSession.attach(
        this.currentData.startTransfer(),
        this.currentData.geometry.pieceLengthBytes,
      );
      this.#applyWishes();
    }
  }

  /** A stream that came or ended its after-life changes which files are wanted. */
  #refreshStreamed(): void {
    const files = this.streamedFiles;
    if (isSameSet(files, this.#seenStreamedFiles)) return;
    this.#seenStreamedFiles = files;
    this.isDirty = true;
    this.#applyWishes();
  }

  #settled(): void {
    if (this.#isRemoved) return;
    this.isDirty = true;
    if (!this.care.isReloading) this.#noteCompletion();
    this.host.queueChanged();
    this.reconcile();
  }

  #createSession(): SwarmSession {
    const { shared } = this.host;
    return new SwarmSession({
      shared,
      log: this.#log,
      metadata: this.#metadata,
      trackers: this.currentSpec.trackers,
      magnetPeers: this.currentSpec.peers,
      announceWithinMs: this.isStreamed ? 0 : this.host.announceSpreadMs(),
      facts: sessionFactsOf(this, shared),
    });
  }

  /** Its connections end at once, its trackers hear of it by and by. */
  #dropSession(): void {
    const session = this.currentSession;
    if (session === null) return;
    this.currentSession = null;
    const stopped = session.stop().catch((error: unknown) => this.care.failed(error));
    this.currentData?.pauseTransfer();
    this.#stopping = Promise.all([this.#stopping, stopped]);
  }

  #setInfo(info: TorrentInfo): void {
    if (info.infoHash !== this.id)
      throw new TorrxError("invalid_torrent", "the metadata is of another torrent");
    this.currentInfo = info;
    this.#createData(info);
  }

  #createData(info: TorrentInfo): void {
    this.currentData = new TorrentData({
      info,
      saveDirectory: this.currentSpec.saveDirectory,
      diskName: this.currentSpec.diskName,
      files: this.currentSpec.files,
      resume: this.currentSpec.resume,
      limits: this.#limits,
      shared: this.host.shared,
      log: this.#log,
      events: {
        onResume: (state) => this.host.emit({ type: "resume", id: this.id, state }),
        onFault: (code, detail) => this.care.faultFound(code, detail),
        onCheckProgress: (share) => this.care.setCheckProgress(share),
        onChanged: () => this.#dataChanged(),
        onDownloaded: (bytes) => this.traffic.down.add(bytes),
        onUploaded: (bytes) => this.traffic.up.add(bytes),
        onLiar: (host) => this.currentSession?.banHost(host),
        onDemand: (change) => this.#demandChanged(change),
      },
    });
  }

  #metadataArrived(infoBytes: Uint8Array): void {
    try {
      this.currentInfo = parseInfoDict(infoBytes);
    } catch (error) {
      this.care.faultFound("metadata_invalid", describeError(error));
      return;
    }
    if (this.currentInfo.isPrivate) this.currentSession?.becamePrivate();
    this.isDirty = true;
    this.host.emit({ type: "metadata", id: this.id, infoBytes });
  }

  #dataChanged(): void {
    this.isDirty = true;
    this.#noteCompletion();
  }

  #noteCompletion(): void {
    if (this.#isRemoved) return;
    const { isComplete } = this;
    if (isComplete && !this.#wasComplete) {
      this.currentSession?.sources.completed();
      this.host.emit({ type: "completed", id: this.id, atMs: this.host.shared.deps.clock.wallMs() });
      this.host.queueChanged();
      this.care.later(async () => await this.currentData?.store.commit());
    }
    this.#wasComplete = isComplete;
  }

  #demandChanged(change: DemandChange): void {
    if (change === "moved") this.currentData?.applyDemands();
    else this.#applyWishes();
    this.isDirty = true;
  }

  #applyWishes(): void {
    const fetchesSelected =
      !this.currentSpec.isPaused && this.mayDownload && this.currentSpec.download === "all";
    this.currentData?.applyWishes(this.currentSpec.files, fetchesSelected);
  }
}
