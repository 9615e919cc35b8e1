// The engine's thread from its first to its last message. Log lines go through the same channel as everything else: the
// HTTP thread alone writes them, so that they come out whole, in order, and before the crash that they explain.

import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { systemClock } from "../base/clock.ts";
import { createLog, type Log } from "../base/log.ts";
import type { EnginePort } from "../engine/port.ts";
import { packError, servePort, type ToEngine } from "../engine/remote/index.ts";
import { watchLoop } from "./loop-watch.ts";
import type { EngineStart, FromWorker } from "./thread-messages.ts";

export interface EngineInThread {
  readonly engine: EnginePort;
  /** Gives back what the engine was built on; called once it has stopped. */
  release(): void;
}

/** Called once by the entry of a Worker that startEngineThread made. */
export function runEngineWorker(open: (start: EngineStart, log: Log) => Promise<EngineInThread>): void {
  if (parentPort === null) throw new Error("this is the entry of a Worker");
  const port = parentPort;
  const start = workerData as EngineStart;
  const send = reportingCrashes(port);
  const log = createLog(start.logLevel, (line) => send({ type: "log", line }));
  open(start, log).then(
    (opened) => serve(opened, { port, send, log }),
    (error: unknown) => {
      send({ type: "start_failed", error: packError(error) });
      port.close();
    },
  );
}

function serve(
  { engine, release }: EngineInThread,
  { port, send, log }: { port: MessagePort; send: (message: FromWorker) => void; log: Log },
): void {
  const watch = watchLoop(systemClock, log, "engine");
  // Without the port and its timers nothing holds this thread any more: it ends by itself.
  const served = servePort(engine, send, () => {
    watch.cancel();
    release();
    port.close();
  });
  port.on("message", (message: ToEngine) => served.receive(message));
  send({ type: "started" });
}

/**
 * Sends until something is thrown that nobody caught, which is the last that is told: an engine that broke off half-way
 * must not be believed any more. The HTTP thread then ends the process.
 */
function reportingCrashes(port: MessagePort): (message: FromWorker) => void {
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
