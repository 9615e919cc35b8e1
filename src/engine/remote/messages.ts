// What passes between the engine's thread and the others. Derived from EnginePort, so that a new method crosses by
// itself, or does not compile where it cannot. Everything is cloned on its way: no functions, no shared identity.

import type { ReaderId } from "../../stream/ports.ts";
import type { EngineEvent, EnginePort } from "../port.ts";
import type { ErrorMessage } from "./error-message.ts";

type Method = (...args: never) => unknown;

/** Methods that answer. */
export type CallName = {
  [Name in keyof EnginePort]: EnginePort[Name] extends (...args: never) => Promise<unknown> ? Name : never;
}[keyof EnginePort];

/** Everything else has a message of its own below. A new method that answers nothing stops the compiler here. */
type OwnMessage = "advanceReader" | "closeReader" | "subscribe";
type Covered<Missing extends never> = Missing;
export type EveryMethodCrosses = Covered<Exclude<keyof EnginePort, CallName | OwnMessage>>;

export type CallArguments = { [Name in CallName]: Parameters<EnginePort[Name]> };
export type CallResult = { [Name in CallName]: Awaited<ReturnType<Extract<EnginePort[Name], Method>>> };

export type CallMessage<Names extends CallName = CallName> = {
  [Name in Names]: {
    readonly type: "call";
    readonly id: number;
    readonly name: Name;
    readonly args: CallArguments[Name];
  };
}[Names];

export type ToEngine =
  | CallMessage
  | { readonly type: "advance"; readonly reader: ReaderId; readonly atBytes: number }
  | { readonly type: "close"; readonly reader: ReaderId };

export type FromEngine =
  | { readonly type: "answer"; readonly id: number; readonly value: unknown }
  | { readonly type: "failure"; readonly id: number; readonly error: ErrorMessage }
  | { readonly type: "event"; readonly event: EngineEvent };
