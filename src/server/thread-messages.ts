// What the engine's Worker and the HTTP thread tell each other besides the calls and events of the port.

import type { PeerAddress } from "../base/address.ts";
import type { LogLevel } from "../base/log.ts";
import type { ErrorMessage, FromEngine, ToEngine } from "../engine/remote/index.ts";
import type { EngineConfig } from "./engine-deps.ts";

/** What the engine is made from. */
export interface EngineStart {
  readonly config: EngineConfig;
  readonly dhtNodes: readonly PeerAddress[];
  readonly logLevel: LogLevel;
}

/** The Worker loads its code as soon as it is made; "start" is the first message that it gets. */
export type ToWorker = ToEngine | { readonly type: "start"; readonly start: EngineStart };

export type FromWorker =
  | FromEngine
  | { readonly type: "started" }
  | { readonly type: "start_failed"; readonly error: ErrorMessage }
  | { readonly type: "crashed"; readonly error: ErrorMessage }
  /** A whole line of the log, without a newline. */
  | { readonly type: "log"; readonly line: string };
