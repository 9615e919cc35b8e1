// Everything that makes segments and keeps them: the runs, how many of them there may be, what they read, and the store.

import { join } from "node:path";
import type { InfoHash } from "../../base/brand.ts";
import type { Clock } from "../../base/clock.ts";
import { describeError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Log } from "../../base/log.ts";
import type { Random } from "../../base/random.ts";
import {
  encodesFor,
  nodeSegmentDisk,
  Rendition,
  RunLimits,
  SegmentStore,
  type SupervisedPrograms,
  usableCores,
} from "../../media/index.ts";
import type { ReaderId } from "../../stream/ports.ts";
import type { StreamsService } from "../ports.ts";
import type { Volume } from "../volume.ts";
import type { Warning, WarningBoard } from "../warnings.ts";
import { DemandHints } from "./demand-hints.ts";
import type { LoopbackInputs } from "./loopback-inputs.ts";
import type { MachineFacts } from "./machine-facts.ts";
import { StoredParts } from "./parts.ts";
import type { MakeRendition } from "./ports.ts";
import { type OpenInput, SharedRenditions } from "./shared-renditions.ts";

export interface MakingParts {
  readonly programs: SupervisedPrograms;
  readonly inputs: LoopbackInputs;
  readonly machine: Pick<MachineFacts, "atHand">;
  readonly streams: Pick<StreamsService, "resolve" | "source">;
  readonly nextReaderId: () => ReaderId;
  readonly volume: Volume;
  readonly warnings: WarningBoard;
  /** storage.temp_dir. */
  readonly tempDir: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

const SEGMENT_FOLDER = "hls";
/** A program that reads so near to the place that was asked for has come there. */
const NEAR_BYTES = 4 * 1024 * 1024;

export class Making {
  readonly renditions: SharedRenditions;
  readonly stored: StoredParts;
  readonly #parts: MakingParts;
  readonly #folder: string;
  readonly #store: SegmentStore;
  readonly #limits: RunLimits;
  readonly #hints: DemandHints;

  constructor(parts: MakingParts) {
    const { clock, log, tempDir, streams } = parts;
    this.#parts = parts;
    this.#folder = join(tempDir, SEGMENT_FOLDER);
    this.#limits = new RunLimits({ clock, encodes: encodesFor(usableCores()) });
    this.#hints = new DemandHints({ ...parts, source: streams.source });
    this.renditions = new SharedRenditions({
      make: (order, openInput) => this.#make(order, openInput),
      openInput: (...asked) => this.#openInput(...asked),
      drop: (name) => this.#store.dropRendition(name),
      clock,
      log,
    });
    this.#store = new SegmentStore({
      ...parts,
      disk: nodeSegmentDisk(this.#folder),
      neededIn: (name, segment) => this.renditions.neededIn(name, segment),
    });
    this.stored = new StoredParts({ open: (key) => this.#store.open(key), clock });
  }

  /** Empties the folder of what an earlier process left. Never rejects: without a folder segments stay in memory. */
  async start(): Promise<void> {
    await this.#store.start();
    try {
      await this.#parts.volume.ensureWritable(this.#folder);
    } catch (error) {
      this.#parts.log.warn("the folder for HLS segments cannot be used", { error: describeError(error) });
      const message = `The folder ${this.#folder} cannot be written; what is played as HLS is kept in memory alone.`;
      this.#parts.warnings.set({ code: "temp_dir_unusable", message });
    }
  }

  /** For a program that makes no rendition. Rejects as RunLimits.acquire does. */
  takePlace(signal: AbortSignal): Promise<{ release(): void }> {
    return this.#limits.acquire("cheap", { idleMs: () => 0, yield: () => undefined }, signal);
  }

  /** What players have changed away from is not made any more, and what none is near is not kept. */
  sweep(): void {
    this.renditions.sweep();
    this.#store.sweep();
  }

  forget(torrent: InfoHash): void {
    this.renditions.forget(torrent);
    this.#store.dropRendition(torrent);
  }

  /** Those that hold as long as their cause. */
  async warnings(): Promise<Warning[]> {
    const { volume } = this.#parts;
    const space = await volume.spaceOf(this.#folder).catch(() => null);
    if (space === null || space.freeBytes >= LIMITS.hls.diskFreeBytes) return [];
    const message =
      "The disk of storage.temp_dir is nearly full; what is played as HLS is kept in memory alone.";
    return [{ code: "temp_disk_short", message }];
  }

  /** When no program is left and the folder is empty. */
  async close(): Promise<void> {
    this.#limits.close();
    this.#hints.close();
    await this.renditions.close();
    await this.#parts.programs.killAll();
    await this.#store.close();
  }

  #make(...[{ name, plan, work }, openInput]: Parameters<MakeRendition>): Rendition {
    const { programs, clock, log, machine } = this.#parts;
    const tools = { threads: usableCores(), hasZscale: machine.atHand.canToneMap };
    return new Rendition({
      ...{ programs, openInput, clock, log },
      id: name,
      job: { work, plan, tools },
      store: this.#store,
      limits: this.#limits,
    });
  }

  /** The swarm is told where it will be read before the program is started. */
  #openInput(...[{ film, reader }, , startBytes]: Parameters<OpenInput>) {
    const { torrent, file, lengthBytes } = film.file;
    const { inputs, streams } = this.#parts;
    if (streams.resolve(torrent, file).isComplete) return inputs.open(film.file, reader);
    const endHint = this.#hints.give({ torrent, file, ...reader, startBytes, endBytes: lengthBytes });
    const input = inputs.open(film.file, reader, (fromBytes) => {
      // Its reads of the header, and of an index at the file's end, come before.
      if (Math.abs(fromBytes - startBytes) <= NEAR_BYTES) endHint();
    });
    return {
      url: input.url,
      close: () => {
        endHint();
        input.close();
      },
    };
  }
}
