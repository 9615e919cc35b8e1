// The engine's Worker as the HTTP thread has it: loaded, started, stopped, and its end noticed whatever the cause. An end
// that was not asked for is logged once with its cause and ends the server.

import { Worker } from "node:worker_threads";
import { describeError, TorrxError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { EnginePort } from "../engine/port.ts";
import { RemoteEngine, unpackError } from "../engine/remote/index.ts";
import type { EngineStart, FromWorker, ToWorker } from "./thread-messages.ts";

/** The engine's own 4 s and the end of its thread; serve.ts gives the whole stop 5 s. */
const STOP_MS = 4_500;

export interface EngineThreadOptions {
  /** File that calls runEngineWorker. */
  readonly entry: URL;
  readonly log: Log;
  /** Takes the Worker's log lines. */
  readonly writeLog: (line: string) => void;
}

export class EngineThread {
  readonly #options: EngineThreadOptions;
  readonly #worker: Worker;
  readonly #port: RemoteEngine;
  readonly #started = Promise.withResolvers<void>();
  readonly #failure = Promise.withResolvers<Error>();
  readonly #exited = Promise.withResolvers<void>();
  #isStarted = false;
  /** Set by what ends it, asked for or not: what comes after that is a consequence and no news. */
  #hasEnded = false;

  /** Begins to load the engine's code, which takes a while and needs nothing yet. */
  constructor(options: EngineThreadOptions) {
    this.#options = options;
    this.#worker = new Worker(options.entry);
    this.#port = new RemoteEngine({
      send: (message) => this.#send(message),
      onListenerError: (event, error) =>
        options.log.error("an engine event was not taken", { type: event, error: describeError(error) }),
    });
    this.#worker.on("message", (message: FromWorker) => this.#receive(message));
    this.#worker.on("error", (error: unknown) => this.#fail(error));
    this.#worker.on("exit", (code) => {
      this.#fail(new Error(`its thread ended by itself (exit code ${code})`));
      this.#exited.resolve();
    });
  }

  get port(): EnginePort {
    return this.#port;
  }

  /** Resolves if the engine ends without having been asked to; it has been logged then. */
  get failure(): Promise<Error> {
    return this.#failure.promise;
  }

  /** Resolves when the engine runs, rejects with what keeps it from starting. */
  async start(start: EngineStart): Promise<void> {
    this.#isStarted = true;
    this.#send({ type: "start", start });
    await this.unlessItFails(this.#started.promise);
  }

  /** What `work` resolves with; rejects with the failure of the engine, for which `work` might wait for ever. */
  async unlessItFails<T>(work: Promise<T>): Promise<T> {
    const failed = this.failure.then((error) => Promise.reject(error));
    return await Promise.race([work, failed]);
  }

  /** Resolves when the engine has told its last words and its thread has ended. Settles within 4.5 s. */
  async stop(): Promise<void> {
    try {
      if (this.#isStarted && !this.#hasEnded) await this.#stopInTime();
    } finally {
      this.#hasEnded = true;
      this.#port.fail(new TorrxError("busy", "TorrX has stopped"));
      // Not waited for: a thread that hangs may not notice, and the process is about to exit.
      void this.#worker.terminate();
    }
  }

  async #stopInTime(): Promise<void> {
    const { promise: timeUp, reject: giveUp } = Promise.withResolvers<never>();
    const late = new TorrxError("internal", "the engine did not stop in time");
    const timer = setTimeout(() => giveUp(late), STOP_MS);
    try {
      await Promise.race([this.#stopAndExit(), timeUp]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #stopAndExit(): Promise<void> {
    await this.#port.stop();
    this.#hasEnded = true;
    await this.#exited.promise;
  }

  #send(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  #receive(message: FromWorker): void {
    switch (message.type) {
      case "log":
        this.#options.writeLog(message.line);
        break;
      case "started":
        this.#started.resolve();
        break;
      case "start_failed":
        this.#hasEnded = true;
        this.#started.reject(unpackError(message.error));
        break;
      case "crashed":
        this.#fail(unpackError(message.error));
        break;
      default:
        this.#port.receive(message);
    }
  }

  #fail(cause: unknown): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#options.log.error("the engine has failed and TorrX ends", {
      error: describeError(cause),
      stack: stackOf(cause),
    });
    // Who asks it is told to come back: an answer with the cause, once for each request, would be no help.
    this.#port.fail(new TorrxError("busy", "the engine has failed; TorrX must be started again"));
    const text = `the engine has failed: ${describeError(cause)}`;
    this.#failure.resolve(new TorrxError("internal", text, { cause }));
  }
}

/** With the stacks of what caused it. */
function stackOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const below = error.cause === undefined ? undefined : stackOf(error.cause);
  const own = error.stack ?? `${error.name}: ${error.message}`;
  return below === undefined ? own : `${own}\ncaused by ${below}`;
}
