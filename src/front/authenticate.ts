// Who asks: a link token where the URL is one that links open, else Basic credentials. A token that fails beside
// credentials that hold does no harm (a page left open over night); alone it is told to be dead, so that a player
// does not ask for a password.

import { hash } from "node:crypto";
import { TorrxError } from "../base/errors.ts";
import {
  type AccessService,
  type LinkToken,
  type LoopbackGrant,
  linkViewer,
  type Principal,
  type TokenFault,
} from "../services/access/index.ts";
import type { Target } from "./target.ts";

const NO_CREDENTIALS = "username and password are needed";
/** Which of the two is wrong stays untold. */
const WRONG_CREDENTIALS = "wrong username or password";

const LINK_FAULTS: Readonly<Record<TokenFault | "elsewhere", string>> = {
  expired: "this link has expired",
  revoked: "this link was revoked",
  invalid: "this is no valid link",
  elsewhere: "this link opens another file",
};

/** What in the URL opens just its target. */
export type Proof =
  | { readonly kind: "link"; readonly token: LinkToken }
  | { readonly kind: "loopback"; readonly grant: LoopbackGrant };

export interface Claim {
  readonly target: Target;
  readonly proof: Proof | null;
  readonly headers: {
    readonly authorization?: string | undefined;
    readonly "user-agent"?: string | undefined;
  };
  readonly clientAddress: string;
}

/**
 * The token in the URL if it is valid and opens just this. Links read; the one thing they may change is the session of
 * their own player.
 */
export function tryLink(method: string, target: Target, access: AccessService): LinkToken | null {
  const text = target.query.get("token");
  if (text === null || target.link === null) return null;
  const isRead = method === "GET" || method === "HEAD";
  if (!isRead && !(method === "POST" && target.isSession)) return null;
  const token = access.verifyToken(text);
  return token !== null && opens(token, target) ? token : null;
}

/** Rejects unauthorized, forbidden (a dead link), rate_limited. */
export async function authenticate(claim: Claim, access: AccessService): Promise<Principal> {
  const { target, proof, headers, clientAddress } = claim;
  if (proof?.kind === "loopback") return { ...proof, viewer: proof.grant.viewer };
  if (proof?.kind === "link") return { ...proof, viewer: linkViewer(proof.token) };
  if (headers.authorization !== undefined) {
    const session = await access.verifyBasic(headers.authorization, clientAddress);
    if (session !== null) return { kind: "user", session, viewer: viewerOf(session.id, claim) };
  }
  const text = target.query.get("token");
  if (target.link !== null && text !== null) {
    throw new TorrxError("forbidden", LINK_FAULTS[access.tokenFault(text) ?? "elsewhere"]);
  }
  const message = headers.authorization === undefined ? NO_CREDENTIALS : WRONG_CREDENTIALS;
  throw new TorrxError("unauthorized", message);
}

function opens(token: LinkToken, target: Target): boolean {
  const { link } = target;
  if (link === null || link.kind !== token.kind || link.torrent !== token.torrent) return false;
  return token.kind === "playlist" || (link.kind === "stream" && link.file === token.file);
}

/** Credentials + address + User-Agent (PRODUCT §3.2), short enough for a key. */
function viewerOf(session: string, claim: Claim): string {
  const text = `${claim.clientAddress}\n${claim.headers["user-agent"] ?? ""}`;
  const device = hash("sha256", text, "base64url");
  return `user ${session} ${device.slice(0, 16)}`;
}
