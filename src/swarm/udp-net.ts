// The real UDP network. UDP promises nothing, so nothing here throws into the caller: a packet that cannot be sent
// (no route, full buffer, refused earlier by ICMP) is a lost packet, and who needs an answer asks again.

import type { PeerAddress } from "../base/address.ts";
import { systemCodeOf } from "../base/errors.ts";
import type { UdpNet, UdpSocket } from "./ports.ts";

const SEND_TRIES = 4;
const MAPPED_V4 = /^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i;

export const bunUdpNet: UdpNet = {
  /** Rejects with the system's code (EADDRINUSE, EACCES …). `bytes` given to onPacket are valid during the call only. */
  async bind(options, onPacket) {
    const socket = await Bun.udpSocket({
      hostname: options.host,
      port: options.port,
      binaryType: "uint8array",
      socket: {
        data: (_, bytes, port, address) => onPacket(bytes, { host: address.replace(MAPPED_V4, ""), port }),
        // ICMP errors of earlier packets arrive here. There is no packet to tell them of any more.
        error: () => undefined,
      },
    });
    return new BunUdpSocket(socket);
  },
};

class BunUdpSocket implements UdpSocket {
  readonly port: number;
  readonly #socket: Bun.udp.Socket<"uint8array">;

  constructor(socket: Bun.udp.Socket<"uint8array">) {
    this.#socket = socket;
    this.port = socket.port;
  }

  send(bytes: Uint8Array, to: PeerAddress): void {
    // The kernel hands the ICMP error of an earlier packet to the next send, which then did not send: try again, or
    // one dead address would cost the packets to living ones.
    for (let tries = 0; tries < SEND_TRIES && !this.#socket.closed; tries++) {
      try {
        this.#socket.send(bytes, to.port, to.host);
        return;
      } catch (error) {
        if (systemCodeOf(error) === undefined) throw error;
      }
    }
  }

  close(): void {
    if (!this.#socket.closed) this.#socket.close();
  }
}
