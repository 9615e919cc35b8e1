// What the engine's Worker and the HTTP thread tell each other besides the calls and events of the port.

import type { PeerAddress } from "../base/address.ts";
import type { LogLevel } from "../base/log.ts";
import type { ErrorMessage, FromEngine } from "../engine/remote/index.ts";
import type { EngineConfig } from "./engine-deps.ts";

/** Given to the Worker when it is made. Plain data: it is cloned. */
export interface EngineStart {
  readonly config: EngineConfig;
  readonly dhtNodes: readonly PeerAddress[];
  readonly logLevel: LogLevel;
}

export type FromWorker =
  | FromEngine
  | { readonly type: "started" }
  | { readonly type: "start_failed"; readonly error: ErrorMessage }
  | { readonly type: "crashed"; readonly error: ErrorMessage }
  /** A whole line of the log, without a newline. */
  | { readonly type: "log"; readonly line: string };
