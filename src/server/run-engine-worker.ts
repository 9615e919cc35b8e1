// The engine's thread from its first to its last message. Log lines go through the same channel as everything else: the
// HTTP thread alone writes them, so that they come out whole, in order, and before the crash that they explain.

import { type MessagePort, parentPort } from "node:worker_threads";
import { systemClock } from "../base/clock.ts";
import { createLog, type Log } from "../base/log.ts";
import type { EnginePort } from "../engine/port.ts";
import { packError, type ServedPort, servePort } from "../engine/remote/index.ts";
import { watchLoop } from "./loop-watch.ts";
import type { EngineStart, FromWorker, ToWorker } from "./thread-messages.ts";

export interface EngineInThread {
  readonly engine: EnginePort;
  /** Gives back what the engine was built on; called once it has stopped. */
  release(): void;
}

type OpenEngine = (start: EngineStart, log: Log) => Promise<EngineInThread>;

/** Called once by the entry of a Worker that an EngineThread made. */
export function runEngineWorker(open: OpenEngine): void {
  if (parentPort === null) throw new Error("this is the entry of a Worker");
  const port = parentPort;
  const send = sendUntilCrash(port);
  let served: ServedPort | null = null;
  port.on("message", (message: ToWorker) => {
    if (message.type !== "start") return served?.receive(message);
    const log = createLog(message.start.logLevel, (line) => send({ type: "log", line }));
    open(message.start, log).then(
      (opened) => {
        served = serve(opened, { port, send, log });
      },
      (error: unknown) => {
        send({ type: "start_failed", error: packError(error) });
        port.close();
      },
    );
  });
}

function serve(
  { engine, release }: EngineInThread,
  { port, send, log }: { port: MessagePort; send: (message: FromWorker) => void; log: Log },
): ServedPort {
  const watch = watchLoop(systemClock, log, "engine");
  // Without its port and its timers nothing holds this thread any more: it ends by itself.
  const served = servePort(engine, send, () => {
    watch.cancel();
    release();
    port.close();
  });
  send({ type: "started" });
  return served;
}

/**
 * Sends until something is thrown that nobody caught, which is the last that is told: an engine that broke off half-way
 * must not be believed any more. The HTTP thread then ends the process.
 */
function sendUntilCrash(port: MessagePort): (message: FromWorker) => void {
  let hasCrashed = false;
  const send = (message: FromWorker) => {
    if (!hasCrashed) port.postMessage(message);
  };
  const report = (error: unknown) => {
    send({ type: "crashed", error: packError(error) });
    hasCrashed = true;
  };
  process.on("uncaughtException", report);
  process.on("unhandledRejection", report);
  return send;
}
