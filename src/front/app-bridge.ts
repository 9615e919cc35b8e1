// Hands a request to the application and its answer to the client. The verified principal travels beside the Request,
// never inside it: no header that a client can write means anything there. Event streams are passed on as they come. Of
// every other answer the client is told the exact length: a small one leaves in one piece, a larger one as its client
// takes it, and one whose length the application tells is not even made before that.

import type { IncomingMessage, ServerResponse } from "node:http";
import { TorrxError } from "../base/errors.ts";
import type { RequestContext } from "../services/access/index.ts";
import { type ByteBody, BytesBody, StreamBody } from "./byte-body.ts";
import { drained, isGone, pump } from "./pump.ts";
import { type Exchange, endAfterBody } from "./reply.ts";
import { readRequestBody } from "./request-body.ts";
import { SECURITY_HEADERS } from "./security-headers.ts";

export type App = (request: Request, context: RequestContext) => Response | Promise<Response>;

/** Up to this size an answer may wait in the socket's buffer, copied. */
const SMALL_BYTES = 64 * 1024;

const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]);

/** `gone` tells of the client's end, or ours; it ends what would never end by itself. */
export async function bridge(
  exchange: Exchange,
  app: App,
  context: RequestContext,
  gone: AbortSignal,
): Promise<void> {
  const { request, response } = exchange;
  const body = await readRequestBody(request);
  const answer = await app(toRequest(request, context.origin, body, gone), context);
  if (isGone(response)) {
    await answer.body?.cancel();
    return;
  }
  setHeaders(response, answer);
  endAfterBody(exchange);
  await sendBody(exchange, answer, gone);
}

function toRequest(
  request: IncomingMessage,
  origin: string,
  body: Uint8Array<ArrayBuffer> | null,
  signal: AbortSignal,
): Request {
  const { method = "GET", url = "/" } = request;
  if (!METHODS.has(method)) throw new TorrxError("bad_request", "this method is not supported");
  const headers = new Headers();
  for (let i = 0; i + 1 < request.rawHeaders.length; i += 2) {
    headers.append(request.rawHeaders[i] ?? "", request.rawHeaders[i + 1] ?? "");
  }
  // The app's routes know GET; what HEAD leaves out is left out on the way back.
  const init = { method: method === "HEAD" ? "GET" : method, headers, signal };
  try {
    return new Request(origin + url, body === null ? init : { ...init, body });
  } catch (error) {
    throw new TorrxError("bad_request", "malformed request", { cause: error });
  }
}

function setHeaders(response: ServerResponse, answer: Response): void {
  response.statusCode = answer.status;
  for (const [name, value] of answer.headers) {
    const isOurs = name in SECURITY_HEADERS || name === "content-length" || name === "transfer-encoding";
    if (!isOurs && name !== "set-cookie") response.setHeader(name, value);
  }
  const cookies = answer.headers.getSetCookie();
  if (cookies.length > 0) response.setHeader("set-cookie", cookies);
}

async function sendBody(
  { request, response }: Exchange,
  answer: Response,
  signal: AbortSignal,
): Promise<void> {
  const isEvents = answer.headers.get("content-type")?.startsWith("text/event-stream") === true;
  if (isEvents && answer.body !== null && request.method !== "HEAD") {
    await passOn(answer.body, response, signal);
    return;
  }
  if (isEvents) {
    await answer.body?.cancel();
    response.end();
    return;
  }
  const toldBytes = Number(answer.headers.get("content-length") ?? 0);
  if (toldBytes > SMALL_BYTES && answer.body !== null) {
    await sendLarge({ request, response }, new StreamBody(answer.body), { lengthBytes: toldBytes, signal });
    return;
  }
  const bytes = new Uint8Array(await answer.arrayBuffer());
  if (bytes.length > SMALL_BYTES) {
    await sendLarge({ request, response }, new BytesBody(bytes), { lengthBytes: bytes.length, signal });
    return;
  }
  const hasLength = answer.status !== 204 && answer.status !== 304;
  if (hasLength) response.setHeader("content-length", String(bytes.length));
  response.end(request.method === "HEAD" || bytes.length === 0 ? undefined : bytes);
}

/** Closes `body`. */
async function sendLarge(
  { request, response }: Exchange,
  body: ByteBody,
  { lengthBytes, signal }: { lengthBytes: number; signal: AbortSignal },
): Promise<void> {
  const close = () => body.close();
  signal.addEventListener("abort", close, { once: true });
  try {
    const isHead = request.method === "HEAD";
    // Before the headers: they can still tell of a failure.
    const first = isHead ? null : await body.next();
    if (isGone(response)) return;
    response.setHeader("content-length", String(lengthBytes));
    if (isHead) response.end();
    else await pump(body, response, { first, lengthBytes });
  } finally {
    signal.removeEventListener("abort", close);
    close();
  }
}

async function passOn(
  body: ReadableStream<Uint8Array>,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  const reader = body.getReader();
  const cancel = () => void reader.cancel().catch(() => undefined);
  signal.addEventListener("abort", cancel, { once: true });
  response.flushHeaders();
  try {
    for (let part = await reader.read(); !part.done && !isGone(response); part = await reader.read()) {
      if (!response.write(part.value)) await drained(response);
    }
    if (!isGone(response)) response.end();
  } finally {
    signal.removeEventListener("abort", cancel);
    cancel();
  }
}
