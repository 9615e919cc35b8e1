// Child processes of tests: output captured line by line, every wait bounded, ended by pid and seen to end. What a test
// forgets is ended when the run is over (preload.ts).

import { constants } from "node:os";

const TAIL_LINES = 40;
const SIGNAL_NUMBERS: Readonly<Record<string, number>> = constants.signals;
const running = new Set<TestProcess>();

export interface SpawnOptions {
  readonly cwd?: string;
  /** Added to the environment of the test. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Replaces the environment of the test. */
  readonly onlyEnv?: Readonly<Record<string, string>>;
  /** Called with every line as it comes; lines are kept in any case. */
  readonly onLine?: (line: string, from: "stdout" | "stderr") => void;
}

interface Waiter {
  readonly wants: (line: string) => boolean;
  readonly resolve: (line: string) => void;
  readonly reject: (error: Error) => void;
}

export class TestProcess {
  readonly command: string;
  /** Whole lines of both streams, in the order in which they arrived. */
  readonly lines: string[] = [];
  readonly stdoutLines: string[] = [];
  readonly stderrLines: string[] = [];
  readonly #child: Bun.Subprocess<"pipe", "pipe", "pipe">;
  readonly #waiters = new Set<Waiter>();
  readonly #drained: Promise<unknown>;
  readonly #onLine: SpawnOptions["onLine"];

  constructor(argv: readonly string[], options: SpawnOptions = {}) {
    this.command = argv.join(" ");
    this.#onLine = options.onLine;
    this.#child = Bun.spawn([...argv], {
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      env: options.onlyEnv ?? { ...process.env, ...options.env },
      stdin: "pipe",
      stdout: "pipe",
      stderr: "pipe",
    });
    running.add(this);
    this.#drained = Promise.all([
      this.#read(this.#child.stdout, "stdout"),
      this.#read(this.#child.stderr, "stderr"),
    ]);
    void this.#watchExit();
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Exit code, or 128 + signal number; null while it runs. */
  get exitCode(): number | null {
    const { exitCode, signalCode } = this.#child;
    if (signalCode !== null) return 128 + (SIGNAL_NUMBERS[signalCode] ?? 0);
    return exitCode;
  }

  get stdout(): string {
    return this.stdoutLines.join("\n");
  }

  get stderr(): string {
    return this.stderrLines.join("\n");
  }

  /** Writes a line to its standard input. */
  writeLine(line: string): void {
    this.#child.stdin.write(`${line}\n`);
    this.#child.stdin.flush();
  }

  closeStdin(): void {
    this.#child.stdin.end();
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** The first line, old or new, that `wants` accepts. Rejects when the process ends first or `withinMs` is over. */
  async waitForLine(
    wants: string | RegExp | ((line: string) => boolean),
    withinMs = 10_000,
  ): Promise<string> {
    const accepts = acceptorOf(wants);
    const seen = this.lines.find(accepts);
    return seen ?? (await this.waitForNewLine(wants, withinMs));
  }

  /** As waitForLine, but only of lines that are still to come. */
  async waitForNewLine(
    wants: string | RegExp | ((line: string) => boolean),
    withinMs = 10_000,
  ): Promise<string> {
    return await this.#bounded(withinMs, `a line like ${String(wants)}`, (resolve, reject) => {
      const waiter: Waiter = { wants: acceptorOf(wants), resolve, reject };
      this.#waiters.add(waiter);
      return () => this.#waiters.delete(waiter);
    });
  }

  /** The exit code (128 + signal). All output has been read by then. Rejects after `withinMs`; the process goes on. */
  async waitForExit(withinMs = 10_000): Promise<number> {
    return await this.#bounded<number>(withinMs, "the end", (resolve, reject) => {
      Promise.all([this.#child.exited, this.#drained]).then(() => resolve(this.exitCode ?? -1), reject);
      return () => undefined;
    });
  }

  /** Ends it: `signal` first, SIGKILL when it is still there after `graceMs`. Resolves once it is gone. */
  async stop(signal: NodeJS.Signals = "SIGTERM", graceMs = 5_000): Promise<number> {
    if (this.exitCode === null) this.signal(signal);
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), graceMs);
    try {
      await this.#child.exited;
    } finally {
      clearTimeout(timer);
    }
    return this.exitCode ?? -1;
  }

  /** Last lines of both streams, for messages. */
  tail(): string {
    return this.lines.slice(-TAIL_LINES).join("\n");
  }

  async #read(stream: ReadableStream<Uint8Array>, from: "stdout" | "stderr"): Promise<void> {
    const decoder = new TextDecoder();
    let rest = "";
    for await (const chunk of stream) {
      const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = parts.pop() ?? "";
      for (const line of parts) this.#take(line, from);
    }
    if (rest !== "") this.#take(rest, from);
  }

  #take(line: string, from: "stdout" | "stderr"): void {
    this.lines.push(line);
    (from === "stdout" ? this.stdoutLines : this.stderrLines).push(line);
    this.#onLine?.(line, from);
    for (const waiter of [...this.#waiters]) {
      if (!waiter.wants(line)) continue;
      this.#waiters.delete(waiter);
      waiter.resolve(line);
    }
  }

  async #watchExit(): Promise<void> {
    await this.#child.exited;
    running.delete(this);
    await this.#drained;
    const error = this.#error(`ended with ${this.exitCode} before the line came`);
    for (const waiter of [...this.#waiters]) waiter.reject(error);
  }

  async #bounded<T>(
    withinMs: number,
    what: string,
    begin: (resolve: (value: T) => void, reject: (error: Error) => void) => () => void,
  ): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const timer = setTimeout(() => reject(this.#error(`${what} did not come in ${withinMs} ms`)), withinMs);
    const end = begin(resolve, reject);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      end();
    }
  }

  #error(what: string): Error {
    return new Error(`${this.command}: ${what}; its last lines:\n${this.tail()}`);
  }
}

/** Starts `argv`; the process is ended with the run at the latest. */
export function startProcess(argv: readonly string[], options: SpawnOptions = {}): TestProcess {
  return new TestProcess(argv, options);
}

/** Runs `argv` to its end within `withinMs`. */
export async function runProcess(
  argv: readonly string[],
  options: SpawnOptions & { readonly withinMs?: number } = {},
): Promise<TestProcess> {
  const child = startProcess(argv, options);
  child.closeStdin();
  try {
    await child.waitForExit(options.withinMs ?? 60_000);
  } catch (error) {
    await child.stop("SIGKILL");
    throw error;
  }
  return child;
}

function acceptorOf(wants: string | RegExp | ((line: string) => boolean)): (line: string) => boolean {
  if (typeof wants === "function") return wants;
  if (typeof wants === "string") return (line) => line.includes(wants);
  return (line) => wants.test(line);
}

export async function endForgottenProcesses(): Promise<void> {
  await Promise.all([...running].map((child) => child.stop("SIGTERM", 2_000)));
}
