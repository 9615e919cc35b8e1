// A UDP tracker (BEP 15) on loopback whose answers a test writes.

export interface UdpRequest {
  readonly action: number;
  readonly transactionId: number;
  readonly connectionId: bigint;
  readonly bytes: Buffer;
}

export interface UdpTrackerServer extends Disposable {
  readonly port: number;
  readonly requests: UdpRequest[];
}

/** `answer` returns the packets to send back. */
export async function udpTrackerServer(
  answer: (request: UdpRequest, count: number) => readonly Uint8Array[],
  host = "127.0.0.1",
): Promise<UdpTrackerServer> {
  const requests: UdpRequest[] = [];
  const socket = await Bun.udpSocket({
    hostname: host,
    port: 0,
    socket: {
      data(own, data, port, address) {
        const bytes = Buffer.from(data);
        const request = {
          connectionId: bytes.readBigUInt64BE(0),
          action: bytes.readUInt32BE(8),
          transactionId: bytes.readUInt32BE(12),
          bytes,
        };
        requests.push(request);
        for (const packet of answer(request, requests.length)) own.send(packet, port, address);
      },
    },
  });
  return { port: socket.port, requests, [Symbol.dispose]: () => socket.close() };
}

export function connectReply({ transactionId }: UdpRequest, connectionId = 0x1122334455667788n): Uint8Array {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt32BE(0, 0);
  bytes.writeUInt32BE(transactionId, 4);
  bytes.writeBigUInt64BE(connectionId, 8);
  return bytes;
}

export function announceReply(
  { transactionId }: UdpRequest,
  { intervalSec = 1800, leechers = 1, seeders = 2, peers = [] as number[] } = {},
): Uint8Array {
  const bytes = Buffer.alloc(20);
  bytes.writeUInt32BE(1, 0);
  bytes.writeUInt32BE(transactionId, 4);
  bytes.writeInt32BE(intervalSec | 0, 8);
  bytes.writeInt32BE(leechers, 12);
  bytes.writeInt32BE(seeders, 16);
  return Buffer.concat([bytes, Buffer.from(peers)]);
}

export function errorReply({ transactionId }: UdpRequest, message: string): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32BE(3, 0);
  bytes.writeUInt32BE(transactionId, 4);
  return Buffer.concat([bytes, Buffer.from(message)]);
}
