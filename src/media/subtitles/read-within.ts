import type { MediaSource } from "../ports.ts";

export interface SourceRead {
  readonly at: number;
  readonly lengthBytes: number;
  readonly signal: AbortSignal;
}

/** As the source reads, but what begins beyond the end of the file is nothing instead of an error. */
export async function readWithin(
  source: MediaSource,
  { at, lengthBytes, signal }: SourceRead,
): Promise<Uint8Array> {
  const end = Math.min(source.lengthBytes, at + lengthBytes);
  if (!(at >= 0 && end > at)) return new Uint8Array();
  signal.throwIfAborted();
  return await source.read(at, end - at, signal);
}
