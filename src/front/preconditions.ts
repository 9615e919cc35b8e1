// Conditional requests (RFC 9110 §13): which of 200, 304 and 412 applies, in the order of §13.2.2, and whether an
// If-Range still names the file that is here.

export interface Validators {
  /** Strong, with quotes. */
  readonly etag: string;
  readonly lastModifiedMs: number;
}

export type RequestHeaders = Readonly<Record<string, string | string[] | undefined>>;
export type Verdict = "go" | "not_modified" | "failed";

const ENTITY_TAG = /(?:W\/)?"[^"]*"/g;

/** For GET and HEAD. */
export function judgePreconditions(headers: RequestHeaders, validators: Validators): Verdict {
  const ifMatch = textOf(headers["if-match"]);
  const ifNoneMatch = textOf(headers["if-none-match"]);
  if (ifMatch !== undefined) {
    if (!listsTag(ifMatch, validators.etag, false)) return "failed";
  } else if (isModifiedAfter(headers["if-unmodified-since"], validators) === true) return "failed";
  if (ifNoneMatch !== undefined) return listsTag(ifNoneMatch, validators.etag, true) ? "not_modified" : "go";
  return isModifiedAfter(headers["if-modified-since"], validators) === false ? "not_modified" : "go";
}

/** Without If-Range true; else whether it is our tag (strong comparison) or our very date (§13.1.5). */
export function isRangeCurrent(headers: RequestHeaders, validators: Validators): boolean {
  const ifRange = textOf(headers["if-range"]);
  if (ifRange === undefined) return true;
  if (ifRange.includes('"')) return ifRange.trim() === validators.etag;
  return Date.parse(ifRange) === wholeSeconds(validators.lastModifiedMs);
}

function listsTag(header: string, etag: string, isWeakEnough: boolean): boolean {
  if (header.trim() === "*") return true;
  const tags = header.match(ENTITY_TAG) ?? [];
  return tags.some((tag) => tag === etag || (isWeakEnough && tag === `W/${etag}`));
}

/** undefined when the header is missing or no date. */
function isModifiedAfter(header: string | string[] | undefined, validators: Validators): boolean | undefined {
  const sinceMs = Date.parse(textOf(header) ?? "");
  return Number.isNaN(sinceMs) ? undefined : wholeSeconds(validators.lastModifiedMs) > sinceMs;
}

/** HTTP dates have no fractions. */
function wholeSeconds(ms: number): number {
  return Math.floor(ms / 1000) * 1000;
}

function textOf(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header.join(", ") : header;
}
