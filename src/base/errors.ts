// The one error class of the product and its closed list of codes. Whatever reaches a user carries one of
// these; the table below is the only place where a code meets an HTTP status (PRODUCT §4). Faults that a remote
// peer causes are PeerFault (peer-fault.ts): they can end a peer and nothing else.

/** code → HTTP status, and whether trying the same again later may help. */
const ERROR_TABLE = {
  bad_request: { status: 400, retryable: false },
  invalid_magnet: { status: 400, retryable: false },
  invalid_torrent: { status: 400, retryable: false },
  unauthorized: { status: 401, retryable: false },
  forbidden: { status: 403, retryable: false },
  not_found: { status: 404, retryable: false },
  not_ready: { status: 409, retryable: true },
  too_large: { status: 413, retryable: false },
  unsupported_media: { status: 415, retryable: false },
  range_not_satisfiable: { status: 416, retryable: false },
  wrong_host: { status: 421, retryable: false },
  validation: { status: 422, retryable: false },
  rate_limited: { status: 429, retryable: true },
  internal: { status: 500, retryable: true },
  busy: { status: 503, retryable: true },
  disk_full: { status: 507, retryable: true },
  // Never sent over HTTP: they end the start of the process, with one line that says what to do.
  config_invalid: { status: 500, retryable: false },
  start_failed: { status: 500, retryable: false },
} as const;

export type ErrorCode = keyof typeof ERROR_TABLE;

export interface ErrorOptions {
  readonly cause?: unknown;
  /** Seconds for the Retry-After header. */
  readonly retryAfterSec?: number;
}

/** An error with a code that the API, the log and the tests know. `message` is fit for the user's eyes. */
export class TorrxError extends Error {
  readonly code: ErrorCode;
  readonly retryAfterSec: number | undefined;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "TorrxError";
    this.code = code;
    this.retryAfterSec = options.retryAfterSec;
  }

  get status(): number {
    return ERROR_TABLE[this.code].status;
  }

  get retryable(): boolean {
    return ERROR_TABLE[this.code].retryable;
  }
}

export const ERROR_CODES = Object.keys(ERROR_TABLE) as readonly ErrorCode[];

export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(ERROR_TABLE, text);
}

/** The HTTP status of a code. */
export function statusOf(code: ErrorCode): number {
  return ERROR_TABLE[code].status;
}

/** Text of anything thrown, for a log line. */
export function describeError(error: unknown): string {
  if (error instanceof Error) return error.message || error.name;
  return String(error);
}

/** The system's error code (ENOSPC, EADDRINUSE …) of anything thrown, else undefined. */
export function systemCodeOf(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}
