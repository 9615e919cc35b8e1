// An error as it crosses between threads: a clone of an Error keeps its message at most. Code, stack and causes are
// what the other side answers with, logs, or looks for (EADDRINUSE deep in a failed start).

import { describeError, ERROR_CODES, type ErrorCode, systemCodeOf, TorrxError } from "../../base/errors.ts";

export interface ErrorMessage {
  readonly message: string;
  /** null where nothing but the text is known (no Error was thrown). */
  readonly stack: string | null;
  /** A code of TorrxError, else the system's (ENOSPC …), else null. */
  readonly code: string | null;
  readonly retryAfterSec: number | null;
  readonly cause: ErrorMessage | null;
}

/** Of a longer chain (or a circle of causes) the rest is left out. */
const CAUSES_MAX = 5;

export function packError(error: unknown, causesLeft = CAUSES_MAX): ErrorMessage {
  const cause = error instanceof Error ? error.cause : undefined;
  return {
    message: describeError(error),
    stack: error instanceof Error ? (error.stack ?? null) : null,
    code: systemCodeOf(error) ?? null,
    retryAfterSec: error instanceof TorrxError ? (error.retryAfterSec ?? null) : null,
    cause: cause === undefined || causesLeft === 0 ? null : packError(cause, causesLeft - 1),
  };
}

/** The error again: a TorrxError if it was one, else an Error with the system's code; its stack is the thrower's. */
export function unpackError(packed: ErrorMessage): Error {
  const cause = packed.cause === null ? undefined : unpackError(packed.cause);
  const error = isTorrxCode(packed.code)
    ? new TorrxError(packed.code, packed.message, {
        cause,
        ...(packed.retryAfterSec === null ? {} : { retryAfterSec: packed.retryAfterSec }),
      })
    : Object.assign(
        new Error(packed.message, cause === undefined ? {} : { cause }),
        packed.code === null ? {} : { code: packed.code },
      );
  if (packed.stack !== null) error.stack = packed.stack;
  return error;
}

function isTorrxCode(code: string | null): code is ErrorCode {
  return ERROR_CODES.some((known) => known === code);
}
