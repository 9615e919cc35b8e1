// The limits that all torrents share on making connections: how fast, how many half open, how many in all, and how
// often one stranger's IP may refuse us before we leave it alone (our peer lists may be someone's weapon, ENGINE §5).

import type { PeerAddress } from "../../base/address.ts";
import type { Clock } from "../../base/clock.ts";
import { LIMITS } from "../../base/limits.ts";
import { TokenBucket } from "../../base/token-bucket.ts";
import { canonicalIp } from "../egress/ip-literal.ts";
import { isLocal } from "./address-rules.ts";

/** The place of one connection; exactly one of failed and closed ends it, further calls do nothing. */
export interface DialTicket {
  /** For the connect alone. */
  readonly timeoutMs: number;
  /** The socket is open: no longer half open, still counted. */
  connected(): void;
  /** The connect came to nothing. */
  failed(): void;
  /** The connection ended, or the dial was given up by us. */
  closed(): void;
}

const MAX_FAILS_PER_HOST = 3;
const FAIL_MEMORY_MS = 600_000;
const MAX_HOSTS_REMEMBERED = 10_000;
/** More waiting candidates than this make a slow one dear. */
const BUSY_CANDIDATES = 20;

export class DialGate {
  readonly #clock: Clock;
  readonly #bucket: TokenBucket;
  /** Times of recent failures per host, oldest first; hosts in the order of their latest failure. */
  readonly #failsByHost = new Map<string, number[]>();
  #halfOpen = 0;
  #total = 0;

  constructor({ clock }: { clock: Clock }) {
    this.#clock = clock;
    this.#bucket = new TokenBucket({
      ratePerSec: LIMITS.peer.dialsPerSec,
      burst: LIMITS.peer.dialBurst,
      nowMs: clock.nowMs(),
    });
  }

  /** Dials begun whose sockets are not open yet. */
  get halfOpen(): number {
    return this.#halfOpen;
  }

  /** Connections of all torrents, both directions, dials included. */
  get total(): number {
    return this.#total;
  }

  /** Whether a dial to anybody could begin now. */
  hasRoom(): boolean {
    return (
      this.#halfOpen < LIMITS.peer.halfOpen &&
      this.#total < LIMITS.peer.total - LIMITS.peer.reservedForIncoming &&
      this.#bucket.available(this.#clock.nowMs()) >= 1
    );
  }

  /** Whether this host did not fail too often of late. */
  mayDial({ host }: PeerAddress): boolean {
    return isLocal(host) || this.#recentFails(hostKey(host)).length < MAX_FAILS_PER_HOST;
  }

  /** Takes a place for a dial; null when there is none now. `waitingCount`: other addresses the torrent could dial. */
  tryDial(address: PeerAddress, waitingCount: number): DialTicket | null {
    if (!this.hasRoom() || !this.mayDial(address)) return null;
    this.#bucket.take(1);
    this.#halfOpen++;
    return this.#ticket(address, waitingCount > BUSY_CANDIDATES);
  }

  /** Takes a place for an incoming connection; null when all are taken. */
  tryAccept(): Pick<DialTicket, "closed"> | null {
    if (this.#total >= LIMITS.peer.total) return null;
    this.#total++;
    let isOpen = true;
    return {
      closed: () => {
        if (isOpen) this.#total--;
        isOpen = false;
      },
    };
  }

  #ticket(address: PeerAddress, isBusy: boolean): DialTicket {
    this.#total++;
    let state: "dialing" | "connected" | "ended" = "dialing";
    const end = () => {
      if (state === "ended") return;
      if (state === "dialing") this.#halfOpen--;
      this.#total--;
      state = "ended";
    };
    return {
      timeoutMs: isBusy ? LIMITS.peer.connectBusyMs : LIMITS.peer.connectMs,
      connected: () => {
        if (state !== "dialing") return;
        this.#halfOpen--;
        state = "connected";
      },
      failed: () => {
        if (state === "dialing") this.#rememberFail(hostKey(address.host));
        end();
      },
      closed: end,
    };
  }

  #recentFails(key: string): readonly number[] {
    const sinceMs = this.#clock.nowMs() - FAIL_MEMORY_MS;
    return (this.#failsByHost.get(key) ?? []).filter((atMs) => atMs > sinceMs);
  }

  #rememberFail(key: string): void {
    const fails = [...this.#recentFails(key), this.#clock.nowMs()].slice(-MAX_FAILS_PER_HOST);
    this.#failsByHost.delete(key);
    const oldest = this.#failsByHost.keys().next();
    if (this.#failsByHost.size >= MAX_HOSTS_REMEMBERED && !oldest.done)
      this.#failsByHost.delete(oldest.value);
    this.#failsByHost.set(key, fails);
  }
}

function hostKey(host: string): string {
  return canonicalIp(host) ?? host;
}
