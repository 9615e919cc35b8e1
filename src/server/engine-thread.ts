// The engine's Worker as the HTTP thread has it: started, stopped, and its end noticed whatever the cause. An end that
// was not asked for is logged once with its cause and ends the server.

import { Worker } from "node:worker_threads";
import { describeError, TorrxError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { EnginePort } from "../engine/port.ts";
import { RemoteEngine, unpackError } from "../engine/remote/index.ts";
import type { EngineStart, FromWorker } from "./thread-messages.ts";

/** The engine's own 4 s and the end of its thread; serve.ts gives the whole stop 5 s. */
const STOP_MS = 4_500;

export interface EngineThread {
  readonly port: EnginePort;
  /** Resolves if the engine ends without having been asked to; it has been logged then. */
  readonly failure: Promise<Error>;
  /** Resolves when the engine has told its last words and its thread is gone. Within 4.5 s. */
  stop(): Promise<void>;
}

export interface EngineThreadOptions {
  /** File that calls runEngineWorker. */
  readonly entry: URL;
  readonly start: EngineStart;
  readonly log: Log;
  /** Takes the Worker's log lines. */
  readonly writeLog: (line: string) => void;
}

/** Rejects with what kept the engine from starting. */
export async function startEngineThread(options: EngineThreadOptions): Promise<EngineThread> {
  const thread = new Thread(options);
  await thread.started;
  return thread;
}

class Thread implements EngineThread {
  readonly #options: EngineThreadOptions;
  readonly #worker: Worker;
  readonly #started = Promise.withResolvers<void>();
  readonly #failure = Promise.withResolvers<Error>();
  readonly #exited = Promise.withResolvers<void>();
  readonly #port: RemoteEngine;
  /** "ended" from the answer of stop() or the first sign of a failure on: what comes then is no news. */
  #state: "starting" | "running" | "ended" = "starting";

  constructor(options: EngineThreadOptions) {
    this.#options = options;
    this.#worker = new Worker(options.entry, { workerData: options.start });
    this.#port = new RemoteEngine({
      send: (message) => this.#worker.postMessage(message),
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

  get started(): Promise<void> {
    return this.#started.promise;
  }

  get port(): EnginePort {
    return this.#port;
  }

  get failure(): Promise<Error> {
    return this.#failure.promise;
  }

  async stop(): Promise<void> {
    if (this.#state === "ended") return;
    const { promise: timeUp, resolve: giveUp } = Promise.withResolvers<"late">();
    const timer = setTimeout(() => giveUp("late"), STOP_MS);
    try {
      const end = await Promise.race([this.#stopAndExit(), timeUp]);
      if (end === "late") this.#options.log.error("the engine did not stop in time");
    } finally {
      clearTimeout(timer);
      this.#state = "ended";
      await this.#worker.terminate();
    }
  }

  async #stopAndExit(): Promise<void> {
    await this.#port.stop();
    this.#state = "ended";
    await this.#exited.promise;
  }

  #receive(message: FromWorker): void {
    switch (message.type) {
      case "log":
        this.#options.writeLog(message.line);
        break;
      case "started":
        this.#state = "running";
        this.#started.resolve();
        break;
      case "start_failed":
        this.#state = "ended";
        this.#started.reject(unpackError(message.error));
        break;
      case "crashed":
        this.#fail(unpackError(message.error));
        break;
      default:
        this.#port.receive(message);
    }
  }

  /** The first cause counts; what follows it (the thread's exit) is its consequence. */
  #fail(cause: unknown): void {
    if (this.#state === "ended") return;
    this.#state = "ended";
    const error = new TorrxError("internal", `the engine has failed: ${describeError(cause)}`, { cause });
    this.#options.log.error("the engine has failed and TorrX ends", {
      error: describeError(cause),
      stack: stackOf(cause),
    });
    this.#port.fail(error);
    this.#started.reject(error);
    this.#failure.resolve(error);
  }
}

/** With the stacks of what caused it. */
function stackOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const below = error.cause === undefined ? undefined : stackOf(error.cause);
  const own = error.stack ?? `${error.name}: ${error.message}`;
  return below === undefined ? own : `${own}\ncaused by ${below}`;
}
