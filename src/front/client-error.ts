// What the HTTP parser refuses never becomes a request; its answer is written by hand, with the same headers and body
// as every other, and the connection ends.

import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { systemCodeOf } from "../base/errors.ts";
import { SECURITY_HEADERS } from "./security-headers.ts";

const STATUS_OF: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

export function answerUnparsed(error: Error, socket: Socket): void {
  if (systemCodeOf(error) === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const status = STATUS_OF[systemCodeOf(error) ?? ""] ?? 400;
  const reason = STATUS_CODES[status] ?? "Bad Request";
  const body = JSON.stringify({ error: { code: "bad_request", message: reason.toLowerCase() } });
  const headers = {
    ...SECURITY_HEADERS,
    "content-type": "application/json; charset=utf-8",
    "content-length": String(body.length),
    connection: "close",
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status} ${reason}\r\n${lines.join("")}\r\n${body}`);
}
