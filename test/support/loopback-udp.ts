// Real UDP sockets for tests of UDP protocols.

import type { PeerAddress } from "../../src/base/address.ts";
import type { UdpNet } from "../../src/swarm/ports.ts";

export const loopbackUdp: UdpNet = {
  async bind({ host, port }, onPacket) {
    const socket = await Bun.udpSocket({
      hostname: host,
      port,
      socket: {
        data: (_socket, data, fromPort, fromHost) =>
          onPacket(new Uint8Array(data), { host: fromHost, port: fromPort }),
      },
    });
    return {
      port: socket.port,
      send: (bytes: Uint8Array, to: PeerAddress) => {
        socket.send(bytes, to.port, to.host);
      },
      close: () => socket.close(),
    };
  },
};
