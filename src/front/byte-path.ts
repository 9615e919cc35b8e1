// GET|HEAD /api/stream/{id}/{file}: the bytes of a file, complete or not, by one set of rules. The length in the
// headers is always exact. Whatever ends an answer (the last byte, the client, a fault) closes its reader at once.

import type { ServerResponse } from "node:http";
import type { ByteRange } from "../base/byte-range.ts";
import type { Clock } from "../base/clock.ts";
import { TorrxError } from "../base/errors.ts";
import type { AccessService, Principal } from "../services/access/index.ts";
import type { StreamsService, StreamTarget } from "../services/ports.ts";
import type { ReaderRequest } from "../stream/ports.ts";
import { type ByteBody, FileBody } from "./byte-body.ts";
import type { ChunkBuffers } from "./chunk-buffers.ts";
import { Ending } from "./ending.ts";
import type { FileHeaders } from "./file-headers.ts";
import { counted } from "./loopback.ts";
import type { OpenFiles } from "./open-files.ts";
import { isRangeCurrent, judgePreconditions } from "./preconditions.ts";
import { isGone, pump } from "./pump.ts";
import { answerRange } from "./range.ts";
import type { Exchange } from "./reply.ts";
import type { StreamLimits } from "./stream-limits.ts";
import type { FileTarget } from "./target.ts";

/** Opens the reader of a file that is not complete; `signal` is the client's going away. */
export type OpenBody = (options: {
  target: StreamTarget;
  request: ReaderRequest;
  signal: AbortSignal;
}) => ByteBody | Promise<ByteBody>;

export interface BytePathOptions {
  /** A link that is revoked ends what it has opened. */
  readonly access: Pick<AccessService, "onRevoked">;
  readonly streams: StreamsService;
  readonly limits: StreamLimits;
  readonly files: OpenFiles;
  readonly buffers: ChunkBuffers;
  readonly openBody: OpenBody;
  readonly fileHeaders: FileHeaders;
  readonly clock: Clock;
}

export interface BytesAsked extends FileTarget {
  readonly principal: Principal;
  readonly clientAddress: string;
}

/** Headers wait for the first byte, whose failure may still change the status; after this long they go out alone. */
const HEADERS_WAIT_MS = 5_000;

export async function serveBytes(
  exchange: Exchange,
  asked: BytesAsked,
  options: BytePathOptions,
): Promise<void> {
  const { request, response } = exchange;
  const target = options.streams.resolve(asked.torrent, asked.file);
  options.fileHeaders.set(response, target);
  const verdict = judgePreconditions(request.headers, target);
  if (verdict !== "go") return replyEmpty(response, verdict === "failed" ? 412 : 304);
  const range = chooseRange(exchange, target);
  if (request.method === "HEAD" || range.start === range.end) {
    response.end();
    return;
  }
  await sendRange(response, { asked, target, range }, options);
}

function replyEmpty(response: ServerResponse, status: number): void {
  response.statusCode = status;
  if (status === 304) {
    response.removeHeader("content-type");
    response.removeHeader("content-disposition");
  } else response.setHeader("content-length", "0");
  response.end();
}

/** Sets status and length. Throws range_not_satisfiable. */
function chooseRange({ request, response }: Exchange, target: StreamTarget): ByteRange {
  const { lengthBytes } = target;
  const header = isRangeCurrent(request.headers, target) ? request.headers.range : undefined;
  const answer = answerRange(header, lengthBytes);
  if (answer.kind === "unsatisfiable") {
    response.setHeader("content-range", `bytes */${lengthBytes}`);
    throw new TorrxError("range_not_satisfiable", "the range starts past the end of the file");
  }
  const range = answer.kind === "part" ? answer.range : { start: 0, end: lengthBytes };
  if (answer.kind === "part") {
    response.statusCode = 206;
    response.setHeader("content-range", `bytes ${range.start}-${range.end - 1}/${lengthBytes}`);
  }
  response.setHeader("content-length", String(range.end - range.start));
  return range;
}

interface Sending {
  readonly asked: BytesAsked;
  readonly target: StreamTarget;
  readonly range: ByteRange;
}

async function sendRange(
  response: ServerResponse,
  sending: Sending,
  options: BytePathOptions,
): Promise<void> {
  const { asked } = sending;
  const leave = options.limits.take({ ...asked, ...readerOf(asked) });
  const ending = new Ending();
  let body: ByteBody | null = null;
  // Not left to the pump: while a piece is waited for nothing is written, and only this tells of the client's end.
  const onClose = () => {
    ending.end();
    body?.close();
    leave();
  };
  response.on("close", onClose);
  // The socket, because an answer without headers yet does not end it.
  const stopListening = onWithdrawn(asked.principal, options.access, () => response.req.socket.destroy());
  try {
    if (isGone(response)) return;
    const opened = await openBody(sending, ending, options);
    body = opened.body;
    // ffmpeg keeps the connection that it seeks away from until the new one answers, and would have us fetch for both.
    if (asked.principal.kind === "loopback" && opened.first === null) response.flushHeaders();
    const first = opened.first ?? (await firstChunk(body, response, options.clock));
    await pump(body, response, { first, lengthBytes: sending.range.end - sending.range.start });
  } catch (error) {
    // A reader that is closed under its own wait may say so; nobody is left to be told.
    if (!ending.isOver) throw error;
  } finally {
    stopListening();
    response.off("close", onClose);
    onClose();
  }
}

/** Who reads: for a program of ours, the viewer whom it reads for. */
function readerOf({ principal, clientAddress }: BytesAsked): { viewer: string; clientAddress: string } {
  const { viewer } = principal;
  return {
    viewer,
    clientAddress: principal.kind === "loopback" ? principal.grant.clientAddress : clientAddress,
  };
}

/** Calls `cut` when the right to read ends before the reading does. The result stops it. */
function onWithdrawn(principal: Principal, access: BytePathOptions["access"], cut: () => void): () => void {
  switch (principal.kind) {
    case "link":
      return access.onRevoked(cut);
    case "loopback":
      return principal.grant.onEnd(cut);
    case "user":
      return () => undefined;
  }
}

/** `first` are bytes that needed no waiting for. */
interface OpenedBody {
  readonly body: ByteBody;
  readonly first: Uint8Array | null;
}

async function openBody(sending: Sending, ending: Ending, options: BytePathOptions): Promise<OpenedBody> {
  const { asked, target, range } = sending;
  const { principal } = asked;
  if (principal.kind === "loopback") principal.grant.reads(range.start);
  const told = (body: ByteBody) => (principal.kind === "loopback" ? counted(body, principal.grant) : body);
  if (target.isComplete) {
    const body = new FileBody(await options.files.join(target), range, options.buffers);
    return { body: told(body), first: body.tryFirst() };
  }
  const request: ReaderRequest = {
    torrent: target.torrent,
    file: target.file,
    ...readerOf(asked),
    startBytes: range.start,
    endBytes: range.end,
  };
  return { body: told(await options.openBody({ target, request, signal: ending.signal })), first: null };
}

async function firstChunk(
  body: ByteBody,
  response: ServerResponse,
  clock: Clock,
): Promise<Uint8Array | null> {
  const timer = clock.after(HEADERS_WAIT_MS, () => {
    if (!isGone(response)) response.flushHeaders();
  });
  try {
    return await body.next();
  } finally {
    timer.cancel();
  }
}
