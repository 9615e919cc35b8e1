// An HTTP client over a bare socket that reads as slowly as it is told, or goes away in the middle.

import { connect, type Socket } from "node:net";
import { parseAnswer, type RawAnswer } from "./api-client.ts";

export interface StreamRequest {
  readonly port: number;
  readonly path: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The client's own address. */
  readonly from?: string;
}

export function openStream(request: StreamRequest): Socket {
  const { port, path, method = "GET", headers = {}, from } = request;
  const socket = connect({ port, host: "127.0.0.1", ...(from === undefined ? {} : { localAddress: from }) });
  const lines = Object.entries({ host: "127.0.0.1", connection: "close", ...headers });
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  socket.write(`${method} ${path} HTTP/1.1\r\n${head}\r\n`);
  return socket;
}

/** Head and the first `bodyBytes` of the body (all of it where it is shorter); then the connection is dropped. */
export function readStart(request: StreamRequest, bodyBytes: number, withinMs = 15_000): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const socket = openStream(request);
    const parts: Buffer[] = [];
    const finish = (error?: Error) => {
      clearTimeout(timer);
      socket.destroy();
      if (error === undefined) resolve(parseAnswer(Buffer.concat(parts)));
      else reject(error);
    };
    const timer = setTimeout(
      () => finish(new Error(`${request.path}: no answer in ${withinMs} ms`)),
      withinMs,
    );
    socket.on("data", (part: Buffer) => {
      parts.push(part);
      const all = Buffer.concat(parts);
      const headEnd = all.indexOf("\r\n\r\n");
      if (headEnd >= 0 && all.length - headEnd - 4 >= bodyBytes && bodyBytes > 0) finish();
    });
    socket.on("close", () => finish());
    socket.on("error", finish);
  });
}

/** Hands the body's bytes over as they come; resolves with their count when the server closes. */
export function readBody(socket: Socket, take: (bytes: Buffer) => void): Promise<number> {
  return new Promise((resolve, reject) => {
    let head: Buffer | null = Buffer.alloc(0);
    let count = 0;
    socket.on("data", (part: Buffer) => {
      let bytes = part;
      if (head !== null) {
        head = Buffer.concat([head, part]);
        const end = head.indexOf("\r\n\r\n");
        if (end < 0) return;
        bytes = head.subarray(end + 4);
        head = null;
      }
      count += bytes.length;
      take(bytes);
    });
    socket.on("close", () => resolve(count));
    socket.on("error", reject);
  });
}
