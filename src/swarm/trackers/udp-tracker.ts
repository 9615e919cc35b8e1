// Announces to UDP trackers (BEP 15): connect for an id, keep it its minute, announce, retransmit after 15·2^n s.
// All torrents share one connect per tracker, so that a thousand of them do not knock a thousand times.

import { addressKey, type PeerAddress } from "../../base/address.ts";
import type { Clock } from "../../base/clock.ts";
import type { Random } from "../../base/random.ts";
import { EgressError } from "../egress/egress-error.ts";
import { withTimeLimit } from "../egress/time-limit.ts";
import type { UdpNet } from "../ports.ts";
import type { AnnounceQuery } from "./announce-url.ts";
import { TrackerError } from "./tracker-error.ts";
import type { TrackerReply } from "./tracker-reply.ts";
import { UdpExchange } from "./udp-exchange.ts";
import { announcePacket, connectPacket, parseAnnounceReply, parseConnectReply } from "./udp-packets.ts";

/** BEP 15 lets a client use an id for one minute after it got it. */
const CONNECTION_ID_MS = 60_000;
const FIRST_WAIT_MS = 15_000;
/** 15 s, then 30 s; BEP 15 goes on to an hour, but the tier's next tracker is a better use of that time. */
const ATTEMPTS = 2;
const TOTAL_MS = FIRST_WAIT_MS * (2 ** ATTEMPTS - 1);
const MAX_CONNECTION_IDS = 512;

export interface UdpAnnounceRequest {
  /** A checked address. */
  readonly tracker: PeerAddress;
  readonly query: AnnounceQuery;
  readonly urlData: string;
  readonly signal: AbortSignal;
}

interface ConnectionId {
  readonly id: bigint;
  readonly untilMs: number;
}

export class UdpTracker {
  readonly #exchange: UdpExchange;
  readonly #clock: Clock;
  readonly #ids = new Map<string, ConnectionId>();
  readonly #connecting = new Map<string, Promise<bigint>>();
  readonly #closing = new AbortController();

  constructor(deps: { udp: UdpNet; clock: Clock; random: Random }) {
    this.#exchange = new UdpExchange(deps);
    this.#clock = deps.clock;
  }

  /** Throws TrackerError, or EgressError timed_out (after 45 s), aborted, connect_failed. */
  announce(request: UdpAnnounceRequest): Promise<TrackerReply> {
    const limit = { clock: this.#clock, timeoutMs: TOTAL_MS, signal: request.signal };
    return withTimeLimit(limit, async (signal) => {
      for (let attempt = 0; ; attempt++) {
        const isLast = attempt === ATTEMPTS - 1;
        try {
          return await this.#attempt({ ...request, signal }, FIRST_WAIT_MS * 2 ** attempt);
        } catch (error) {
          const isStale = error instanceof StaleConnection;
          const isSilence = error instanceof EgressError && error.fault === "timed_out";
          if (isLast || signal.aborted || !(isStale || isSilence)) {
            throw isStale ? error.refusal : error;
          }
        }
      }
    });
  }

  close(): void {
    this.#closing.abort();
    this.#exchange.close();
  }

  async #attempt(request: UdpAnnounceRequest, timeoutMs: number): Promise<TrackerReply> {
    const { tracker, query, urlData, signal } = request;
    const key = addressKey(tracker);
    const cached = this.#cachedId(key);
    const connectionId = cached ?? (await this.#connect(tracker, { timeoutMs, signal }));
    try {
      const packet = await this.#exchange.ask(
        tracker,
        (transactionId) => announcePacket({ ...query, urlData, connectionId, transactionId }),
        { timeoutMs, signal },
      );
      return parseAnnounceReply(packet, tracker.host.includes(":") ? 16 : 4);
    } catch (error) {
      // The tracker may have restarted and know the id no more; the next attempt asks for a new one.
      const isRefusal = error instanceof TrackerError;
      if (isRefusal || !signal.aborted) this.#ids.delete(key);
      if (isRefusal && cached !== null) throw new StaleConnection(error);
      throw error;
    }
  }

  #cachedId(key: string): bigint | null {
    const cached = this.#ids.get(key);
    return cached !== undefined && cached.untilMs > this.#clock.nowMs() ? cached.id : null;
  }

  /** A connection id, asked for once however many wait; one waiter's abort does not stop the others. */
  #connect(tracker: PeerAddress, wait: { timeoutMs: number; signal: AbortSignal }): Promise<bigint> {
    const key = addressKey(tracker);
    let connecting = this.#connecting.get(key);
    if (connecting === undefined) {
      connecting = this.#requestId(tracker, key, wait.timeoutMs);
      this.#connecting.set(key, connecting);
      const forget = () => this.#connecting.delete(key);
      connecting.then(forget, forget);
    }
    const shared = connecting;
    return withTimeLimit({ clock: this.#clock, ...wait }, () => shared);
  }

  async #requestId(tracker: PeerAddress, key: string, timeoutMs: number): Promise<bigint> {
    const packet = await this.#exchange.ask(tracker, connectPacket, {
      timeoutMs,
      signal: this.#closing.signal,
    });
    const id = parseConnectReply(packet);
    const oldest = this.#ids.keys().next();
    if (this.#ids.size >= MAX_CONNECTION_IDS && !oldest.done) this.#ids.delete(oldest.value);
    this.#ids.set(key, { id, untilMs: this.#clock.nowMs() + CONNECTION_ID_MS });
    return id;
  }
}

/** A refusal of an announce that used a kept connection id: it may be the id that was refused. */
class StaleConnection extends Error {
  readonly refusal: TrackerError;

  constructor(refusal: TrackerError) {
    super(refusal.message);
    this.refusal = refusal;
  }
}
