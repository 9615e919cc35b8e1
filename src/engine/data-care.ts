// Opening, checking and mending a torrent's data, and the fault that it stands in. What waits for the disk runs one
// after the other; a fault stands until it was tried again with success. The owner is told when something settled and
// then decides anew what should run.

import type { InfoHash } from "../base/brand.ts";
import { describeError, TorrxError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { MemoryFault } from "../store/index.ts";
import type { TorrentFault } from "./port.ts";
import { SerialTasks } from "./serial-tasks.ts";
import type { TorrentData } from "./torrent-data.ts";

export interface Fault {
  readonly code: TorrentFault;
  readonly detail: string;
}

export interface CareOwner {
  readonly id: InfoHash;
  data(): TorrentData | null;
  /** Data that is loaded anew has no peers meanwhile. */
  dropPeers(): void;
  /** Progress of a check, or a fault: stats show something else. */
  changed(): void;
  /** A check ended, a fault came or went. */
  settled(): void;
}

export class DataCare {
  readonly #owner: CareOwner;
  readonly #log: Log;
  readonly #tasks = new SerialTasks();
  #abort = new AbortController();
  #fault: Fault | null = null;
  #checkProgress: number | null = null;
  /** Loads that run or wait and have the data to themselves. */
  #loads = 0;
  #rechecking: Promise<void> | null = null;
  #isRetrying = false;
  #isEnded = false;

  constructor(owner: CareOwner, log: Log) {
    this.#owner = owner;
    this.#log = log;
  }

  get fault(): Fault | null {
    return this.#fault;
  }

  /** Share of a check or opening that runs, else null. */
  get checkProgress(): number | null {
    return this.#checkProgress;
  }

  /** The data is being loaded anew, or waits for it. */
  get isReloading(): boolean {
    return this.#loads > 0;
  }

  /** Aborts when a check is cut short or the torrent ends. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Why no reader is opened. On a full disk they wait: it goes on when space is back. */
  get readFault(): TorrxError | null {
    const fault = this.#fault;
    return fault === null || fault.code === "disk_full" ? null : new TorrxError("internal", fault.detail);
  }

  #setFault(fault: Fault | null): void {
    this.#fault = fault;
    this.#owner.data()?.setReadFault(memoryFaultOf(fault));
  }

  setCheckProgress(share: number | null): void {
    this.#checkProgress = share;
    this.#owner.changed();
  }

  open(data: TorrentData): void {
    if (this.#checkProgress !== null) return;
    this.setCheckProgress(0);
    const { signal } = this.#abort;
    this.#tasks
      .run(() => data.open(signal))
      .then(
        () => this.#settle(),
        // Cut short; what came meanwhile (a stream, the torrent going on) may want it again.
        (error: unknown) => (signal.aborted ? this.#settle() : this.failed(error)),
      );
  }

  /** From the call on, not only once its turn has come, nothing counts as complete. */
  recheck(data: TorrentData): Promise<void> {
    if (this.#rechecking !== null) return this.#rechecking;
    const { signal } = this.#abort;
    this.#loads++;
    data.doubt();
    this.setCheckProgress(0);
    this.#rechecking = this.#tasks
      .run(() => this.#reload(() => data.recheck(signal)))
      .finally(() => {
        this.#rechecking = null;
        this.#loads--;
        this.#owner.settled();
      });
    return this.#rechecking;
  }

  /** An opening is given up; a recheck was asked for and goes on. */
  cutOpeningShort(): void {
    if (this.#checkProgress === null || this.#rechecking !== null) return;
    this.#abort.abort();
    this.#abort = new AbortController();
  }

  /** The user wants it to run in spite of its fault. */
  goOn(): void {
    if (this.#fault === null) return;
    this.#retry().catch((error: unknown) =>
      this.#log.warn("a torrent still cannot go on", {
        torrent: this.#owner.id,
        error: describeError(error),
      }),
    );
  }

  /** Space may be back: try to go on. */
  async retryIfFull(): Promise<void> {
    if (this.#fault?.code === "disk_full") await this.#retry();
  }

  /** What the disk has to do, once all that waits already is done. */
  later(task: () => Promise<void>): void {
    this.#tasks.run(task).catch((error: unknown) => this.failed(error));
  }

  faultFound(code: TorrentFault, detail: string): void {
    if (this.#fault !== null) return;
    this.#setFault({ code, detail });
    this.#log.warn("a torrent cannot go on", { torrent: this.#owner.id, fault: code, detail });
    this.#owner.settled();
  }

  failed(error: unknown): void {
    this.setCheckProgress(null);
    if (!this.#isEnded) this.faultFound("internal", describeError(error));
  }

  /** Ends a check that runs; nothing is told from here on. */
  end(): void {
    this.#isEnded = true;
    this.#abort.abort();
  }

  /** Resolves when nothing waits for the disk any more. */
  async idle(): Promise<void> {
    await this.#tasks.run(() => Promise.resolve());
  }

  /** Runs `load` without peers; a fault of before is over unless it is told again or `load` rejects. */
  async #reload(load: () => Promise<void>): Promise<void> {
    const before = this.#fault;
    this.#loads++;
    this.#owner.dropPeers();
    this.#setFault(null);
    this.setCheckProgress(0);
    try {
      await load();
    } catch (error) {
      if (this.#fault === null) this.#setFault(before);
      throw error;
    } finally {
      this.#loads--;
      this.#settle();
    }
  }

  async #retry(): Promise<void> {
    if (this.#isRetrying) return;
    this.#isRetrying = true;
    try {
      await this.#tasks.run(async () => {
        // What is wrong with the metadata stays wrong.
        if (this.#fault === null || this.#fault.code === "metadata_invalid") return;
        await this.#reload(async () => await this.#owner.data()?.retry());
      });
    } finally {
      this.#isRetrying = false;
    }
  }

  #settle(): void {
    this.setCheckProgress(null);
    this.#owner.settled();
  }
}

function memoryFaultOf(fault: Fault | null): MemoryFault {
  if (fault === null || fault.code === "disk_full") return null;
  return fault.code === "metadata_invalid" ? "internal" : fault.code;
}
