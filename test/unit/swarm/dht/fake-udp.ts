import { addressKey, type PeerAddress } from "../../../../src/base/address.ts";
import type { UdpNet, UdpSocket } from "../../../../src/swarm/ports.ts";

/** UDP in memory: packets arrive in the same turn, in order, at whatever is bound; others vanish. */
export class FakeUdp implements UdpNet {
  readonly sent: { readonly from: PeerAddress; readonly to: PeerAddress; readonly bytes: Uint8Array }[] = [];
  readonly #bound = new Map<string, (bytes: Uint8Array, from: PeerAddress) => void>();
  #nextPort = 40_000;

  bind(
    options: { host: string; port: number },
    onPacket: (bytes: Uint8Array, from: PeerAddress) => void,
  ): Promise<UdpSocket> {
    const address = { host: options.host, port: options.port || this.#nextPort++ };
    this.#bound.set(addressKey(address), onPacket);
    return Promise.resolve({
      port: address.port,
      send: (bytes: Uint8Array, to: PeerAddress) => {
        this.sent.push({ from: address, to, bytes: bytes.slice() });
        const receiver = this.#bound.get(addressKey(to));
        if (receiver) queueMicrotask(() => receiver(bytes, address));
      },
      close: () => this.#bound.delete(addressKey(address)),
    });
  }

  /** A packet out of nowhere. */
  deliver(bytes: Uint8Array, from: PeerAddress, to: PeerAddress): void {
    this.#bound.get(addressKey(to))?.(bytes, from);
  }
}
