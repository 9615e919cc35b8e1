// Peers' sockets without a network: hosts by IP in one process. What one end writes reaches the other in a later
// microtask, in order and copied; a paused end keeps what comes.

import { addressKey, type PeerAddress } from "../../src/base/address.ts";
import type { OpenSocket, PeerNet, SocketEvents } from "../../src/wire/index.ts";

export class MemoryNet {
  readonly #listeners = new Map<string, (socket: OpenSocket) => void>();
  readonly #sockets = new Set<MemorySocket>();
  #nextPort = 50_000;
  dials: PeerAddress[] = [];

  /** Ends of connections that are open. */
  get openSockets(): number {
    return this.#sockets.size;
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  /** The network as the host at `ip` sees it. */
  host(ip: string): PeerNet {
    return {
      dial: (address) => {
        this.dials.push(address);
        const onSocket = this.#listeners.get(addressKey(address));
        if (onSocket === undefined) return Promise.reject(new Error("connection refused"));
        const here = new MemorySocket(address, this.#sockets);
        const there = new MemorySocket({ host: ip, port: this.#nextPort++ }, this.#sockets);
        here.connect(there);
        onSocket(there);
        return Promise.resolve(here);
      },
      listen: ({ port }, onSocket) => {
        const bound = port === 0 ? this.#nextPort++ : port;
        const key = addressKey({ host: ip, port: bound });
        this.#listeners.set(key, onSocket);
        return Promise.resolve({ port: bound, close: () => void this.#listeners.delete(key) });
      },
    };
  }
}

class MemorySocket implements OpenSocket {
  readonly remote: PeerAddress;
  readonly #open: Set<MemorySocket>;
  #other: MemorySocket | null = null;
  #events: SocketEvents | null = null;
  #waiting: Uint8Array[] = [];
  #isPaused = true;
  #isClosed = false;
  #isEnded = false;

  constructor(remote: PeerAddress, open: Set<MemorySocket>) {
    this.remote = remote;
    this.#open = open;
    open.add(this);
  }

  connect(other: MemorySocket): void {
    this.#other = other;
    other.#other = this;
  }

  start(events: SocketEvents): void {
    this.#events = events;
    this.resume();
  }

  write(bytes: Uint8Array): number {
    const other = this.#other;
    if (this.#isClosed || other === null) return 0;
    other.#waiting.push(bytes.slice());
    queueMicrotask(() => other.#deliver());
    return bytes.length;
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    queueMicrotask(() => this.#deliver());
  }

  destroy(): void {
    const other = this.#other;
    this.#end();
    if (other === null) return;
    other.#isEnded = true;
    queueMicrotask(() => other.#deliver());
  }

  #deliver(): void {
    while (!this.#isPaused && !this.#isClosed) {
      const chunk = this.#waiting.shift();
      if (chunk === undefined) break;
      this.#events?.onData(chunk);
    }
    if (this.#isEnded && this.#waiting.length === 0) this.#end();
  }

  #end(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#open.delete(this);
    this.#events?.onClose(null);
  }
}
