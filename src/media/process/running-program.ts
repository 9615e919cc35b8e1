// One running program. It is a process group of its own, which ends when it does, when we say so, or (by the kernel) with
// the thread of ours that started it: start programs on the main thread.

import type { ReadableStreamDefaultReader } from "node:stream/web";
import type { Clock, Timer } from "../../base/clock.ts";
import { systemCodeOf } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import type { MediaExit, MediaProcess } from "../ports.ts";
import { StderrTail } from "./stderr-tail.ts";

export type ProgramChild = Bun.Subprocess<"ignore", "pipe", "pipe">;
type Output = ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>;

/** A program that floods stderr is read this much at a time, and stands still in between. */
const STDERR_TURN_BYTES = LIMITS.program.stderrBytes;
const STDERR_REST_MS = 20;
/** After its end, for the rest of stderr: something outside of the group may hold the pipe open. */
const STDERR_END_MS = 200;

export class RunningProgram implements MediaProcess {
  readonly stdout: ReadableStream<Uint8Array>;
  readonly exited: Promise<MediaExit>;
  readonly #child: ProgramChild;
  readonly #clock: Clock;
  readonly #output: Output;
  readonly #tail = new StderrTail(LIMITS.program.stderrBytes);
  #isKilled = false;
  #killing: Promise<void> | undefined;

  constructor(child: ProgramChild, clock: Clock) {
    this.#child = child;
    this.#clock = clock;
    // At once: until there is a reader, Bun 1.4.5 takes whatever comes, without bound.
    this.#output = child.stdout.getReader();
    this.stdout = relay(this.#output);
    this.exited = this.#watch();
  }

  get pid(): number {
    return this.#child.pid;
  }

  kill(): Promise<void> {
    this.#killing ??= this.#end();
    return this.#killing;
  }

  async #end(): Promise<void> {
    let timer: Timer | undefined;
    if (this.#isRunning()) {
      this.#isKilled = true;
      this.#signal("SIGTERM");
      timer = this.#clock.after(LIMITS.program.termMs, () => this.#signal("SIGKILL"));
    }
    // A program that hangs in a write to us is thereby woken. A pipe that fails at it is given up all the same.
    await this.#output.cancel().catch(() => undefined);
    await this.exited;
    timer?.cancel();
  }

  async #watch(): Promise<MediaExit> {
    const stderr = this.#child.stderr.getReader();
    const drained = this.#drain(stderr);
    await this.#child.exited;
    // What it has started goes with it; the number of a group is given to nobody else so soon.
    this.#signalGroup("SIGKILL");
    const timer = this.#clock.after(STDERR_END_MS, () => void stderr.cancel());
    await drained;
    timer.cancel();
    const { exitCode, signalCode } = this.#child;
    const end =
      signalCode === null ? { code: exitCode, signal: null } : { code: null, signal: String(signalCode) };
    return { ...end, isKilled: this.#isKilled, stderr: this.#tail.text() };
  }

  /** Never rejects: what cannot be read is the end. */
  async #drain(stderr: Output): Promise<void> {
    let leftBytes = STDERR_TURN_BYTES;
    for (;;) {
      const { done, value } = await stderr.read().catch(() => ({ done: true, value: undefined }) as const);
      if (done) return;
      this.#tail.push(value);
      leftBytes -= value.length;
      if (leftBytes > 0 || !this.#isRunning()) continue;
      leftBytes = STDERR_TURN_BYTES;
      await Promise.race([this.#child.exited, this.#rest()]);
    }
  }

  #rest(): Promise<void> {
    return new Promise((resolve) => void this.#clock.after(STDERR_REST_MS, resolve));
  }

  #isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Its pid cannot be another's: it is reaped on this thread, and then it does not count as running. */
  #signal(signal: NodeJS.Signals): void {
    if (this.#isRunning() && !this.#signalGroup(signal)) this.#child.kill(signal);
  }

  /** False where there is no such group of ours: it has not made it yet, or all of it is gone. */
  #signalGroup(signal: NodeJS.Signals): boolean {
    try {
      return process.kill(-this.pid, signal);
    } catch (error) {
      if (systemCodeOf(error) === "ESRCH" || systemCodeOf(error) === "EPERM") return false;
      throw error;
    }
  }
}

/** The same bytes, pulled one chunk at a time, so that nothing is read ahead of whoever reads. */
function relay(source: Output): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await source.read();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      async cancel() {
        await source.cancel();
      },
    },
    { highWaterMark: 0 },
  );
}
