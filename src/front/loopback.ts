// Programs of this server (ffmpeg, ffprobe) that read a file by our own byte path. Their leave holds on connections from
// this very machine only, and not behind a proxy on it, which would bring in everybody.

import type { IncomingMessage } from "node:http";
import type { LoopbackGrant } from "../services/access/index.ts";
import type { ByteBody } from "./byte-body.ts";
import type { FileTarget, Target } from "./target.ts";

export interface LoopbackGrants {
  /** The leave behind a token, where it is open and for this very file. */
  admit(text: string, file: FileTarget): LoopbackGrant | null;
}

export function tryLoopback(
  request: IncomingMessage,
  target: Target,
  grants: LoopbackGrants,
): LoopbackGrant | null {
  const text = target.query.get("token");
  if (text === null || target.bytes === null || !isFromThisMachine(request)) return null;
  return grants.admit(text, target.bytes);
}

/** Also by the machine's own address, where the front listens on no other. */
function isFromThisMachine({ socket, headers }: IncomingMessage): boolean {
  if (headers["x-forwarded-for"] !== undefined || headers["forwarded"] !== undefined) return false;
  const { remoteAddress = "", localAddress } = socket;
  return isLoopback(remoteAddress) || remoteAddress === localAddress;
}

/** The body, with the grant told what was read of it. */
export function counted(body: ByteBody, grant: LoopbackGrant): ByteBody {
  return {
    async next() {
      const chunk = await body.next();
      grant.count(chunk?.length ?? 0);
      return chunk;
    },
    close: () => body.close(),
  };
}

function isLoopback(address: string): boolean {
  return address === "::1" || /^(?:::ffff:)?127(?:\.\d{1,3}){3}$/.test(address);
}

/** Where this machine reaches a listener that is bound to `address`. */
export function ownOrigin({ address, port }: { address: string; port: number }): string {
  if (address === "0.0.0.0" || address === "::") return `http://127.0.0.1:${port}`;
  return address.includes(":") ? `http://[${address}]:${port}` : `http://${address}:${port}`;
}
