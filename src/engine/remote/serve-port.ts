// The engine's side: takes messages, answers calls, forwards events. Everything goes out through one `send` in the
// order in which it happened, so that what the engine told before it had stopped is there before the answer of stop().

import type { EnginePort } from "../port.ts";
import { packError } from "./error-message.ts";
import type { CallArguments, CallMessage, CallName, CallResult, FromEngine, ToEngine } from "./messages.ts";

type Calls = {
  readonly [Name in CallName]: (...args: CallArguments[Name]) => Promise<CallResult[Name]>;
};

export interface ServedPort {
  receive(message: ToEngine): void;
}

/** `onStopped` is called once the answer of stop() is sent; nothing is sent after it. */
export function servePort(
  engine: EnginePort,
  send: (message: FromEngine) => void,
  onStopped: () => void,
): ServedPort {
  let isStopped = false;
  const tell = (message: FromEngine) => {
    if (!isStopped) send(message);
  };
  const unsubscribe = engine.subscribe((event) => tell({ type: "event", event }));
  const answer = async (call: CallMessage) => {
    try {
      tell({ type: "answer", id: call.id, value: await perform(engine, call) });
    } catch (error) {
      tell({ type: "failure", id: call.id, error: packError(error) });
    }
    if (call.name !== "stop") return;
    isStopped = true;
    unsubscribe();
    onStopped();
  };
  return {
    receive(message) {
      switch (message.type) {
        case "call":
          void answer(message);
          break;
        case "advance":
          engine.advanceReader(message.reader, message.atBytes);
          break;
        case "close":
          engine.closeReader(message.reader);
          break;
      }
    },
  };
}

function perform<Name extends CallName>(calls: Calls, call: CallMessage<Name>): Promise<CallResult[Name]> {
  return calls[call.name](...call.args);
}
