// Raw HTTP servers on loopback that answer as the test says and count who came.

import { createServer, type Server, type Socket } from "node:net";

export interface HttpVictim extends AsyncDisposable {
  readonly port: number;
  /** Heads of the requests that came, whole ones. */
  readonly heads: string[];
  /** Connections, with or without a request. */
  readonly connections: () => number;
}

export async function httpVictim(
  answer: (socket: Socket, head: string) => void,
  host = "127.0.0.1",
): Promise<HttpVictim> {
  const heads: string[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const server: Server = createServer((socket) => {
    connections++;
    sockets.add(socket);
    let text = "";
    socket.on("error", () => socket.destroy());
    socket.on("close", () => sockets.delete(socket));
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
      if (!text.includes("\r\n\r\n")) return;
      heads.push(text);
      const head = text;
      text = "";
      answer(socket, head);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    port: address.port,
    heads,
    connections: () => connections,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Answers every request with this body. */
export function always(body: string | Uint8Array, headers = "", status = "200 OK") {
  return (socket: Socket) => {
    const bytes = Buffer.from(body);
    socket.write(`HTTP/1.1 ${status}\r\n${headers}Content-Length: ${bytes.length}\r\n\r\n`);
    socket.end(bytes);
  };
}

export function redirectTo(location: string) {
  return always("", `Location: ${location}\r\n`, "302 Found");
}

/** Sends `chunk` for as long as somebody takes it. */
export function endless(head: string, chunk: Uint8Array) {
  return (socket: Socket) => {
    socket.write(head);
    const pump = () => {
      while (!socket.destroyed && socket.write(chunk));
    };
    socket.on("drain", pump);
    pump();
  };
}
