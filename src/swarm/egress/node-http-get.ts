// HttpGet on node:http(s): connects to the pinned address while Host, SNI and the certificate check keep to the
// URL's name. One connection per request, no proxy, no cookies, no redirects; both the bytes on the wire and the
// bytes after gunzip are capped.

import { type ClientRequest, type IncomingMessage, request as requestHttp } from "node:http";
import { type RequestOptions, request as requestHttps } from "node:https";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { type Clock, systemClock } from "../../base/clock.ts";
import { systemCodeOf } from "../../base/errors.ts";
import type { HttpGet } from "../ports.ts";
import { EgressError } from "./egress-error.ts";
import { parseIp } from "./ip-literal.ts";
import { withTimeLimit } from "./time-limit.ts";

type GetOptions = Parameters<HttpGet["get"]>[0];

const gunzipBounded = promisify(gunzip);
const MAX_HEADER_BYTES = 16 * 1024;

const CONNECT_CODES: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENETDOWN",
  "EADDRNOTAVAIL",
  "ETIMEDOUT",
]);

/** Throws EgressError connect_failed, bad_certificate, timed_out, aborted, too_large, bad_answer. */
export function createNodeHttpGet({ clock, ca }: { clock: Clock; ca?: string }): HttpGet {
  return {
    get: (options) =>
      withTimeLimit({ clock, timeoutMs: options.timeoutMs, signal: options.signal }, async (signal) => {
        const { response, body } = await exchange(options, signal, ca);
        return {
          status: response.statusCode ?? 0,
          location: response.headers.location ?? null,
          body: await decoded(body, response.headers["content-encoding"], options.maxBytes),
        };
      }),
  };
}

export const nodeHttpGet: HttpGet = createNodeHttpGet({ clock: systemClock });

interface Exchange {
  readonly response: IncomingMessage;
  readonly body: Buffer;
}

function exchange(options: GetOptions, signal: AbortSignal, ca: string | undefined): Promise<Exchange> {
  const { promise, resolve, reject } = Promise.withResolvers<Exchange>();
  const request = open(options, ca);
  const end = (error: unknown) => {
    // Before destroy: what the destroyed socket still says comes too late to count.
    reject(asEgressError(error));
    request.destroy();
  };
  signal.addEventListener("abort", () => end(signal.reason), { once: true });
  request.on("error", end);
  request.on("response", (response) => collect(response, options.maxBytes, { resolve, end }));
  request.end();
  return promise;
}

function open({ url, pinnedAddress }: GetOptions, ca: string | undefined): ClientRequest {
  const isTls = url.protocol === "https:";
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const options: RequestOptions = {
    host: pinnedAddress,
    port: url.port === "" ? (isTls ? 443 : 80) : Number(url.port),
    path: url.pathname + url.search,
    agent: false,
    maxHeaderSize: MAX_HEADER_BYTES,
    headers: { Host: url.host, "User-Agent": "TorrX", Accept: "*/*", "Accept-Encoding": "gzip" },
  };
  if (url.username !== "") options.auth = credentialsOf(url);
  if (!isTls) return requestHttp(options);
  const tls: RequestOptions = { ...options, rejectUnauthorized: true };
  // RFC 6066 §3: SNI carries names only; a literal is checked against the certificate's IP entries.
  if (parseIp(host) === null) tls.servername = host;
  if (ca !== undefined) tls.ca = ca;
  return requestHttps(tls);
}

function credentialsOf(url: URL): string {
  try {
    return `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  } catch (error) {
    throw new EgressError("bad_url", "the user name or password in the address is malformed", error);
  }
}

function collect(
  response: IncomingMessage,
  maxBytes: number,
  done: { resolve(value: Exchange): void; end(error: unknown): void },
): void {
  const chunks: Buffer[] = [];
  let lengthBytes = 0;
  const declaredBytes = Number(response.headers["content-length"] ?? 0);
  response.on("data", (chunk: Buffer) => {
    lengthBytes += chunk.length;
    if (Math.max(lengthBytes, declaredBytes) > maxBytes) done.end(tooLarge(maxBytes));
    else chunks.push(chunk);
  });
  response.on("error", done.end);
  response.on("aborted", () => done.end(new EgressError("bad_answer", "the answer broke off")));
  response.on("end", () => done.resolve({ response, body: Buffer.concat(chunks) }));
}

async function decoded(body: Buffer, encoding: string | undefined, maxBytes: number): Promise<Uint8Array> {
  if (encoding === undefined || encoding === "identity") return new Uint8Array(body);
  if (encoding !== "gzip" && encoding !== "x-gzip") {
    throw new EgressError("bad_answer", "the answer is in an encoding that was not asked for");
  }
  try {
    return new Uint8Array(await gunzipBounded(body, { maxOutputLength: maxBytes }));
  } catch (error) {
    if (systemCodeOf(error) === "ERR_BUFFER_TOO_LARGE") throw tooLarge(maxBytes);
    throw new EgressError("bad_answer", "the answer is damaged", error);
  }
}

function tooLarge(maxBytes: number): EgressError {
  return new EgressError("too_large", `the answer is larger than ${Math.floor(maxBytes / 1024)} KiB`);
}

function asEgressError(error: unknown): EgressError {
  if (error instanceof EgressError) return error;
  const code = systemCodeOf(error) ?? "";
  if (CONNECT_CODES.has(code)) return new EgressError("connect_failed", `could not connect (${code})`, error);
  if (/CERT|LEAF_SIGNATURE|ALTNAME|SELF_SIGNED|ISSUER/.test(code)) {
    return new EgressError("bad_certificate", "the certificate is not valid for this host", error);
  }
  return new EgressError("bad_answer", "the answer is no valid HTTP", error);
}
