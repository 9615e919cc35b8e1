// A link to a .torrent, as a user pastes it: fetched under the egress rules, judged by nobody here (metainfo does).

import { type ErrorCode, TorrxError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { EgressError, type EgressFault } from "./egress-error.ts";
import { type GetDeps, guardedGet, parseHttpUrl } from "./guarded-get.ts";

/** Only what the caller can act on has a code of its own: a wrong link, and a file beyond the limit. */
const CODE_OF_FAULT: Readonly<Partial<Record<EgressFault, ErrorCode>>> = { too_large: "too_large" };

/** Said whether or not it would help with this very address: which networks are which is not for the caller. */
function adviceOf({ fault }: EgressError): string {
  return fault === "forbidden_address"
    ? "; torrent.allow_private_urls allows links into private networks"
    : "";
}

/**
 * The bytes behind an http(s) link, at most LIMITS.metainfo.torrentFileBytes. Private and loopback hosts only with
 * `allowPrivate`. Throws TorrxError bad_request or too_large; the message never quotes what the host answered.
 */
export async function fetchTorrentUrl(
  deps: GetDeps,
  url: string,
  { allowPrivate, signal }: { readonly allowPrivate: boolean; readonly signal: AbortSignal },
): Promise<Uint8Array> {
  try {
    const { status, body } = await guardedGet(deps, {
      url: parseHttpUrl(url),
      policy: () => allowPrivate,
      maxBytes: LIMITS.metainfo.torrentFileBytes,
      timeoutMs: LIMITS.metainfo.torrentUrlMs,
      signal,
    });
    if (status !== 200) throw new TorrxError("bad_request", `The link answered with HTTP status ${status}.`);
    return body;
  } catch (error) {
    if (!(error instanceof EgressError)) throw error;
    const code = CODE_OF_FAULT[error.fault] ?? "bad_request";
    throw new TorrxError(code, `The link failed: ${error.message}${adviceOf(error)}.`, { cause: error });
  }
}
