// Ports for programs that cannot be told "any free one". What TorrX itself opens gets port 0 instead.

import { createServer } from "node:net";

/** A TCP port of `host` that nobody has at this moment (UDP is checked as well, clients use both). */
export async function freePort(host = "127.0.0.1"): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const port = await freeTcpPort(host);
    if (await isUdpFree(host, port)) return port;
  }
  throw new Error(`no port of ${host} is free for TCP and UDP`);
}

async function freeTcpPort(host: string): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const server = createServer();
  server.once("error", reject);
  server.listen(0, host, () => {
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    server.close(() => resolve(port));
  });
  return await promise;
}

async function isUdpFree(host: string, port: number): Promise<boolean> {
  try {
    const socket = await Bun.udpSocket({ hostname: host, port });
    socket.close();
    return true;
  } catch (error) {
    if ((error as { code?: string }).code === "EADDRINUSE") return false;
    throw error;
  }
}
