// The only ways in which a value from outside becomes a part of an argument: a finite number, a path of a device, a
// URL on loopback. No name, title or text of a torrent ever does.

import { TorrxError } from "../../base/errors.ts";

/** Decimal without an exponent, at most six places. */
export function number(value: number): string {
  if (!Number.isFinite(value) || Math.abs(value) >= 1e15) throw refused("a number");
  if (Number.isInteger(value)) return String(value);
  return value.toFixed(6);
}

export function wholeNumber(value: number): string {
  if (!Number.isSafeInteger(value) || value < 0) throw refused("a whole number");
  return String(value);
}

/** A render node, the one kind of device that an encoder is given. */
export function renderDevice(path: string): string {
  if (!/^\/dev\/dri\/renderD[0-9]{1,4}$/.test(path)) throw refused("a device");
  return path;
}

/** What a program may read: a path of ours on loopback, of characters that mean nothing to anyone. */
export function loopbackUrl(url: string): string {
  if (!/^http:\/\/(127\.0\.0\.1|\[::1\]):[0-9]{1,5}\/[A-Za-z0-9/_.?=&~%-]{1,2000}$/.test(url))
    throw refused("an input");
  return url;
}

function refused(what: string): TorrxError {
  return new TorrxError("internal", `${what} that no argument may carry`);
}
