// The one place where a failure becomes an answer of the app. Elysia's own bodies would tell messages of any Error and
// echo what was sent; none of them leaves.

import { NotFoundError, ParseError, ValidationError } from "elysia";
import { TorrxError } from "../base/errors.ts";
import { httpFailure } from "../base/http-error.ts";
import type { Log } from "../base/log.ts";
import { refusalText } from "./refusal.ts";

export function answerFailure(error: unknown, log: Log): Response {
  const failure = httpFailure(asOurs(error), log);
  return new Response(failure.body, { status: failure.status, headers: failure.headers });
}

function asOurs(error: unknown): unknown {
  if (error instanceof NotFoundError) return new TorrxError("not_found", "there is nothing at this address");
  if (error instanceof ValidationError) return invalid(error);
  if (error instanceof ParseError) {
    if (error.cause instanceof TorrxError) return error.cause;
    return new TorrxError("bad_request", "the request's body cannot be read");
  }
  return error;
}

function invalid(error: ValidationError): TorrxError {
  // An id that cannot be one is an address where nothing is.
  if (error.type === "params") return new TorrxError("not_found", "there is nothing at this address");
  const { valueError, value } = error;
  if (valueError === undefined) return new TorrxError("validation", "the request is not valid");
  const validator = error.validator as { readonly schema?: unknown };
  return new TorrxError("validation", refusalText(validator.schema ?? validator, valueError, value));
}
