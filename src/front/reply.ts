// Short answers of the front itself: failures and empty ones.

import type { IncomingMessage, ServerResponse } from "node:http";
import { httpFailure } from "../base/http-error.ts";
import type { Log } from "../base/log.ts";

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** What may have been said of a file before it failed. */
const FILE_HEADERS = ["etag", "last-modified", "accept-ranges", "content-disposition"];

/** Tells `error` to the client; where headers are out already, the only honest end is a cut connection. */
export function replyFailure(exchange: Exchange, error: unknown, log: Log): void {
  const { request, response } = exchange;
  const failure = httpFailure(error, log);
  if (response.headersSent) {
    response.destroy();
    return;
  }
  for (const name of FILE_HEADERS) response.removeHeader(name);
  if (failure.code !== "range_not_satisfiable") response.removeHeader("content-range");
  if (failure.code === "unauthorized") {
    response.setHeader("www-authenticate", 'Basic realm="TorrX", charset="UTF-8"');
  }
  const body = Buffer.from(failure.body);
  endAfterBody(exchange);
  response.writeHead(failure.status, { ...failure.headers, "content-length": String(body.length) });
  response.end(request.method === "HEAD" ? undefined : body);
}

/** A body that nobody has read would be taken for the next request: the connection ends with this answer. */
export function endAfterBody({ request, response }: Exchange): void {
  if (request.complete || !hasBody(request)) return;
  response.setHeader("connection", "close");
  // Discarded for a while, so that the client gets to read the answer instead of a reset.
  request.resume();
}

export function hasBody(request: IncomingMessage): boolean {
  const { "content-length": length, "transfer-encoding": encoding } = request.headers;
  return encoding !== undefined || (length !== undefined && length !== "0");
}
