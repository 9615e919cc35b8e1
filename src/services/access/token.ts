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
  readonly nowSec: number;
}

type SignedToken = LinkToken | LoopbackToken;

/** `expSec` is wall-clock seconds. */
export function signToken(
  link: SignedToken,
  expSec: number,
  rules: Pick<TokenRules, "key" | "epoch">,
): string {
  const file = link.kind === "playlist" ? {} : { f: link.file };
  const payload = { k: link.kind, t: link.torrent, ...file, exp: expSec, ep: rules.epoch, id: link.id };
  const signed = `${VERSION}.${Buffer.from(JSON.stringify(payload)).toString("base64url")}`;
  return `${signed}.${signatureOf(signed, rules.key)}`;
}

export function tryToken(text: string, rules: TokenRules): LinkToken | null {
  const token = tryHeld(text, rules);
  return token === null || token.kind === "loopback" ? null : token;
}

export function tryLoopbackToken(text: string, rules: TokenRules): LoopbackToken | null {
  const token = tryHeld(text, rules);
  return token?.kind === "loopback" ? token : null;
}

function tryHeld(text: string, rules: TokenRules): SignedToken | null {
  const payload = trySigned(text, rules.key);
  return payload === null || refusalOf(payload, rules) !== null ? null : tokenOf(payload);
}

/** Why a text opens nothing (any more); null for a link that holds. Only who holds what we signed learns of it. */
export function tokenFault(text: string, rules: TokenRules): TokenFault | null {
  const payload = trySigned(text, rules.key);
  const kind = payload === null ? undefined : tokenOf(payload)?.kind;
  if (payload === null || kind === undefined || kind === "loopback") return "invalid";
  return refusalOf(payload, rules);
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

function refusalOf({ ep, exp }: Record<string, unknown>, rules: TokenRules): "revoked" | "expired" | null {
  if (ep !== rules.epoch) return "revoked";
  return typeof exp !== "number" || exp + TOLERANCE_SEC < rules.nowSec ? "expired" : null;
}

function tokenOf(payload: Record<string, unknown>): SignedToken | null {
  const { k, t, f, id } = payload;
  const torrent = typeof t === "string" ? tryInfoHash(t) : null;
  if (torrent === null || typeof id !== "string") return null;
  if (k === "playlist") return { kind: "playlist", torrent, id };
  if ((k === "stream" || k === "loopback") && typeof f === "number") return { kind: k, torrent, file: f, id };
  return null;
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
