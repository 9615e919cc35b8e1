export type { App } from "./app-bridge.ts";
export type { ByteBody } from "./byte-body.ts";
export type { OpenBody } from "./byte-path.ts";
export { createFront, type Front, type FrontOptions, type Listening } from "./front.ts";
export type { CachedRead } from "./open-files.ts";
