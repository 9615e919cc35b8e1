// The headers that every answer carries, errors included (QUALITY B2.6). Bytes of torrents get a policy of their own:
// whatever they contain, a browser runs none of it.

export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self' blob:; " +
    "connect-src 'self'; worker-src 'self' blob:; manifest-src 'self'; frame-ancestors 'none'; base-uri 'none'; " +
    "form-action 'self'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
};

const TRUSTED = Object.entries(SECURITY_HEADERS);
const UNTRUSTED = TRUSTED.filter(([name]) => name !== "cross-origin-opener-policy");

/**
 * The headers for a page under `origin`. Browsers heed the opener policy only where they trust the way the page came,
 * https or this very machine, and complain of it anywhere else.
 */
export function securityHeaders(origin: { readonly isHttps: boolean; readonly host: string }) {
  return origin.isHttps || isLoopback(origin.host) ? TRUSTED : UNTRUSTED;
}

/** `host` as in the Host header. */
function isLoopback(host: string): boolean {
  return /^(?:(?:[\w-]+\.)*localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/i.test(host);
}

export const TORRENT_BYTES_POLICY = "sandbox; default-src 'none'";
