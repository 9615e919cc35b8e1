// The socket that bittorrent-dht talks through: a dgram socket to the package, a guard in front of it. One packet of a
// stranger can make the package throw, answers nobody asked for enter its routing table, and its transactions can be
// guessed. So: packets are limited per host and rebuilt from checked fields (krpc.ts), answers must match a question
// by address and by a random transaction that is ours, what goes out is bounded, and a throw ends here.

import { EventEmitter } from "node:events";
import { addressKey, type PeerAddress } from "../../base/address.ts";
import type { Clock } from "../../base/clock.ts";
import { describeError } from "../../base/errors.ts";
import { toHex } from "../../base/hex.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Log } from "../../base/log.ts";
import { type Random, shuffled } from "../../base/random.ts";
import { TokenBucket } from "../../base/token-bucket.ts";
import {
  asBytes,
  asDict,
  asList,
  asText,
  type BencodeDict,
  type BencodeInput,
  decodeBencode,
  encodeBencode,
} from "../../metainfo/index.ts";
import type { UdpSocket } from "../ports.ts";
import { encodeUnknownMethod, type KrpcPacket, parseKrpc } from "./krpc.ts";
import { isNodeAddress } from "./node-address.ts";

const TRANSACTION_BYTES = 4;

interface Question {
  readonly to: string;
  /** The transaction that the package gave it. */
  readonly transaction: Uint8Array;
  readonly sentAtMs: number;
}

export interface GuardedSocketOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

export class GuardedSocket extends EventEmitter {
  readonly #options: GuardedSocketOptions;
  readonly #questions = new Map<string, Question>();
  /** In order of arrival; the oldest goes when there are too many. */
  readonly #hosts = new Map<string, TokenBucket>();
  /** Over all hosts, so that made-up source addresses cannot take the whole loop. */
  readonly #packets: TokenBucket;
  readonly #answers: TokenBucket;
  #udp: UdpSocket | null = null;
  #dropped = 0;

  constructor(options: GuardedSocketOptions) {
    super();
    this.#options = options;
    const nowMs = options.clock.nowMs();
    const { packetsPerSec, answerBytesPerSec } = LIMITS.dht;
    this.#packets = new TokenBucket({ ratePerSec: packetsPerSec, burst: packetsPerSec, nowMs });
    this.#answers = new TokenBucket({ ratePerSec: answerBytesPerSec, burst: 4 * answerBytesPerSec, nowMs });
  }

  /** Packets that were dropped as malformed, unasked for or too many. */
  get dropped(): number {
    return this.#dropped;
  }

  attach(udp: UdpSocket): void {
    this.#udp = udp;
  }

  /** A packet from the network. Never throws. */
  receive(bytes: Uint8Array, from: PeerAddress): void {
    if (this.#udp === null) return;
    const isAcceptable = bytes.length <= LIMITS.dht.packetBytes && isNodeAddress(from);
    const packet = isAcceptable && this.#isWithinRate(from.host) ? parseKrpc(bytes, from) : null;
    const checked = packet === null ? null : this.#admitted(packet, from);
    if (checked === null) {
      this.#dropped++;
      return;
    }
    try {
      const source = { address: from.host, family: "IPv4", port: from.port, size: checked.length };
      this.emit("message", Buffer.from(checked), source);
    } catch (error) {
      this.#options.log.warn("a DHT packet was not handled", { error: describeError(error) });
    }
  }

  /** The rebuilt packet for the package; null where it is answered or dropped here. */
  #admitted(packet: KrpcPacket, from: PeerAddress): Uint8Array | null {
    switch (packet.kind) {
      case "query":
        return packet.bytes;
      case "unknown_query":
        this.#sendAnswer(encodeUnknownMethod(packet.transaction), from);
        return null;
      case "reply": {
        const key = toHex(packet.transaction);
        const question = this.#questions.get(key);
        if (question?.to !== addressKey(from)) return null;
        this.#questions.delete(key);
        return packet.rebuilt(question.transaction);
      }
    }
  }

  #isWithinRate(host: string): boolean {
    const nowMs = this.#options.clock.nowMs();
    let bucket = this.#hosts.get(host);
    if (bucket === undefined) {
      const ratePerSec = LIMITS.dht.packetsPerSecPerHost;
      bucket = new TokenBucket({ ratePerSec, burst: 2 * ratePerSec, nowMs });
      this.#hosts.set(host, bucket);
      const [oldest] = this.#hosts.keys();
      if (this.#hosts.size > LIMITS.dht.hostsTracked && oldest !== undefined) this.#hosts.delete(oldest);
    }
    return bucket.tryTake(1, nowMs) && this.#packets.tryTake(1, nowMs);
  }

  // What follows is the part of dgram.Socket that the package calls.

  bind(): void {
    // Bound already; the package waits for the event, which must not come before bind returns.
    queueMicrotask(() => this.emit("listening"));
  }

  address(): { readonly address: string; readonly family: string; readonly port: number } {
    return { address: "0.0.0.0", family: "IPv4", port: this.#udp?.port ?? 0 };
  }

  send(buffer: Uint8Array, ...rest: [offset: number, length: number, port: number, host: string]): void {
    const [, , port, host] = rest;
    const to = { host, port };
    const message = asDict(decodeBencode(buffer));
    if (message === null || !isNodeAddress(to)) return;
    if (asText(message.get("y")) === "q") this.#udp?.send(this.#asQuestion(message, to), to);
    else this.#sendAnswer(encodeBencode(this.#asAnswer(message)), to);
  }

  close(): void {
    this.#udp?.close();
    this.#udp = null;
    this.#questions.clear();
    queueMicrotask(() => this.emit("close"));
  }

  #sendAnswer(bytes: Uint8Array, to: PeerAddress): void {
    if (this.#answers.tryTake(bytes.length, this.#options.clock.nowMs())) this.#udp?.send(bytes, to);
  }

  #asQuestion(message: BencodeDict, to: PeerAddress): Uint8Array {
    const nowMs = this.#options.clock.nowMs();
    for (const [key, question] of this.#questions) {
      const isOver = nowMs - question.sentAtMs > LIMITS.dht.questionMs;
      if (!isOver && this.#questions.size < LIMITS.dht.questions) break;
      this.#questions.delete(key);
    }
    const transaction = this.#options.random.bytes(TRANSACTION_BYTES);
    this.#questions.set(toHex(transaction), {
      to: addressKey(to),
      transaction: asBytes(message.get("t"))?.slice() ?? new Uint8Array(2),
      sentAtMs: nowMs,
    });
    return encodeBencode(
      new Map<string, BencodeInput>([...message, ["t", transaction]] as [string, BencodeInput][]),
    );
  }

  /** The package tells every peer it knows; a packet holds some, and a small question must not buy a large answer. */
  #asAnswer(message: BencodeDict): ReadonlyMap<string, BencodeInput> {
    const answer = asDict(message.get("r"));
    const values = asList(answer?.get("values"));
    if (answer === null || values === null || values.length <= LIMITS.dht.peersPerAnswer) {
      return message as ReadonlyMap<string, BencodeInput>;
    }
    const some = shuffled(values, this.#options.random).slice(0, LIMITS.dht.peersPerAnswer);
    return new Map([...message, ["r", new Map([...answer, ["values", some]])]] as [string, BencodeInput][]);
  }
}
