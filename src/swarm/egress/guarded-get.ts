// GET with the egress rules: http and https only, every hop resolved and checked anew, connected to by its checked
// address, at most LIMITS.tracker.redirects hops, never from a public to a private place, never from https to http.

import type { Clock } from "../../base/clock.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Dns, HttpGet } from "../ports.ts";
import type { AddressClass } from "./address-class.ts";
import { isDeniedPort } from "./denied-ports.ts";
import { EgressError } from "./egress-error.ts";
import { type CheckedHost, type PrivatePolicy, resolveChecked } from "./resolve-checked.ts";
import { withTimeLimit } from "./time-limit.ts";

export interface GetDeps {
  readonly http: HttpGet;
  readonly dns: Dns;
  readonly clock: Clock;
}

export interface GetRequest {
  readonly url: URL;
  readonly policy: PrivatePolicy;
  readonly maxBytes: number;
  /** For the whole: names, redirects, body. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface GetAnswer {
  readonly status: number;
  readonly body: Uint8Array;
  /** Class of the host that gave the answer. */
  readonly addressClass: AddressClass;
}

interface Hop {
  readonly url: URL;
  readonly host: CheckedHost;
}

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const MAX_ADDRESSES_TRIED = 3;

/** The answer of the last hop, whatever its status. Throws EgressError. */
export function guardedGet(deps: GetDeps, request: GetRequest): Promise<GetAnswer> {
  const { clock } = deps;
  const untilMs = clock.nowMs() + request.timeoutMs;
  return withTimeLimit({ clock, timeoutMs: request.timeoutMs, signal: request.signal }, async (signal) => {
    let hop = await firstHop(deps, request);
    for (let redirects = 0; ; redirects++) {
      const answer = await getAt(deps, hop, {
        timeoutMs: Math.max(1, untilMs - clock.nowMs()),
        maxBytes: request.maxBytes,
        signal,
      });
      if (!REDIRECTS.has(answer.status)) return { ...answer, addressClass: hop.host.addressClass };
      if (redirects === LIMITS.tracker.redirects) {
        throw new EgressError("bad_redirect", "redirected too often");
      }
      hop = await nextHop(deps, request.policy, hop, answer.location);
    }
  });
}

/** The URL in `text` if it is one that guardedGet takes. Throws EgressError bad_url. */
export function parseHttpUrl(text: string): URL {
  if (!URL.canParse(text)) throw new EgressError("bad_url", "not a valid address");
  const url = new URL(text);
  checkUrl(url);
  return url;
}

function checkUrl(url: URL): void {
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw new EgressError("bad_url", "only http and https addresses are supported");
  }
  if (url.port !== "" && isDeniedPort(Number(url.port))) {
    throw new EgressError("forbidden_address", "the port belongs to another service");
  }
}

async function firstHop(deps: GetDeps, { url, policy }: GetRequest): Promise<Hop> {
  checkUrl(url);
  return { url, host: await resolveChecked(deps.dns, url, policy) };
}

async function nextHop(deps: GetDeps, policy: PrivatePolicy, from: Hop, to: string | null): Promise<Hop> {
  if (to === null || !URL.canParse(to, from.url.href)) {
    throw new EgressError("bad_redirect", "redirected without a valid address");
  }
  const url = new URL(to, from.url);
  checkUrl(url);
  if (from.url.protocol === "https:" && url.protocol !== "https:") {
    throw new EgressError("bad_redirect", "redirected from https to http");
  }
  const host = await resolveChecked(deps.dns, url, policy);
  if (from.host.addressClass === "public" && host.addressClass !== "public") {
    throw new EgressError("bad_redirect", "redirected from a public to a private address");
  }
  return { url, host };
}

/** Asks at the host's first address that takes a connection. */
async function getAt(
  { http }: GetDeps,
  { url, host }: Hop,
  options: { timeoutMs: number; maxBytes: number; signal: AbortSignal },
): Promise<Awaited<ReturnType<HttpGet["get"]>>> {
  let refusal: unknown;
  for (const pinnedAddress of host.addresses.slice(0, MAX_ADDRESSES_TRIED)) {
    try {
      return await http.get({ url, pinnedAddress, ...options });
    } catch (error) {
      const mayTryNext = error instanceof EgressError && error.fault === "connect_failed";
      if (!mayTryNext || options.signal.aborted) throw error;
      refusal = error;
    }
  }
  throw refusal;
}
