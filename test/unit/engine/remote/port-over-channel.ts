// Both ends of the remote port over a real MessageChannel: everything is cloned as it is between threads.

import { MessageChannel } from "node:worker_threads";
import type { EnginePort } from "../../../../src/engine/port.ts";
import {
  type FromEngine,
  RemoteEngine,
  servePort,
  type ToEngine,
} from "../../../../src/engine/remote/index.ts";

export interface PortOverChannel {
  readonly remote: RemoteEngine;
  /** What was sent to the engine's side, in order. */
  readonly sent: ToEngine[];
  readonly listenerErrors: unknown[];
  readonly stops: () => number;
  /** Resolves when everything sent so far by the engine's side has been received. */
  settle(): Promise<void>;
  close(): void;
}

export function portOverChannel(engine: EnginePort): PortOverChannel {
  const { port1, port2 } = new MessageChannel();
  const sent: ToEngine[] = [];
  const listenerErrors: unknown[] = [];
  let stops = 0;
  const remote = new RemoteEngine({
    send: (message) => {
      port1.postMessage(message);
      sent.push(message);
    },
    onListenerError: (_event, error) => listenerErrors.push(error),
  });
  const served = servePort(
    engine,
    (message) => port2.postMessage(message),
    () => stops++,
  );
  let onSettled: (() => void) | null = null;
  port1.on("message", (message: FromEngine | "settled") => {
    if (message === "settled") onSettled?.();
    else remote.receive(message);
  });
  port2.on("message", (message: ToEngine) => served.receive(message));
  return {
    remote,
    sent,
    listenerErrors,
    stops: () => stops,
    async settle() {
      const { promise, resolve } = Promise.withResolvers<void>();
      onSettled = resolve;
      port2.postMessage("settled");
      await promise;
    },
    close() {
      port1.close();
      port2.close();
    },
  };
}
