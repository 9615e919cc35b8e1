// PeerNet over Bun's TCP sockets (RUNTIME §3): a write takes what fits and buffers nothing, and a socket is paused
// until someone listens. Invariants: nothing throws out of a socket callback; onClose comes exactly once, last.
// Bun cannot cancel a connect that is under way: one that was given up lives on in the kernel until that gives up
// too, so their number is bounded here.

import type { PeerAddress } from "../base/address.ts";
import { type Clock, systemClock } from "../base/clock.ts";
import { describeError, TorrxError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { OpenSocket, PeerListener, PeerNet, SocketEvents } from "./ports.ts";

type RawSocket = Bun.Socket<BunPeerSocket | null>;

const MAPPED_V4 = /^::ffff:(?=\d+\.)/i;

class BunPeerSocket implements OpenSocket {
  readonly remote: PeerAddress;
  readonly #raw: RawSocket;
  #events: SocketEvents | null = null;
  #isClosed = false;
  #isPaused = false;
  #closeError: Error | null = null;

  constructor(raw: RawSocket) {
    this.#raw = raw;
    this.remote = { host: raw.remoteAddress.replace(MAPPED_V4, ""), port: raw.remotePort };
    raw.data = this;
    raw.pause();
  }

  start(events: SocketEvents): void {
    this.#events = events;
    if (this.#isClosed) this.#tellClosed();
    else if (!this.#isPaused) this.#raw.resume();
  }

  write(bytes: Uint8Array): number {
    return this.#isClosed ? 0 : Math.max(0, this.#raw.write(bytes));
  }

  pause(): void {
    this.#isPaused = true;
    if (!this.#isClosed) this.#raw.pause();
  }

  resume(): void {
    this.#isPaused = false;
    if (!this.#isClosed && this.#events !== null) this.#raw.resume();
  }

  destroy(): void {
    if (!this.#isClosed) this.#raw.terminate();
  }

  received(chunk: Uint8Array): void {
    this.#guarded((events) => events.onData(chunk));
  }

  drained(): void {
    this.#guarded((events) => events.onDrain());
  }

  closed(error: Error | null): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#closeError ??= error;
    this.#tellClosed();
  }

  #tellClosed(): void {
    const events = this.#events;
    this.#events = null;
    events?.onClose(this.#closeError);
  }

  /** A listener that throws ends its own socket; the error goes to its onClose. */
  #guarded(event: (events: SocketEvents) => void): void {
    if (this.#isClosed || this.#events === null) return;
    try {
      event(this.#events);
    } catch (error) {
      this.#closeError = error instanceof Error ? error : new Error(describeError(error));
      this.#raw.terminate();
    }
  }
}

/** The handlers that a dialled and an accepted socket share. */
const SOCKET_HANDLERS = {
  data: (raw: RawSocket, chunk: Uint8Array) => raw.data?.received(chunk),
  drain: (raw: RawSocket) => raw.data?.drained(),
  close: (raw: RawSocket, error?: Error) => raw.data?.closed(error ?? null),
  error: (raw: RawSocket, error: Error) => {
    raw.data?.closed(error);
    raw.terminate();
  },
};

export function createBunPeerNet(clock: Clock): PeerNet {
  let abandoned = 0;
  return {
    async dial(address, { timeoutMs, signal }) {
      if (signal.aborted) throw new Error("dial aborted");
      if (abandoned >= LIMITS.peer.abandonedDials)
        throw new Error("too many connects given up and not yet over");
      const attempt = new DialAttempt(address);
      try {
        return await attempt.within(clock, timeoutMs, signal);
      } catch (error) {
        if (attempt.isPending) {
          abandoned++;
          attempt.whenOver(() => abandoned--);
        }
        throw error;
      }
    },
    listen: (options, onSocket) => Promise.resolve().then(() => listen(options, onSocket)),
  };
}

/** The machine's network. */
export const bunPeerNet: PeerNet = createBunPeerNet(systemClock);

class DialAttempt {
  readonly #connecting: Promise<BunPeerSocket>;
  #isAbandoned = false;
  isPending = true;

  constructor({ host, port }: PeerAddress) {
    this.#connecting = Bun.connect<BunPeerSocket | null>({
      hostname: host,
      port,
      data: null,
      socket: {
        ...SOCKET_HANDLERS,
        open: (raw) => {
          new BunPeerSocket(raw);
          if (this.#isAbandoned) raw.terminate();
        },
      },
    }).then((raw) => raw.data ?? new BunPeerSocket(raw));
    this.whenOver(() => {
      this.isPending = false;
    });
  }

  /** The socket, or a rejection when it takes too long or is given up. */
  within(clock: Clock, timeoutMs: number, signal: AbortSignal): Promise<OpenSocket> {
    return new Promise((resolve, reject) => {
      const giveUp = (why: string) => {
        this.#isAbandoned = true;
        reject(new Error(why));
      };
      const onAbort = () => giveUp("dial aborted");
      const timer = clock.after(timeoutMs, () => giveUp(`no connection within ${timeoutMs} ms`));
      signal.addEventListener("abort", onAbort, { once: true });
      this.#connecting.then(resolve, reject);
      this.whenOver(() => {
        timer.cancel();
        signal.removeEventListener("abort", onAbort);
      });
    });
  }

  /** Runs `task` when the kernel has decided, however that was. */
  whenOver(task: () => void): void {
    this.#connecting.then(task, task);
  }
}

function listen(
  { host, port }: { host: string; port: number },
  onSocket: (socket: OpenSocket) => void,
): PeerListener {
  try {
    const listener = Bun.listen<BunPeerSocket | null>({
      hostname: host,
      port,
      data: null,
      socket: { ...SOCKET_HANDLERS, open: (raw) => accept(raw, onSocket) },
    });
    return { port: listener.port, close: () => listener.stop(false) };
  } catch (error) {
    const why = `cannot listen for peers on ${host} port ${port}: ${describeError(error)}`;
    throw new TorrxError("start_failed", why, { cause: error });
  }
}

function accept(raw: RawSocket, onSocket: (socket: OpenSocket) => void): void {
  const socket = new BunPeerSocket(raw);
  try {
    onSocket(socket);
  } catch (error) {
    socket.closed(error instanceof Error ? error : new Error(describeError(error)));
    raw.terminate();
  }
}
