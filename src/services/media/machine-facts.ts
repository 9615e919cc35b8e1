// What this machine can encode with. Found out by encoding, once for each build of ffmpeg and set of devices: the answer
// is kept in the database, and a start with nothing new costs nothing.

import type { Clock } from "../../base/clock.ts";
import { describeError } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import type { DeferredWrites, JsonValue, StateRepository } from "../../db/index.ts";
import {
  detectEncoders,
  EncoderChain,
  type EncoderFacts,
  listHardware,
  type Machine,
  type MediaPrograms,
  usableCores,
  type VideoEncoder,
} from "../../media/index.ts";

export interface MachineFactsParts {
  readonly programs: MediaPrograms;
  /** Of ffmpeg; null where it does not run. */
  readonly version: () => Promise<string | null>;
  readonly state: Pick<StateRepository, "get" | "put">;
  readonly writes: Pick<DeferredWrites, "put">;
  readonly clock: Clock;
  readonly log: Log;
}

const STATE_KEY = "encoders";
/** To be raised whenever the detection tells more, or other things, than before. */
const DETECTION = 1;
/** Until it is known: enough for a film that needs no encoding. */
const ASSUMED: EncoderFacts = { encoders: [{ kind: "x264" }], x264PixelsPerCoreSec: null, canToneMap: false };
const NOTHING: EncoderFacts = { encoders: [], x264PixelsPerCoreSec: null, canToneMap: false };

interface Kept {
  readonly identity: string;
  readonly facts: EncoderFacts;
}

export class MachineFacts {
  readonly #parts: MachineFactsParts;
  readonly #ending = new AbortController();
  #known: Promise<Machine> | null = null;
  #facts: EncoderFacts = ASSUMED;

  constructor(parts: MachineFactsParts) {
    this.#parts = parts;
  }

  /** Never rejects: what cannot be found out is not there. */
  get(): Promise<Machine> {
    this.#known ??= this.#find();
    return this.#known;
  }

  /** What is known by now, without waiting. */
  get atHand(): Machine {
    return { ...this.#facts, cores: usableCores() };
  }

  /** The encoder made nothing: hardware is not used again before the next start. False where nothing else is left. */
  failed(encoder: VideoEncoder): boolean {
    const chain = new EncoderChain(this.#facts.encoders);
    const isReplaced = chain.failed(encoder) !== null;
    this.#facts = { ...this.#facts, encoders: chain.working };
    this.#known = Promise.resolve(this.atHand);
    return isReplaced;
  }

  close(): void {
    this.#ending.abort();
  }

  async #find(): Promise<Machine> {
    try {
      this.#facts = await this.#findOut();
    } catch (error) {
      this.#parts.log.warn("it is not known what this machine can encode with", {
        error: describeError(error),
      });
      // It may have been the system's doing: the next session tries again.
      this.#known = null;
      this.#facts = NOTHING;
    }
    return this.atHand;
  }

  async #findOut(): Promise<EncoderFacts> {
    const { programs, version, state, writes, clock, log } = this.#parts;
    const ffmpeg = await version();
    if (ffmpeg === null) {
      // It may be there when the next session asks.
      this.#known = null;
      return NOTHING;
    }
    const hardware = await listHardware();
    const identity = JSON.stringify([DETECTION, ffmpeg, hardware, process.arch]);
    const kept = state.get(STATE_KEY) as Kept | undefined;
    if (kept?.identity === identity) return kept.facts;
    const facts = await detectEncoders({ programs, clock, signal: this.#ending.signal, hardware });
    log.info("encoders found", { encoders: facts.encoders.map(({ kind }) => kind).join(" ") });
    writes.put(STATE_KEY, () => state.put(STATE_KEY, { identity, facts } as unknown as JsonValue));
    return facts;
  }
}
