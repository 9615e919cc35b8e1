// The HTTP half of streams: pulls the bytes of one connection.

export { openForReading } from "./node-file.ts";
export { createRangeReader, type FileBytes, type RangeReaderOptions } from "./range-reader.ts";
