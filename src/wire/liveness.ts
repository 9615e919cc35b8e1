// The clock side of one connection: the absolute limit on the handshake, our keep-alives, the peer that fell silent,
// the peer that does not read what it is sent. Owns its timers; `close` ends them.

import type { Clock, Timer } from "../base/clock.ts";
import { LIMITS } from "../base/limits.ts";
import { PeerFault } from "../base/peer-fault.ts";

export interface LivenessHooks {
  onFault(fault: PeerFault): void;
  onKeepAliveDue(): void;
  /** More is waiting to be sent than should be. */
  isOverfull(): boolean;
}

const CHECK_EVERY_MS = 5_000;

export class Liveness {
  readonly #clock: Clock;
  readonly #hooks: LivenessHooks;
  readonly #handshakeTimer: Timer;
  readonly #checkTimer: Timer;
  #heardAtMs: number;
  #saidAtMs: number;
  #overfullSinceMs: number | null = null;
  #isListening = true;
  #isEstablished = false;

  constructor(clock: Clock, hooks: LivenessHooks) {
    this.#clock = clock;
    this.#hooks = hooks;
    this.#heardAtMs = clock.nowMs();
    this.#saidAtMs = this.#heardAtMs;
    this.#handshakeTimer = clock.after(LIMITS.peer.handshakeMs, () =>
      hooks.onFault(new PeerFault("handshake_timeout", `no handshake after ${LIMITS.peer.handshakeMs} ms`)),
    );
    this.#checkTimer = clock.every(CHECK_EVERY_MS, () => this.#check());
  }

  heard(): void {
    this.#heardAtMs = this.#clock.nowMs();
  }

  said(): void {
    this.#saidAtMs = this.#clock.nowMs();
  }

  /** The remote handshake is here. */
  established(): void {
    this.#isEstablished = true;
    this.#handshakeTimer.cancel();
  }

  /** While we do not read, the peer's silence is ours. */
  setListening(isListening: boolean): void {
    if (isListening && !this.#isListening) this.heard();
    this.#isListening = isListening;
  }

  close(): void {
    this.#handshakeTimer.cancel();
    this.#checkTimer.cancel();
  }

  #check(): void {
    const nowMs = this.#clock.nowMs();
    if (this.#isListening && nowMs - this.#heardAtMs >= LIMITS.peer.idleMs) {
      this.#hooks.onFault(new PeerFault("silent", `nothing for ${LIMITS.peer.idleMs} ms`));
    } else if (this.#isStuck(nowMs)) {
      this.#hooks.onFault(new PeerFault("send_queue_full", `unread for ${LIMITS.peer.outQueueStuckMs} ms`));
    } else if (this.#isEstablished && nowMs - this.#saidAtMs >= LIMITS.peer.keepAliveMs) {
      this.#hooks.onKeepAliveDue();
    }
  }

  #isStuck(nowMs: number): boolean {
    if (!this.#hooks.isOverfull()) this.#overfullSinceMs = null;
    else this.#overfullSinceMs ??= nowMs;
    return this.#overfullSinceMs !== null && nowMs - this.#overfullSinceMs >= LIMITS.peer.outQueueStuckMs;
  }
}
