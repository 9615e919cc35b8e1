// Peers that bring nothing: some shake hands and say no more, some refuse the connection, some let it hang.

import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { PRIVATE_ADDRESS } from "../namespace.ts";
import { startProcess } from "../process.ts";
import type { PeerEnd } from "./actor.ts";

const HANDSHAKE_BYTES = 68;

export interface UselessPeers {
  readonly peers: readonly PeerEnd[];
  stop(): Promise<void>;
}

export interface IdlePeers extends UselessPeers {
  /** Handshakes that came so far. */
  readonly met: () => number;
}

/** They answer the handshake without any extension and never send another byte. */
export async function startIdlePeers(count: number, host = PRIVATE_ADDRESS): Promise<IdlePeers> {
  const sockets = new Set<Socket>();
  let met = 0;
  const servers = await Promise.all(
    Array.from({ length: count }, (_, index) =>
      listening(
        createServer((socket) => {
          sockets.add(socket);
          socket.on("error", () => socket.destroy());
          socket.on("close", () => sockets.delete(socket));
          answerHandshake(socket, index, () => met++);
        }),
        host,
      ),
    ),
  );
  return {
    peers: servers.map((server) => ({ host, port: portOf(server) })),
    met: () => met,
    async stop() {
      for (const socket of sockets) socket.destroy();
      await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
    },
  };
}

/** Calls `shaken` once the other side's handshake was answered with one for the same torrent. */
export function answerHandshake(socket: Socket, index: number, shaken: () => void): void {
  let head = Buffer.alloc(0);
  let isShaken = false;
  socket.on("data", (chunk: Buffer) => {
    if (isShaken) return;
    head = Buffer.concat([head, chunk]);
    if (head.length < HANDSHAKE_BYTES) return;
    isShaken = true;
    const peerId = Buffer.from(`-XX0001-${String(index).padStart(12, "0")}`);
    socket.write(Buffer.concat([head.subarray(0, 20), Buffer.alloc(8), head.subarray(28, 48), peerId]), () =>
      shaken(),
    );
  });
}

/** Ports on which nobody listens. */
export async function refusingPeers(count: number, host = PRIVATE_ADDRESS): Promise<readonly PeerEnd[]> {
  const servers = await Promise.all(Array.from({ length: count }, () => listening(createServer(), host)));
  const peers = servers.map((server) => ({ host, port: portOf(server) }));
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return peers;
}

/** Connections to them are never made and never refused. */
export async function startHangingPeers(count: number, host = PRIVATE_ADDRESS): Promise<UselessPeers> {
  const script = join(import.meta.dir, "silent_sockets.py");
  const child = startProcess(["/usr/bin/python3", script, host, String(count)]);
  const ports = JSON.parse(await child.waitForLine("[")) as number[];
  return {
    peers: ports.map((port) => ({ host, port })),
    stop: async () => void (await child.stop("SIGKILL")),
  };
}

export async function listening(server: Server, host: string): Promise<Server> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, host, resolve);
  });
  return server;
}

export function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
