// The real ffmpeg and ffprobe, started plainly: for tests of what is said to them and of what they answer. How TorrX
// guards them is tested with media/process.

import type { MediaExit, MediaProcess, MediaProgram, MediaPrograms } from "../../src/media/ports.ts";

const KILL_AFTER_MS = 500;
const STDERR_CHARS = 64 * 1024;

export class PlainMediaPrograms implements MediaPrograms {
  /** Everything that was started, for tests that look at command lines. */
  readonly started: MediaProgram[] = [];
  readonly #running = new Set<MediaProcess>();

  start(program: MediaProgram): Promise<MediaProcess> {
    this.started.push(program);
    const running = spawned(program);
    this.#running.add(running);
    void running.exited.then(() => this.#running.delete(running));
    return Promise.resolve(running);
  }

  /** Programs that have not ended. */
  get running(): number {
    return this.#running.size;
  }

  async endAll(): Promise<void> {
    await Promise.all([...this.#running].map((running) => running.kill()));
  }
}

function spawned({ program, argv }: MediaProgram): MediaProcess {
  const child = Bun.spawn([program, ...argv], { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const errors = tailOf(child.stderr);
  let isKilled = false;
  const exited = child.exited.then(async (): Promise<MediaExit> => {
    const signal = child.signalCode;
    return {
      code: signal === null ? child.exitCode : null,
      signal: signal === null ? null : String(signal),
      isKilled,
      stderr: await errors,
    };
  });
  const kill = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      isKilled = true;
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), KILL_AFTER_MS);
      await child.exited;
      clearTimeout(timer);
    }
    await exited;
  };
  return { pid: child.pid, stdout: child.stdout, exited, kill };
}

async function tailOf(stream: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stream)
    text = (text + decoder.decode(chunk, { stream: true })).slice(-STDERR_CHARS);
  return text;
}
