// An HTTP client that hides nothing: raw bytes out, the whole answer in. What fetch would repair or refuse can be sent.

import { connect } from "node:net";

export function basicHeader(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

export interface RawAnswer {
  readonly status: number;
  /** Lower-case names; repeated ones joined by ", ". */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
  /** The bytes as they came. */
  readonly raw: Buffer;
}

/** Sends `text` and reads until the server closes; add "Connection: close" to get there. */
export function sendRaw(port: number, text: string | Buffer, timeoutMs = 8_000): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    const socket = connect(port, "127.0.0.1");
    const timer = setTimeout(() => {
      socket.destroy();
      reject(
        new Error(
          `no end of the answer after ${timeoutMs} ms: ${Buffer.concat(parts).toString("latin1", 0, 400)}`,
        ),
      );
    }, timeoutMs);
    socket.on("data", (part: Buffer) => parts.push(part));
    // A reset after the answer is the server's way to end an upload; what came before it counts.
    socket.on("error", () => undefined);
    socket.on("close", () => {
      clearTimeout(timer);
      resolve(parseAnswer(Buffer.concat(parts)));
    });
    socket.write(text);
  });
}

export function parseAnswer(raw: Buffer): RawAnswer {
  const end = raw.indexOf("\r\n\r\n");
  const lines = raw.toString("latin1", 0, end < 0 ? raw.length : end).split("\r\n");
  const headers = new Map<string, string>();
  for (const line of lines.slice(1)) {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    headers.set(name, headers.has(name) ? `${headers.get(name)}, ${value}` : value);
  }
  const body = end < 0 ? Buffer.alloc(0) : raw.subarray(end + 4);
  const isChunked = headers.get("transfer-encoding") === "chunked";
  return {
    status: Number(lines[0]?.split(" ")[1] ?? 0),
    headers,
    body: isChunked ? dechunk(body) : body,
    raw,
  };
}

function dechunk(body: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < body.length; ) {
    const lineEnd = body.indexOf("\r\n", at);
    const size = Number.parseInt(body.toString("latin1", at, lineEnd), 16);
    if (!(size > 0)) break;
    parts.push(body.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = lineEnd + 4 + size;
  }
  return Buffer.concat(parts);
}

export interface SendOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

/** One request on a connection of its own. Host is localhost unless told. */
export function send(port: number, path: string, options: SendOptions = {}): Promise<RawAnswer> {
  const body = options.body === undefined ? null : Buffer.from(options.body);
  const headers: Record<string, string> = { host: "localhost", connection: "close", ...options.headers };
  if (body !== null) headers["content-length"] = String(body.length);
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const text = `${options.method ?? "GET"} ${path} HTTP/1.1\r\n${head.join("")}\r\n`;
  return sendRaw(port, body === null ? text : Buffer.concat([Buffer.from(text), body]));
}
