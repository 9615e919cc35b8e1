// How a failure looks to an HTTP client, for every part that answers one: {"error":{"code","message"}}. What is not a
// TorrxError, or is `internal`, tells nothing of itself but an id; the same id stands in the log.

import { describeError, type ErrorCode, TorrxError } from "./errors.ts";
import type { Log } from "./log.ts";

export interface HttpFailure {
  readonly status: number;
  readonly code: ErrorCode;
  /** JSON text. */
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

const HIDDEN: ReadonlySet<ErrorCode> = new Set(["internal", "config_invalid", "start_failed"]);

/** Where whoever is busy does not know for how long. */
const BUSY_RETRY_SEC = 2;

/** The answer to anything thrown; what the client may not see goes to `log` under a new id. */
export function httpFailure(error: unknown, log: Log): HttpFailure {
  if (error instanceof TorrxError && !HIDDEN.has(error.code)) return publicFailure(error);
  const id = crypto.randomUUID();
  log.error("request failed", {
    id,
    error: describeError(error),
    stack: error instanceof Error ? error.stack : undefined,
  });
  return failure("internal", 500, { code: "internal", message: "internal error", id });
}

function publicFailure(error: TorrxError): HttpFailure {
  const headers: Record<string, string> = {};
  const retryAfterSec = error.retryAfterSec ?? (error.code === "busy" ? BUSY_RETRY_SEC : undefined);
  if (retryAfterSec !== undefined) headers["retry-after"] = String(Math.max(1, Math.ceil(retryAfterSec)));
  return failure(error.code, error.status, { code: error.code, message: error.message }, headers);
}

function failure(
  code: ErrorCode,
  status: number,
  error: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>> = {},
): HttpFailure {
  return {
    status,
    code,
    body: JSON.stringify({ error }),
    headers: { "content-type": "application/json; charset=utf-8", "cache-control": "no-store", ...headers },
  };
}
