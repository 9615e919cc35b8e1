// The engine's half of streams: who watches what and what must be fetched for it.

export { locateIndex } from "./index-locator.ts";
export type { StreamedFile } from "./stream.ts";
export { StreamRegistry, type StreamState } from "./stream-registry.ts";
