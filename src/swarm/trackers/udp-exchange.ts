// Questions and answers over UDP: one socket per address family, bound when first needed, and a table of questions
// by transaction id. An answer counts only from the address that was asked.

import { addressKey, type PeerAddress } from "../../base/address.ts";
import type { Clock } from "../../base/clock.ts";
import type { Random } from "../../base/random.ts";
import { EgressError } from "../egress/egress-error.ts";
import { canonicalIp } from "../egress/ip-literal.ts";
import { withTimeLimit } from "../egress/time-limit.ts";
import type { UdpNet, UdpSocket } from "../ports.ts";
import { transactionOf } from "./udp-packets.ts";

interface Question {
  readonly askedKey: string;
  answer(packet: Uint8Array): void;
}

type Family = "v4" | "v6";

export class UdpExchange {
  readonly #udp: UdpNet;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #sockets = new Map<Family, Promise<UdpSocket>>();
  readonly #questions = new Map<number, Question>();
  #isClosed = false;

  constructor(deps: { udp: UdpNet; clock: Clock; random: Random }) {
    this.#udp = deps.udp;
    this.#clock = deps.clock;
    this.#random = deps.random;
  }

  /** Sends once and waits for the answer. Throws EgressError timed_out, aborted or connect_failed. */
  ask(
    to: PeerAddress,
    packet: (transactionId: number) => Uint8Array,
    { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal },
  ): Promise<Uint8Array> {
    return withTimeLimit({ clock: this.#clock, timeoutMs, signal }, async (inner) => {
      const socket = await this.#socketFor(to);
      if (inner.aborted) throw new EgressError("aborted", "stopped");
      const { promise, resolve } = Promise.withResolvers<Uint8Array>();
      const transactionId = this.#open({ askedKey: addressKey(to), answer: resolve });
      const forget = () => this.#questions.delete(transactionId);
      inner.addEventListener("abort", forget, { once: true });
      try {
        socket.send(packet(transactionId), to);
      } catch (error) {
        forget();
        throw new EgressError("connect_failed", "could not send", error);
      }
      return promise;
    });
  }

  /** Closes the sockets; questions still open run into their time limits. */
  close(): void {
    this.#isClosed = true;
    this.#questions.clear();
    for (const socket of this.#sockets.values()) {
      socket.then(
        (bound) => bound.close(),
        () => undefined, // never bound: nothing to close, and whoever asked was told
      );
    }
    this.#sockets.clear();
  }

  #open(question: Question): number {
    for (;;) {
      const transactionId = new DataView(this.#random.bytes(4).buffer).getUint32(0);
      if (this.#questions.has(transactionId)) continue;
      this.#questions.set(transactionId, question);
      return transactionId;
    }
  }

  async #socketFor(to: PeerAddress): Promise<UdpSocket> {
    if (this.#isClosed) throw new EgressError("aborted", "stopped");
    const family: Family = to.host.includes(":") ? "v6" : "v4";
    const host = family === "v6" ? "::" : "0.0.0.0";
    const bound =
      this.#sockets.get(family) ??
      this.#udp.bind({ host, port: 0 }, (packet, from) => this.#receive(packet, from));
    this.#sockets.set(family, bound);
    try {
      return await bound;
    } catch (error) {
      // The next question tries again: the machine may have got an address of this family by then.
      this.#sockets.delete(family);
      throw new EgressError("connect_failed", `no UDP socket for IP${family}`, error);
    }
  }

  #receive(packet: Uint8Array, from: PeerAddress): void {
    const transactionId = transactionOf(packet);
    const question = transactionId === null ? undefined : this.#questions.get(transactionId);
    if (transactionId === null || question === undefined) return;
    const host = canonicalIp(from.host);
    if (host === null || addressKey({ host, port: from.port }) !== question.askedKey) return;
    this.#questions.delete(transactionId);
    question.answer(packet.slice());
  }
}
