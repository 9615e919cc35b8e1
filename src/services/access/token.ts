// Links that carry their own right: v1.<payload>.<HMAC-SHA256 of all before it>, both base64url. One algorithm, no
// header to choose another by. A token is compared as text, so each has exactly one spelling.

import { timingSafeEqual } from "node:crypto";
import { tryInfoHash } from "../../base/brand.ts";
import type { LinkToken, LoopbackToken, TokenFault } from "./ports.ts";

const VERSION = "v1";
const TOKEN_CHARS = 512;
/** Clocks of one machine can step back a little (B5 #20). */
const TOLERANCE_SEC = 60;

export interface TokenRules {
  readonly key: Uint8Array;
  readonly epoch: number;
}

/** What a true signature says: the same for ever. Whether it still holds is another question. */
export interface Signed<T extends LinkToken | LoopbackToken> {
  readonly link: T;
  readonly epoch: unknown;
  readonly expSec: unknown;
}

export type SignedLink = Signed<LinkToken>;

/** `expSec` is wall-clock seconds. */
export function signToken(link: LinkToken | LoopbackToken, expSec: number, rules: TokenRules): string {
  const file = link.kind === "playlist" ? {} : { f: link.file };
  const payload = { k: link.kind, t: link.torrent, ...file, exp: expSec, ep: rules.epoch, id: link.id };
  const signed = `${VERSION}.${Buffer.from(JSON.stringify(payload)).toString("base64url")}`;
  return `${signed}.${signatureOf(signed, rules.key)}`;
}

/** null for a text that this server has not signed. */
export function trySignedLink(text: string, key: Uint8Array): SignedLink | null {
  return trySignedAs(text, key, linkOf);
}

/** null for a text that was not signed by `key`, or is a link. */
export function trySignedLoopback(text: string, key: Uint8Array): Signed<LoopbackToken> | null {
  return trySignedAs(text, key, loopbackOf);
}

function trySignedAs<T extends LinkToken | LoopbackToken>(
  text: string,
  key: Uint8Array,
  read: (payload: Record<string, unknown>) => T | null,
): Signed<T> | null {
  const payload = trySigned(text, key);
  const link = payload === null ? null : read(payload);
  return payload === null || link === null ? null : { link, epoch: payload["ep"], expSec: payload["exp"] };
}

/** Why a signed link opens nothing (any more); null for one that holds. */
export function refusalOf(
  signed: Pick<SignedLink, "epoch" | "expSec">,
  now: { epoch: number; sec: number },
): TokenFault | null {
  if (signed.epoch !== now.epoch) return "revoked";
  const { expSec } = signed;
  return typeof expSec !== "number" || expSec + TOLERANCE_SEC < now.sec ? "expired" : null;
}

/** The payload of a text that this server has signed. */
function trySigned(text: string, key: Uint8Array): Record<string, unknown> | null {
  if (text.length > TOKEN_CHARS) return null;
  const [version, encoded, signature, ...rest] = text.split(".");
  if (version !== VERSION || encoded === undefined || signature === undefined || rest.length > 0) return null;
  if (!isSame(signature, signatureOf(`${version}.${encoded}`, key))) return null;
  // From here on the payload is our own writing.
  return JSON.parse(Buffer.from(encoded, "base64url").toString()) as Record<string, unknown>;
}

function linkOf(payload: Record<string, unknown>): LinkToken | null {
  const { k, t, f, id } = payload;
  const torrent = typeof t === "string" ? tryInfoHash(t) : null;
  if (torrent === null || typeof id !== "string") return null;
  if (k === "playlist") return { kind: "playlist", torrent, id };
  if (k === "stream" && typeof f === "number") return { kind: "stream", torrent, file: f, id };
  return null;
}

function loopbackOf({ k, t, f, id }: Record<string, unknown>): LoopbackToken | null {
  const torrent = typeof t === "string" ? tryInfoHash(t) : null;
  if (k !== "loopback" || torrent === null || typeof f !== "number" || typeof id !== "string") return null;
  return { kind: k, torrent, file: f, id };
}

/** The viewer who plays by a link, wherever it is used. */
export function linkViewer({ id }: Pick<LinkToken, "id">): string {
  return `link ${id}`;
}

function signatureOf(signed: string, key: Uint8Array): string {
  return new Bun.CryptoHasher("sha256", key).update(signed).digest("base64url");
}

function isSame(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}
