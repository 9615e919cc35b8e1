// The door to the engine in a thread of its own; without the engine itself, which only that thread loads.

export { type ErrorMessage, packError, unpackError } from "./error-message.ts";
export type { FromEngine, ToEngine } from "./messages.ts";
export { RemoteEngine } from "./remote-engine.ts";
export { type ServedPort, servePort } from "./serve-port.ts";
