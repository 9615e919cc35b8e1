// Outgoing connections.

import type { PeerAddress } from "../base/address.ts";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { Link } from "./peer-link.ts";
import type { LocalIdentity, PeerHandler, PeerLink, PeerNet } from "./ports.ts";

export interface WireDeps {
  readonly net: PeerNet;
  readonly clock: Clock;
  readonly log: Log;
}

export interface DialOptions {
  readonly address: PeerAddress;
  readonly timeoutMs: number;
  /** Gives up a connect that is under way; once connected, `link.close` ends it. */
  readonly signal: AbortSignal;
  readonly identity: LocalIdentity;
  /** Called once, when TCP is connected. */
  createHandler(link: PeerLink): PeerHandler;
}

/**
 * Resolves when TCP is connected and our handshake is written; all that follows goes to the handler. Rejects when
 * no connection came about: then no handler was made.
 */
export async function dialPeer(deps: WireDeps, options: DialOptions): Promise<PeerLink> {
  const startedMs = deps.clock.nowMs();
  const { timeoutMs, signal } = options;
  const socket = await deps.net.dial(options.address, { timeoutMs, signal });
  const connectMs = deps.clock.nowMs() - startedMs;
  const link = new Link(deps, socket, { isIncoming: false, connectMs });
  try {
    const handler = options.createHandler(link);
    await link.open({ identity: options.identity, handler });
    socket.start(link.socketEvents());
    return link;
  } catch (error) {
    link.close("error");
    throw error;
  }
}
