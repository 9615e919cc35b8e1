// One torrent as a state machine. Its status is never stored: it follows from what the user wants (spec), what the
// queue allows, what the disk says (fault) and what is had. reconcile() brings the parts (session, data) to where that
// says they belong, and may be called at any time; everything that waits for the disk runs one after the other.

import { describeError, TorrxError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { parseInfoDict, type TorrentInfo } from "../metainfo/index.ts";
import type { OpenReader, ReaderId } from "../stream/ports.ts";
import type { TrackerState } from "../swarm/index.ts";
import type { PeerLink } from "../wire/index.ts";
import { idleTrackers } from "./idle-trackers.ts";
import { MetadataSession } from "./metadata-session.ts";
import type { Peer } from "./peer.ts";
import { mergedPeers } from "./peer-sources.ts";
import type { FileChoice, TorrentChange, TorrentFault, TorrentSpec } from "./port.ts";
import type { TorrentLimits } from "./rate-limits.ts";
import { choiceOf } from "./selection.ts";
import { SerialTasks } from "./serial-tasks.ts";
import { sessionFactsOf } from "./session-facts.ts";
import { isSameSet } from "./streamed-files.ts";
import { SwarmSession } from "./swarm-session.ts";
import { type DemandChange, TorrentData } from "./torrent-data.ts";
import { TorrentFacts, type TorrentHost } from "./torrent-facts.ts";

export class Torrent extends TorrentFacts {
  readonly #log: Log;
  readonly #limits: TorrentLimits;
  readonly #metadata: MetadataSession;
  readonly #tasks = new SerialTasks();
  #abort = new AbortController();
  #isRemoved = false;
  #isRetrying = false;
  #rechecking: Promise<void> | null = null;
  /** Sessions that ended and may still be saying goodbye to their trackers. */
  #stopping: Promise<unknown> = Promise.resolve();
  #seenStreamedFiles: ReadonlySet<number> = new Set();
  #wasComplete: boolean;

  constructor(spec: TorrentSpec, host: TorrentHost) {
    super(spec, host);
    const { clock, log } = host.shared.deps;
    this.#log = log.of("torrent");
    this.#wasComplete = spec.completedAtMs !== null;
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
    if (change.isPaused === false) this.#goOn();
    if (change.peers !== undefined && this.currentInfo?.isPrivate !== true) {
      this.currentSession?.dialer.offer(change.peers, "magnet");
    }
    if (change.trackers !== undefined) this.currentSession?.sources.add(change.trackers.flat());
    if (change.isPaused === true) {
      this.host.shared.streams.endIdle(this.id);
      this.#cutCheckShort();
    }
    if (change.files !== undefined) this.#noteCompletion();
    this.host.queueChanged();
    this.reconcile();
    this.#applyWishes();
    this.#tasks
      .run(async () => {
        await this.currentData?.makePresent((index) => choiceOf(this.currentSpec.files, index).isSelected);
        if (change.isPaused === true && this.currentData?.isOpen) await this.currentData.store.commit();
      })
      .catch((error: unknown) => this.#failed(error));
  }

  /** A paused torrent is not opened; its check begins anew when it goes on. A recheck was asked for and goes on. */
  #cutCheckShort(): void {
    if (this.currentCheck === null || this.#rechecking !== null || this.isStreamed) return;
    this.#abort.abort();
    this.#abort = new AbortController();
  }

  /** The user wants it to run in spite of its fault. */
  #goOn(): void {
    if (this.currentFault === null) return;
    this.#retry().catch((error: unknown) =>
      this.#log.warn("a torrent still cannot go on", { torrent: this.id, error: describeError(error) }),
    );
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

  async openReader(request: OpenReader): Promise<ReaderId> {
    const fault = this.#readFault();
    if (fault !== null) throw fault;
    const data = this.#knownData();
    const opening = data.openReader(request, this.#abort.signal);
    this.host.queueChanged();
    this.reconcile();
    this.isDirty = true;
    try {
      return await opening;
    } catch (error) {
      // Cut short by the removal, which is no fault of anything inside.
      if (this.#isRemoved) throw new TorrxError("not_found", "the torrent was stopped", { cause: error });
      throw error;
    }
  }

  #knownData(): TorrentData {
    if (this.currentData === null)
      throw new TorrxError("not_ready", "the torrent's file list is not known yet");
    return this.currentData;
  }

  /** From the call on, not only once its turn has come, nothing counts as complete. */
  recheck(): Promise<void> {
    const data = this.#knownData();
    if (this.#rechecking !== null) return this.#rechecking;
    const { signal } = this.#abort;
    this.checks++;
    this.#setChecking(0);
    this.#rechecking = this.#tasks
      .run(() => this.#reload(() => data.recheck(signal)))
      .finally(() => {
        this.#rechecking = null;
        this.checks--;
        this.reconcile();
      });
    return this.#rechecking;
  }

  /** Runs `load` without peers; a fault of before is over unless it is told again or `load` rejects. */
  async #reload(load: () => Promise<void>): Promise<void> {
    const before = this.currentFault;
    this.checks++;
    this.#dropSession();
    this.currentFault = null;
    this.#setChecking(0);
    try {
      await load();
    } catch (error) {
      this.currentFault ??= before;
      throw error;
    } finally {
      this.checks--;
      this.#opened();
    }
  }

  async #retry(): Promise<void> {
    if (this.#isRetrying) return;
    this.#isRetrying = true;
    try {
      await this.#tasks.run(async () => {
        // What is wrong with the metadata stays wrong.
        if (this.currentFault === null || this.currentFault.code === "metadata_invalid") return;
        await this.#reload(async () => await this.currentData?.retry());
      });
    } finally {
      this.#isRetrying = false;
    }
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
    if (this.currentFault?.code === "disk_full") await this.#retry();
  }

  /** Ends everything and leaves the data clean on disk, or removes it. Does not wait for a check: it ends the check. */
  async close(options: { deleteFiles: boolean } = { deleteFiles: false }): Promise<void> {
    this.#isRemoved = true;
    this.#abort.abort();
    this.#dropSession();
    await Promise.all([this.#stopping, this.currentData?.close(options)]);
    await this.#tasks.run(() => Promise.resolve());
  }

  /** Brings session and data to where the spec, the queue and the fault say they belong. Idempotent. */
  reconcile(): void {
    if (this.#isRemoved) return;
    this.#refreshStreamed();
    const plan = this.plan();
    if (plan.needsData && this.currentData?.isOpen === false) this.#openData(this.currentData);
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

  #openData(data: TorrentData): void {
    if (this.currentCheck !== null) return;
    this.#setChecking(0);
    const { signal } = this.#abort;
    this.#tasks
      .run(() => data.open(signal))
      .then(
        () => this.#opened(),
        (error: unknown) => (signal.aborted ? this.#checkCutShort() : this.#failed(error)),
      );
  }

  /** What came meanwhile (a stream, the torrent going on) may want it again. */
  #checkCutShort(): void {
    this.#setChecking(null);
    this.reconcile();
  }

  #opened(): void {
    this.#setChecking(null);
    this.#noteCompletion();
    this.host.queueChanged();
    this.reconcile();
  }

  #setChecking(share: number | null): void {
    this.currentCheck = share;
    this.isDirty = true;
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
    const stopped = session.stop().catch((error: unknown) => this.#failed(error));
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
        onFault: (code, detail) => this.#faultFound(code, detail),
        onCheckProgress: (share) => this.#setChecking(share),
        onChanged: () => this.#dataChanged(),
        onDownloaded: (bytes) => this.traffic.down.add(bytes),
        onUploaded: (bytes) => this.traffic.up.add(bytes),
        onLiar: (host) => this.currentSession?.banHost(host),
        onDemand: (change) => this.#demandChanged(change),
        readFault: () => this.#readFault(),
      },
    });
  }

  #metadataArrived(infoBytes: Uint8Array): void {
    try {
      this.currentInfo = parseInfoDict(infoBytes);
    } catch (error) {
      this.#faultFound("metadata_invalid", describeError(error));
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
      this.#tasks
        .run(async () => await this.currentData?.store.commit())
        .catch((error: unknown) => this.#failed(error));
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

  /** Why readers get no more bytes. On a full disk they wait: it goes on when space is back. */
  #readFault(): TorrxError | null {
    const fault = this.currentFault;
    return fault === null || fault.code === "disk_full" ? null : new TorrxError("internal", fault.detail);
  }

  #faultFound(code: TorrentFault, detail: string): void {
    if (this.currentFault !== null) return;
    this.currentFault = { code, detail };
    this.isDirty = true;
    this.#log.warn("a torrent cannot go on", { torrent: this.id, fault: code, detail });
    const readFault = this.#readFault();
    if (readFault !== null) this.currentData?.streams.desk.closeAll(readFault);
    this.host.queueChanged();
    this.reconcile();
  }

  #failed(error: unknown): void {
    this.#setChecking(null);
    if (this.#isRemoved) return;
    this.#faultFound("internal", describeError(error));
  }
}
