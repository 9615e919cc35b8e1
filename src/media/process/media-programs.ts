// Starts ffmpeg and ffprobe, each in the sandbox of native/exec, and knows all that run.

import type { Clock } from "../../base/clock.ts";
import { describeError, systemCodeOf, TorrxError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Log } from "../../base/log.ts";
import type { MediaExit, MediaProcess, MediaProgram, MediaPrograms, StartOptions } from "../ports.ts";
import {
  type FoundProgram,
  findProgram,
  type ProgramFile,
  type ProgramName,
  withNeeds,
} from "./program-file.ts";
import { type ProgramChild, RunningProgram } from "./running-program.ts";
import { listingWords, parseSandbox, sandboxWarning, sandboxWords } from "./sandbox.ts";
import { isTooOld, refusalOf, versionIn } from "./version.ts";

export interface MediaProgramsOptions {
  /** torrx-exec, as the build made it. */
  readonly execPath: string;
  /** As configured: a path, or a name to look for on the PATH. */
  readonly ffmpegPath: string;
  readonly log: Log;
  readonly clock: Clock;
  /** The one port that programs may connect to; null before there is one. */
  readonly loopbackPort: () => number | null;
}

export interface ProgramsReport {
  /** Of ffmpeg: "5.1.9-0+deb12u1"; null where it does not run. */
  readonly version: string | null;
  /** Sentences for the user, none when all is well. */
  readonly warnings: readonly string[];
}

export interface SupervisedPrograms extends MediaPrograms {
  /** Tries both programs and the sandbox, and tells of them in the log. */
  check(): Promise<ProgramsReport>;
  /** Those that run, or have ended and are not reaped yet. */
  readonly pids: readonly number[];
  /** For the stop: ends all, and refuses to start more. */
  killAll(): Promise<void>;
}

interface TriedProgram {
  readonly file: ProgramFile;
  readonly version: string | null;
}

interface Known {
  readonly identity: string;
  readonly tried: Promise<TriedProgram>;
}

export function createMediaPrograms(options: MediaProgramsOptions): SupervisedPrograms {
  return new Programs(options);
}

class Programs implements SupervisedPrograms {
  readonly #options: MediaProgramsOptions;
  readonly #log: Log;
  readonly #running = new Set<RunningProgram>();
  readonly #known = new Map<ProgramName, Known>();
  #isClosed = false;

  constructor(options: MediaProgramsOptions) {
    this.#options = options;
    this.#log = options.log.of("media.process");
  }

  get pids(): readonly number[] {
    return [...this.#running].map((program) => program.pid);
  }

  async start(program: MediaProgram, options: StartOptions): Promise<MediaProcess> {
    const { file } = await this.#find(program.program);
    return this.#launch(file, program.argv, { ...options, port: this.#options.loopbackPort() });
  }

  async check(): Promise<ProgramsReport> {
    const warnings: string[] = [];
    const told = async <T>(work: Promise<T>): Promise<T | null> => {
      try {
        return await work;
      } catch (error) {
        warnings.push(describeError(error));
        return null;
      }
    };
    const sandbox = await told(this.#sandboxWarning());
    if (sandbox !== null) warnings.push(sandbox);
    const ffmpeg = await told(this.#find("ffmpeg"));
    if (ffmpeg !== null) await told(this.#find("ffprobe"));
    if (ffmpeg !== null && isTooOld(ffmpeg.version)) warnings.push(tooOld(ffmpeg));
    for (const warning of warnings) this.#log.warn(warning);
    return { version: ffmpeg?.version ?? null, warnings };
  }

  async killAll(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#running].map((program) => program.kill()));
  }

  /** Looked for at every start, tried once for each file found. */
  async #find(name: ProgramName): Promise<TriedProgram> {
    const found = await findProgram(name, this.#options.ffmpegPath);
    const known = this.#known.get(name);
    const identity = `${found.path} ${found.identity}`;
    if (known?.identity === identity) return await known.tried;
    const tried = withNeeds(found, (program) => this.#listLibraries(program)).then((file) => this.#try(file));
    this.#known.set(name, { identity, tried });
    tried.catch(() => {
      // What failed may have been the system's doing.
      if (this.#known.get(name)?.tried === tried) this.#known.delete(name);
    });
    return await tried;
  }

  /** It runs, inside the sandbox, and says who it is. */
  async #try(file: ProgramFile): Promise<TriedProgram> {
    const running = this.#launch(file, ["-version"], { isEncode: false, port: null });
    const { text, exit } = await this.#answerOf(running, LIMITS.program.answerBytes);
    if (exit.code !== 0) throw refusalOf(file, exit);
    const version = versionIn(text);
    this.#log.info("program found", { program: file.name, path: file.path, version });
    return { file, version };
  }

  /** A program that does not answer has none; whether it runs at all is tried afterwards. */
  async #listLibraries({ path, name }: FoundProgram): Promise<string> {
    const running = this.#run(listingWords(path, name, process.pid));
    return (await this.#answerOf(running, LIMITS.program.librariesBytes)).text;
  }

  /** Of a program that has a little to say and then ends, or is ended. */
  async #answerOf(running: RunningProgram, mostBytes: number): Promise<{ text: string; exit: MediaExit }> {
    const timer = this.#options.clock.after(LIMITS.program.answerMs, () => void running.kill());
    const text = await answerIn(running.stdout, mostBytes);
    const exit = await running.exited;
    timer.cancel();
    return { text, exit };
  }

  #launch(
    file: ProgramFile,
    argv: readonly string[],
    how: StartOptions & { port: number | null },
  ): RunningProgram {
    return this.#run([...sandboxWords(file, { ...how, parent: process.pid }), ...argv]);
  }

  /** torrx-exec with these words, and whatever it becomes. */
  #run(words: readonly string[]): RunningProgram {
    if (this.#isClosed) throw new TorrxError("busy", "TorrX is stopping");
    const running = new RunningProgram(this.#spawn(words), this.#options.clock);
    this.#running.add(running);
    void running.exited.then(() => this.#running.delete(running));
    return running;
  }

  #spawn(words: readonly string[]): ProgramChild {
    const { execPath } = this.#options;
    try {
      return Bun.spawn([execPath, ...words], {
        cwd: "/",
        env: {},
        stdin: "ignore",
        stdout: "pipe",
        stderr: "pipe",
      });
    } catch (error) {
      const code = systemCodeOf(error);
      if (code === "ENOENT" || code === "EACCES") throw noExec(execPath, error);
      throw new TorrxError("busy", "the system has no room for another program", {
        cause: error,
        retryAfterSec: 5,
      });
    }
  }

  async #sandboxWarning(): Promise<string | null> {
    const { text, exit } = await this.#answerOf(this.#run(["--check"]), LIMITS.program.answerBytes);
    const sandbox = parseSandbox(text);
    if (exit.isKilled) throw new TorrxError("unsupported_media", `${this.#options.execPath} does not answer`);
    if (sandbox === null) throw noExec(this.#options.execPath);
    this.#log.info("sandbox", { landlock: sandbox.landlock, call_filter: sandbox.hasCallFilter });
    return sandboxWarning(sandbox);
  }
}

/** To the end, or until it is more than any program has to say. */
async function answerIn(stream: ReadableStream<Uint8Array>, mostBytes: number): Promise<string> {
  const decoder = new TextDecoder();
  const reader = stream.getReader();
  let text = "";
  while (text.length < mostBytes) {
    const { done, value } = await reader.read();
    if (done) return text;
    text += decoder.decode(value, { stream: true });
  }
  await reader.cancel();
  return text;
}

function noExec(path: string, cause?: unknown): TorrxError {
  return new TorrxError(
    "unsupported_media",
    `the program that starts ffmpeg is missing at ${path}; fix: ./torrx build`,
    {
      cause,
    },
  );
}

function tooOld({ file, version }: TriedProgram): string {
  return `ffmpeg at ${file.path} is version ${version}; TorrX needs 5 or newer`;
}
