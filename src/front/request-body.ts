// Reads a request's body whole, with a bound that depends on what it may be. A body announced as too large is refused
// before its first byte is read.

import type { IncomingMessage } from "node:http";
import { TorrxError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { hasBody } from "./reply.ts";

/** null without a body. Rejects too_large, bad_request when the client breaks off. */
export async function readRequestBody(request: IncomingMessage): Promise<Uint8Array<ArrayBuffer> | null> {
  if (request.method === "GET" || request.method === "HEAD" || !hasBody(request)) return null;
  const limit = limitOf(request);
  if (Number(request.headers["content-length"] ?? 0) > limit) throw tooLarge();
  const parts: Buffer[] = [];
  let lengthBytes = 0;
  await new Promise<void>((resolve, reject) => {
    request.on("data", (part: Buffer) => {
      lengthBytes += part.length;
      if (lengthBytes > limit) {
        request.removeAllListeners("data");
        reject(tooLarge());
      } else parts.push(part);
    });
    request.on("end", resolve);
    request.on("error", reject);
    request.on("close", () => reject(new TorrxError("bad_request", "the request's body broke off")));
  });
  return new Uint8Array(Buffer.concat(parts, lengthBytes));
}

function limitOf(request: IncomingMessage): number {
  const isUpload = request.headers["content-type"]?.toLowerCase().startsWith("multipart/form-data") === true;
  return isUpload ? LIMITS.http.uploadBytes : LIMITS.http.jsonBytes;
}

function tooLarge(): TorrxError {
  return new TorrxError("too_large", "the request's body is too large");
}
