// Moves a body into a response at the client's pace: nothing is asked of the body before the socket has taken what it
// has. There is no time limit: a paused player may pause for ever.

import type { ServerResponse } from "node:http";
import type { ByteBody } from "./byte-body.ts";

/** A last chunk up to this size goes out with the end of the answer. */
const LAST_BYTES = 64 * 1024;

/**
 * Resolves when all is sent or the client is gone; rejects what the body rejects. A body that ends before the length
 * that the headers promised cuts the connection: the client must not take what it has for the whole.
 */
export async function pump(
  body: ByteBody,
  response: ServerResponse,
  { first, lengthBytes }: { first: Uint8Array | null; lengthBytes: number },
): Promise<void> {
  await turnOf(response);
  let sentBytes = 0;
  for (let chunk = first; chunk !== null; chunk = await body.next()) {
    if (isGone(response)) return;
    sentBytes += chunk.length;
    if (sentBytes === lengthBytes && chunk.length <= LAST_BYTES) {
      // Unlike write(), end() copies what the socket does not take at once: the chunk may be let go.
      response.end(chunk);
      await body.next();
      return;
    }
    if (!response.write(chunk)) await drained(response);
    // Neither body nor socket may ever wait; the others would.
    else if (sentBytes < lengthBytes) await turn();
  }
  if (isGone(response)) return;
  if (sentBytes === lengthBytes) response.end();
  else response.destroy();
}

export function isGone(response: ServerResponse): boolean {
  return response.destroyed || response.closed || response.writableEnded;
}

/** Everything else that is due has had its turn. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/**
 * Settles when the answer has come to its turn on the connection, or the connection ends. Until then an answer to a
 * pipelined request says of a chunk that it is taken, and goes on pointing at it.
 */
export function turnOf(response: ServerResponse): Promise<void> {
  return response.socket === null ? settled(response, "socket") : Promise.resolve();
}

/** Settles on `drain`, or when the connection ends. */
export function drained(response: ServerResponse): Promise<void> {
  return settled(response, "drain");
}

function settled(response: ServerResponse, event: "drain" | "socket"): Promise<void> {
  if (isGone(response)) return Promise.resolve();
  return new Promise((resolve) => {
    const settle = () => {
      response.off(event, settle);
      response.off("close", settle);
      resolve();
    };
    response.on(event, settle);
    response.on("close", settle);
  });
}
