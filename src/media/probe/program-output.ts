// Runs a program to its end and keeps what it writes, within a bound of bytes and of time. The program is gone when the
// promise settles, whichever way it does.

import type { Clock } from "../../base/clock.ts";
import type { MediaExit, MediaProcess, MediaProgram, MediaPrograms } from "../ports.ts";

export interface OutputBounds {
  readonly programs: MediaPrograms;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** How long it may run; time in which `isWaiting` says true is not counted. */
  readonly withinMs: number;
  readonly outputBytes: number;
  readonly isEncode?: boolean;
  /** As of StartOptions. */
  readonly devices?: readonly string[];
  /** The program stands still for want of bytes that the torrent has not got yet. */
  readonly isWaiting?: () => boolean;
}

export interface ProgramOutput {
  readonly stdout: Uint8Array;
  readonly exit: MediaExit;
  /** The bound that ended it, null when it came to its own end. */
  readonly cut: "time" | "bytes" | null;
}

const TICK_MS = 250;

/** Rejects with the reason of the signal, or with what `programs.start` rejects with. */
export async function outputOf(program: MediaProgram, bounds: OutputBounds): Promise<ProgramOutput> {
  bounds.signal.throwIfAborted();
  const { programs, isEncode = false, devices = [] } = bounds;
  const child = await programs.start(program, { isEncode, devices });
  const run = new BoundedRun(child, bounds);
  return await run.output();
}

class BoundedRun {
  readonly #child: MediaProcess;
  readonly #bounds: OutputBounds;
  #ranMs = 0;
  #cut: ProgramOutput["cut"] = null;

  constructor(child: MediaProcess, bounds: OutputBounds) {
    this.#child = child;
    this.#bounds = bounds;
  }

  async output(): Promise<ProgramOutput> {
    const { clock, signal } = this.#bounds;
    const onAbort = () => void this.#child.kill();
    const ticks = clock.every(TICK_MS, () => this.#tick());
    signal.addEventListener("abort", onAbort);
    try {
      // Not in time for the event.
      if (signal.aborted) onAbort();
      const stdout = await this.#read();
      const exit = await this.#child.exited;
      signal.throwIfAborted();
      return { stdout, exit, cut: this.#cut };
    } finally {
      ticks.cancel();
      signal.removeEventListener("abort", onAbort);
      await this.#child.kill();
    }
  }

  #tick(): void {
    if (this.#bounds.isWaiting?.() === true) return;
    this.#ranMs += TICK_MS;
    if (this.#ranMs >= this.#bounds.withinMs) this.#end("time");
  }

  async #read(): Promise<Uint8Array> {
    const chunks: Uint8Array[] = [];
    let lengthBytes = 0;
    for await (const chunk of this.#child.stdout) {
      lengthBytes += chunk.byteLength;
      if (lengthBytes > this.#bounds.outputBytes) {
        this.#end("bytes");
        break;
      }
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  }

  #end(cut: "time" | "bytes"): void {
    this.#cut ??= cut;
    void this.#child.kill();
  }
}
