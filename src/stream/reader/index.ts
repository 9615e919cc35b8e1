// The HTTP half of streams: the windows that viewers read from, and the bytes of one connection.

export { type OpenFile, openForReading } from "./node-file.ts";
export { StreamWindows, type StreamWindowsOptions } from "./stream-windows.ts";
export type { WindowMemory } from "./window-memory.ts";
export { type FileBytes, openWindowReader, type WindowReaderOptions } from "./window-reader.ts";
