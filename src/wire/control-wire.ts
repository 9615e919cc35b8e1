// bittorrent-protocol's Wire as TorrX uses it: through its public API, for control frames alone. It encodes and
// decodes the handshake and the small messages and keeps the choke and interest states; payload, requests, and the
// bencode of extended messages never reach it (ENGINE §0.7, RUNTIME §3).
// Threading: Wire is a stream and acts on what it is given in the microtask that follows. Behind each frame a
// keep-alive is written; when Wire reports that one, it has dealt with the frame, and `onDigested` says so.

import Wire from "bittorrent-protocol";
import { fromHex } from "../base/hex.ts";
import { localFields } from "./extended-handshake.ts";
import type { LocalIdentity, RemoteHandshake } from "./ports.ts";

export interface ControlEvents {
  onHandshake(infoHash: string, remote: RemoteHandshake): void;
  onChoke(): void;
  onUnchoke(): void;
  onInterested(): void;
  onNotInterested(): void;
  onHave(piece: number): void;
  onBitfield(bits: Uint8Array): void;
  onHaveAll(): void;
  onHaveNone(): void;
  onAllowedFast(piece: number): void;
  onDhtPort(port: number): void;
  /** The last frame given to `receive` has taken effect. */
  onDigested(): void;
  /** Anything that any of the above threw, or that Wire itself complained about. */
  onError(error: unknown): void;
}

const KEEP_ALIVE = new Uint8Array(4);

export class ControlWire {
  readonly #wire: Wire;
  readonly #events: ControlEvents;
  readonly #send: (bytes: Uint8Array) => void;
  /** Fulfilled once what is sent comes out at once; before, it would come out later. */
  readonly opened: Promise<void>;

  /** `send` gets bytes for the socket, in order; they are its to copy. */
  constructor(isIncoming: boolean, events: ControlEvents, send: (bytes: Uint8Array) => void) {
    const wire = new Wire(isIncoming ? "tcpIncoming" : "tcpOutgoing");
    this.#wire = wire;
    this.#events = events;
    this.#send = send;
    this.opened = new Promise((resolve) => wire.on("open", resolve));
    this.#listen();
    wire.read();
  }

  /** Takes one whole, checked frame, or the handshake. */
  receive(frame: Uint8Array): void {
    this.#wire.write(frame);
    this.#wire.write(KEEP_ALIVE);
  }

  /** Our handshake; the extended one follows by itself once the peer has said that it takes one. */
  handshake(identity: LocalIdentity, remoteHost: string): void {
    for (const name of identity.extensions) this.#wire.use(extensionNamed(name));
    this.#wire.extendedHandshake = localFields(identity, remoteHost);
    const flags = { dht: identity.hasDht, fast: true };
    this.#wire.handshake(fromHex(identity.infoHash), identity.peerId, flags);
    this.drain();
  }

  /** Runs one of Wire's own senders and passes on what it said. */
  say(send: (wire: Wire) => void): void {
    send(this.#wire);
    this.drain();
  }

  /** Passes on what Wire has said by itself; true when there was any. */
  drain(): boolean {
    let bytes = this.#wire.read();
    const hasAny = bytes !== null;
    for (; bytes !== null; bytes = this.#wire.read()) this.#send(bytes);
    return hasAny;
  }

  close(): void {
    this.#wire.destroy();
  }

  #listen(): void {
    const wire = this.#wire;
    const events = this.#events;
    wire.on("error", (error) => events.onError(error));
    wire.on("handshake", (infoHash, peerId, flags) =>
      this.#guarded(() => events.onHandshake(infoHash, remoteHandshake(peerId, flags))),
    );
    wire.on("choke", () => this.#guarded(() => events.onChoke()));
    wire.on("unchoke", () => this.#guarded(() => events.onUnchoke()));
    wire.on("interested", () => this.#guarded(() => events.onInterested()));
    wire.on("uninterested", () => this.#guarded(() => events.onNotInterested()));
    wire.on("have", (piece) => this.#guarded(() => events.onHave(piece)));
    wire.on("bitfield", (bits) => this.#guarded(() => events.onBitfield(bits.buffer)));
    wire.on("have-all", () => this.#guarded(() => events.onHaveAll()));
    wire.on("have-none", () => this.#guarded(() => events.onHaveNone()));
    wire.on("allowed-fast", (piece) => this.#guarded(() => events.onAllowedFast(piece)));
    wire.on("port", (port) => this.#guarded(() => events.onDhtPort(port)));
    wire.on("keep-alive", () => this.#guarded(() => events.onDigested()));
  }

  /** Wire's events run in a microtask of its own: a throw from one would end the process, not the peer. */
  #guarded(event: () => void): void {
    try {
      event();
    } catch (error) {
      this.#events.onError(error);
    }
  }
}

function remoteHandshake(
  peerId: string,
  flags: { dht: boolean; fast: boolean; extended: boolean },
): RemoteHandshake {
  return {
    peerId: fromHex(peerId),
    hasFast: flags.fast,
    hasExtended: flags.extended,
    hasDht: flags.dht,
  };
}

/** Wire takes an extension as a class with a name; the messages themselves do not pass through it. */
function extensionNamed(name: string) {
  class Extension {
    declare readonly name: string;
  }
  Object.defineProperty(Extension.prototype, "name", { value: name });
  return Extension;
}
