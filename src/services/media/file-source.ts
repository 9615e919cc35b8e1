// A file of a torrent as the index readers read it: ranges of our own byte path, like any program's. What is read comes
// first in the swarm, as for any viewer.

import { type ErrorCode, isErrorCode, TorrxError } from "../../base/errors.ts";
import type { LoopbackInput, MediaSource } from "../../media/ports.ts";

export function fileSource(input: Pick<LoopbackInput, "url">, lengthBytes: number): MediaSource {
  return {
    lengthBytes,
    read: (atBytes, wantedBytes, signal) => {
      const endBytes = Math.min(lengthBytes, atBytes + wantedBytes);
      if (endBytes <= atBytes) return Promise.resolve(new Uint8Array());
      return readRange(input.url, { start: atBytes, end: endBytes }, signal);
    },
  };
}

async function readRange(
  url: string,
  { start, end }: { start: number; end: number },
  signal: AbortSignal,
): Promise<Uint8Array> {
  const response = await fetch(url, { headers: { range: `bytes=${start}-${end - 1}` }, signal });
  if (response.status !== 206) throw await failureOf(response);
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (bytes.length !== end - start) throw new TorrxError("internal", "the file could not be read");
  return bytes;
}

/** What the byte path said of itself. */
async function failureOf(response: Response): Promise<TorrxError> {
  const body: unknown = await response.json().catch(() => null);
  const { code, message } = errorIn(body);
  return new TorrxError(code, message);
}

function errorIn(body: unknown): { code: ErrorCode; message: string } {
  const error = typeof body === "object" && body !== null && "error" in body ? body.error : null;
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  if (typeof code === "string" && isErrorCode(code) && typeof message === "string") return { code, message };
  return { code: "internal", message: "the file could not be read" };
}
