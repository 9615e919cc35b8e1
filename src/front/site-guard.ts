// Keeps pages of other sites from using the credentials that the user's browser adds by itself (QUALITY B2.2). A
// request with neither Sec-Fetch-Site nor Origin is no browser's and stands on its credentials alone. Browsers leave
// Sec-Fetch-* out on plain http to other machines, so Origin has to be enough.

import { TorrxError } from "../base/errors.ts";

export interface SiteProof {
  readonly method: string;
  /** Its own host and port, checked. */
  readonly host: string;
  readonly origin: string | undefined;
  readonly secFetchSite: string | undefined;
  readonly secFetchMode: string | undefined;
  /** Under /api/: what a page may not even load from another site. */
  readonly isApi: boolean;
  /** A link carries its own right and may be followed from anywhere. */
  readonly hasToken: boolean;
}

/** Throws forbidden. */
export function checkSite(proof: SiteProof): void {
  const isRead = proof.method === "GET" || proof.method === "HEAD";
  if (isRead ? isForeignRead(proof) : isForeignWrite(proof)) {
    throw new TorrxError("forbidden", "requests from other sites are refused");
  }
}

function isForeignWrite(proof: SiteProof): boolean {
  if (proof.secFetchSite !== undefined) {
    return proof.secFetchSite !== "same-origin" && proof.secFetchSite !== "none";
  }
  return proof.origin !== undefined && !isOwnOrigin(proof.origin, proof.host);
}

/** Reads change nothing; but another site's page gets no stream, event slot or list. A followed link may. */
function isForeignRead(proof: SiteProof): boolean {
  if (!proof.isApi || proof.hasToken) return false;
  if (proof.secFetchSite === undefined) {
    return proof.origin !== undefined && !isOwnOrigin(proof.origin, proof.host);
  }
  return proof.secFetchSite === "cross-site" && proof.secFetchMode !== "navigate";
}

/** Behind a proxy that ends TLS the scheme differs; the host is what counts. */
function isOwnOrigin(origin: string, host: string): boolean {
  const match = /^https?:\/\/([^/]+)$/i.exec(origin);
  return match?.[1] !== undefined && withoutDefaultPort(match[1]) === withoutDefaultPort(host);
}

function withoutDefaultPort(host: string): string {
  return host.toLowerCase().replace(/:(?:80|443)$/, "");
}
