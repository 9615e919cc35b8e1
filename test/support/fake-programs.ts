// Programs that do what a test tells them: each start is recorded, its output is pushed by hand, and it is gone when
// the test lets it go.

import type {
  MediaExit,
  MediaProcess,
  MediaProgram,
  MediaPrograms,
  StartOptions,
} from "../../src/media/ports.ts";

export class FakeProcess implements MediaProcess {
  readonly pid: number;
  readonly program: MediaProgram;
  readonly options: StartOptions;
  readonly stdout: ReadableStream<Uint8Array>;
  readonly exited: Promise<MediaExit>;
  /** How often a chunk was asked for. */
  reads = 0;
  isKilled = false;
  hasExited = false;
  readonly #dies: () => Promise<void>;
  readonly #chunks: Uint8Array[] = [];
  #controller: ReadableStreamDefaultController<Uint8Array> | null = null;
  #isAsked = false;
  #isAtEnd = false;
  #settle: (exit: MediaExit) => void = () => undefined;

  constructor(
    pid: number,
    given: { program: MediaProgram; options: StartOptions; dies: () => Promise<void> },
  ) {
    this.pid = pid;
    this.program = given.program;
    this.options = given.options;
    this.#dies = given.dies;
    this.exited = new Promise((resolve) => {
      this.#settle = resolve;
    });
    this.stdout = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => {
          this.reads++;
          this.#isAsked = true;
          this.#feed();
        },
      },
      { highWaterMark: 0 },
    );
  }

  get argv(): readonly string[] {
    return this.program.argv;
  }

  /** What -ss says; null from the film's start. */
  get seekSec(): number | null {
    const at = this.argv.indexOf("-ss");
    return at < 0 ? null : Number(this.argv[at + 1]);
  }

  /** Chunks that nobody has read. */
  get unread(): number {
    return this.#chunks.length;
  }

  push(...chunks: readonly Uint8Array[]): void {
    this.#chunks.push(...chunks);
    this.#feed();
  }

  /** Ends by itself, when all it wrote has been read. */
  exit(code: number | null, stderr = "", signal: string | null = null): void {
    this.#isAtEnd = true;
    this.#feed();
    this.hasExited = true;
    this.#settle({ code, signal, isKilled: false, stderr });
  }

  async kill(): Promise<void> {
    if (!this.isKilled) {
      this.isKilled = true;
      this.#chunks.length = 0;
      this.#isAtEnd = true;
      if (!this.hasExited) await this.#dies();
      this.#isAsked = true;
      this.#feed();
      this.hasExited = true;
      this.#settle({ code: 255, signal: null, isKilled: true, stderr: "" });
    }
    await this.exited;
  }

  #feed(): void {
    if (!this.#isAsked || this.#controller === null) return;
    const chunk = this.#chunks.shift();
    if (chunk !== undefined) {
      this.#isAsked = false;
      this.#controller.enqueue(chunk);
    } else if (this.#isAtEnd) {
      this.#controller.close();
      this.#controller = null;
    }
  }
}

export class FakePrograms implements MediaPrograms {
  readonly started: FakeProcess[] = [];
  /** Called at each start, for programs that answer by themselves. */
  onStart: (process: FakeProcess) => void = () => undefined;
  /** Rejects the next starts. */
  startError: Error | null = null;
  #isHeld = false;
  #held: (() => void)[] = [];

  get running(): readonly FakeProcess[] {
    return this.started.filter(({ hasExited }) => !hasExited);
  }

  get last(): FakeProcess {
    const last = this.started.at(-1);
    if (last === undefined) throw new Error("no program was started");
    return last;
  }

  /** From now on a killed program takes until release() to be gone. */
  holdDeaths(): void {
    this.#isHeld = true;
  }

  releaseDeaths(): void {
    this.#isHeld = false;
    for (const release of this.#held.splice(0)) release();
  }

  start(program: MediaProgram, options: StartOptions): Promise<MediaProcess> {
    if (this.startError !== null) return Promise.reject(this.startError);
    const process = new FakeProcess(this.started.length + 1, { program, options, dies: () => this.#death() });
    this.started.push(process);
    this.onStart(process);
    return Promise.resolve(process);
  }

  #death(): Promise<void> {
    if (!this.#isHeld) return Promise.resolve();
    return new Promise((resolve) => this.#held.push(resolve));
  }
}
