// A file of a torrent as the index readers read it: ranges of our own byte path, like any program's. What is read comes
// first in the swarm, as for any viewer.

import { get, type IncomingMessage } from "node:http";
import { type ErrorCode, isErrorCode, TorrxError } from "../../base/errors.ts";
import type { LoopbackInput, MediaSource } from "../../media/ports.ts";

const RETRY_SEC = 2;

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
  signal.throwIfAborted();
  try {
    const response = await ask(url, `bytes=${start}-${end - 1}`, signal);
    const body = await bodyOf(response);
    if (response.statusCode !== 206) throw failureOf(response, body);
    if (body.length !== end - start) throw cutShort();
    return body;
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof TorrxError ? error : cutShort(error);
  }
}

/** By node:http: fetch would hand loopback addresses, with their tokens, to the proxy that HTTP_PROXY names. */
function ask(url: string, range: string, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    get(url, { agent: false, signal, headers: { range } }, resolve).on("error", reject);
  });
}

async function bodyOf(response: IncomingMessage): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of response) chunks.push(chunk as Uint8Array);
  return new Uint8Array(Buffer.concat(chunks));
}

/** The connection ended early, as where its stream made way for another: the next try may fare better. */
function cutShort(cause?: unknown): TorrxError {
  return new TorrxError("busy", "the file could not be read to the end", { cause, retryAfterSec: RETRY_SEC });
}

/** What the byte path said of itself. */
function failureOf({ headers }: IncomingMessage, body: Uint8Array): TorrxError {
  const { code, message } = errorIn(body);
  if (code !== "busy") return new TorrxError(code, message);
  return new TorrxError(code, message, { retryAfterSec: Number(headers["retry-after"]) || RETRY_SEC });
}

function errorIn(body: Uint8Array): { code: ErrorCode; message: string } {
  const told = tryJson(new TextDecoder().decode(body));
  const error = typeof told === "object" && told !== null && "error" in told ? told.error : null;
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  if (typeof code === "string" && isErrorCode(code) && typeof message === "string") return { code, message };
  return { code: "internal", message: "the file could not be read" };
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Whatever it is, it tells nothing.
    return null;
  }
}
