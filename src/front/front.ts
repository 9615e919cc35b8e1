// The one public port: node:http with the guards in front of everything, in the order of QUALITY B2: size and time
// limits (the parser's and ours) → Host → cross-site → login limits and authentication → the byte path, or the app.
// Invariant: nothing is dispatched without a verified principal but what Target calls open.

import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Clock } from "../base/clock.ts";
import { describeError, systemCodeOf, TorrxError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { Log } from "../base/log.ts";
import type { AccessService, Principal } from "../services/access/index.ts";
import type { StreamsService } from "../services/ports.ts";
import { type App, bridge } from "./app-bridge.ts";
import { authenticate, type Proof, tryLink } from "./authenticate.ts";
import { type BytePathOptions, type OpenBody, serveBytes } from "./byte-path.ts";
import { ChunkBuffers } from "./chunk-buffers.ts";
import { answerUnparsed } from "./client-error.ts";
import { Connections } from "./connections.ts";
import { Ending } from "./ending.ts";
import { FileHeaders } from "./file-headers.ts";
import { checkHost } from "./host-guard.ts";
import { type LoopbackGrants, ownOrigin, tryLoopback } from "./loopback.ts";
import { type CachedRead, OpenFiles } from "./open-files.ts";
import { isGone, turnOf } from "./pump.ts";
import { type Exchange, replyFailure } from "./reply.ts";
import { securityHeaders } from "./security-headers.ts";
import { checkSite } from "./site-guard.ts";
import { StreamLimits } from "./stream-limits.ts";
import { type FileTarget, parseTarget, type Target } from "./target.ts";

export interface FrontOptions {
  readonly host: string;
  /** 0 = any free one. */
  readonly port: number;
  readonly allowedHosts: readonly string[];
  readonly access: AccessService;
  readonly streams: StreamsService;
  readonly app: App;
  readonly openBody: OpenBody;
  /** Whether a request for a file gets its bytes or an HLS playlist, which the app answers. Throws validation. */
  readonly chooseDelivery: (asked: DeliveryAsked) => "bytes" | "hls";
  readonly loopback: LoopbackGrants;
  readonly readCached: CachedRead;
  /** The media type by a file's name; application/octet-stream for what is no media. */
  readonly contentTypeOf: (name: string) => string;
  readonly clock: Clock;
  readonly log: Log;
}

export interface DeliveryAsked extends FileTarget {
  /** ?mode= */
  readonly mode: string | null;
  readonly userAgent: string | null;
  readonly accept: string | null;
}

export interface Listening {
  readonly port: number;
  /** Scheme, host and port for programs on this machine. */
  readonly ownOrigin: string;
}

export interface Front {
  /** Rejects start_failed with what to do when the port is taken or not allowed. */
  listen(): Promise<Listening>;
  /** Takes no more; ends event streams at once, gives the rest `graceMs`, then cuts it. */
  close(graceMs: number): Promise<void>;
}

export function createFront(options: FrontOptions): Front {
  return new HttpFront(options);
}

class HttpFront implements Front {
  readonly #options: FrontOptions;
  readonly #server: Server;
  readonly #bytes: BytePathOptions;
  readonly #connections = new Connections();
  /** Of films, as HLS cuts them. */
  readonly #partLimits = new StreamLimits();
  /** Answers under way, each until its client goes, or the server. */
  readonly #answers = new Set<Ending>();
  #onIdle: (() => void) | null = null;

  constructor(options: FrontOptions) {
    this.#options = options;
    this.#bytes = {
      ...options,
      limits: new StreamLimits(),
      fileHeaders: new FileHeaders(options.contentTypeOf),
      files: new OpenFiles(options.clock, options.readCached),
      buffers: new ChunkBuffers(),
    };
    this.#server = createServer({
      maxHeaderSize: LIMITS.http.headerBytes,
      headersTimeout: LIMITS.http.headersMs,
      requestTimeout: LIMITS.http.requestMs,
      keepAliveTimeout: LIMITS.http.keepAliveMs,
      connectionsCheckingInterval: 1_000,
      // Answered by our own guard, with our own headers.
      requireHostHeader: false,
      keepAlive: true,
      keepAliveInitialDelay: 30_000,
      noDelay: true,
    });
    this.#server.timeout = 0;
    this.#server.on("connection", (socket) => this.#connections.admit(socket));
    this.#server.on("clientError", (error, socket) => answerUnparsed(error, socket as Socket));
    this.#server.on("request", (request, response) => {
      this.#handle({ request, response }).catch((error) => {
        this.#options.log.error("answering failed", { error: describeError(error) });
        response.destroy();
      });
    });
  }

  listen(): Promise<Listening> {
    const { host, port } = this.#options;
    return new Promise((resolve, reject) => {
      const onError = (error: Error) => reject(listenFailure(error, host, port));
      this.#server.once("error", onError);
      this.#server.listen(port, host, () => {
        this.#server.off("error", onError);
        this.#server.on("error", (error) =>
          this.#options.log.error("listener failed", { error: error.message }),
        );
        const bound = this.#server.address() as AddressInfo;
        resolve({ port: bound.port, ownOrigin: ownOrigin(bound) });
      });
    });
  }

  async close(graceMs: number): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const answer of [...this.#answers]) answer.end();
    await this.#idle(graceMs);
    this.#connections.destroyAll();
    await closed;
    this.#bytes.files.close();
  }

  #idle(graceMs: number): Promise<void> {
    if (this.#answers.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = this.#options.clock.after(graceMs, resolve);
      this.#onIdle = () => {
        timer.cancel();
        resolve();
      };
    });
  }

  async #handle(exchange: Exchange): Promise<void> {
    const { request, response } = exchange;
    const ending = this.#track(exchange);
    response.on("error", (error) => this.#options.log.debug("response failed", { error: error.message }));
    try {
      // Of pipelined requests one at a time is answered: the other answers would lie in memory.
      if (response.socket === null) await turnOf(response);
      if (isGone(response)) return;
      for (const [name, value] of securityHeaders(pageOriginOf(request))) response.setHeader(name, value);
      response.setHeader("cache-control", "no-store");
      await this.#dispatch(exchange, ending);
    } catch (error) {
      replyFailure(exchange, error, this.#options.log);
    } finally {
      // One that ended without an answer (a handler at fault) must not hang.
      if (!response.writableEnded && !response.destroyed) request.destroy();
    }
  }

  #track({ request, response }: Exchange): Ending {
    const ending = new Ending();
    const { socket } = request;
    this.#answers.add(ending);
    if (this.#connections.count(socket, 1) > LIMITS.http.pipelined) socket.destroy();
    response.on("close", () => {
      ending.end();
      this.#answers.delete(ending);
      this.#connections.count(socket, -1);
      if (this.#answers.size === 0) this.#onIdle?.();
    });
    return ending;
  }

  async #dispatch(exchange: Exchange, ending: Ending): Promise<void> {
    const { request, response } = exchange;
    const method = request.method ?? "";
    const host = checkHost(hostsOf(request), this.#options.allowedHosts);
    const target = parseTarget(request.url ?? "", method);
    const proof = this.#proofIn(request, target);
    checkSite({ ...siteProofOf(request, target), method, host, hasToken: proof !== null });
    const clientAddress = addressOf(request);
    const principal = target.isOpen
      ? null
      : await authenticate({ target, proof, headers: request.headers, clientAddress }, this.#options.access);
    if (target.bytes !== null && principal !== null && this.#isForBytes(request, target, principal)) {
      return serveBytes(exchange, { ...target.bytes, principal, clientAddress }, this.#bytes);
    }
    if (target.part !== null && principal !== null) {
      const { viewer } = principal;
      const leave = this.#partLimits.take({ ...target.part, viewer, clientAddress });
      response.on("close", leave);
      if (isGone(response)) return leave();
    }
    const origin = `${schemeOf(request, clientAddress)}://${host}`;
    return bridge(exchange, this.#options.app, { principal, clientAddress, origin }, ending.signal);
  }

  #proofIn(request: IncomingMessage, target: Target): Proof | null {
    const { access, loopback } = this.#options;
    const token = tryLink(request.method ?? "", target, access);
    if (token !== null) return { kind: "link", token };
    const grant = tryLoopback(request, target, loopback);
    return grant === null ? null : { kind: "loopback", grant };
  }

  /** Throws validation, and what the file's looking up throws. */
  #isForBytes({ headers }: IncomingMessage, { bytes, query }: Target, principal: Principal): boolean {
    if (bytes === null) return false;
    if (principal.kind === "loopback") return true;
    const asked = { ...bytes, mode: query.get("mode"), accept: headers.accept ?? null };
    const userAgent = headers["user-agent"] ?? null;
    return this.#options.chooseDelivery({ ...asked, userAgent }) === "bytes";
  }
}

function hostsOf(request: IncomingMessage): string[] {
  const { rawHeaders } = request;
  const hosts: string[] = [];
  for (let i = 1; i < rawHeaders.length; i += 2) {
    const [name = "", value = ""] = [rawHeaders[i - 1], rawHeaders[i]];
    if (name.length === 4 && name.toLowerCase() === "host") hosts.push(value);
  }
  // HTTP/1.0 knows no Host; nor does it know browsers.
  if (hosts.length === 0 && request.httpVersion === "1.0") return [ownHost(request)];
  return hosts;
}

function ownHost(request: IncomingMessage): string {
  const { localAddress = "127.0.0.1", localPort } = request.socket;
  return localAddress.includes(":") ? `[${localAddress}]:${localPort}` : `${localAddress}:${localPort}`;
}

function siteProofOf(request: IncomingMessage, target: Target) {
  const text = (name: string) => {
    const value = request.headers[name];
    return Array.isArray(value) ? value.join(", ") : value;
  };
  return {
    origin: text("origin"),
    secFetchSite: text("sec-fetch-site"),
    secFetchMode: text("sec-fetch-mode"),
    isApi: target.isApi && !target.isOpen,
  };
}

/** What the page's address looks like to a browser. Whoever lies about it lies to themselves only. */
function pageOriginOf(request: IncomingMessage): { isHttps: boolean; host: string } {
  return {
    isHttps: request.headers["x-forwarded-proto"] === "https",
    host: request.headers.host ?? "",
  };
}

function addressOf(request: IncomingMessage): string {
  return (request.socket.remoteAddress ?? "").replace(/^::ffff:(?=\d+\.)/, "");
}

/** A proxy on this machine may tell that it speaks TLS; nobody else is believed. */
function schemeOf(request: IncomingMessage, clientAddress: string): "http" | "https" {
  const isLocal = clientAddress === "127.0.0.1" || clientAddress === "::1";
  return isLocal && request.headers["x-forwarded-proto"] === "https" ? "https" : "http";
}

function listenFailure(error: Error, host: string, port: number): TorrxError {
  const code = systemCodeOf(error) ?? error.message;
  return new TorrxError("start_failed", listenAdvice(code, host, port), { cause: error });
}

function listenAdvice(code: string, host: string, port: number): string {
  switch (code) {
    case "EADDRINUSE":
      return `port ${port} is taken; stop the other program or set server.port (TORRX_SERVER_PORT)`;
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return `${host} is no address of this machine; set server.host (TORRX_SERVER_HOST), 0.0.0.0 for all`;
    case "EACCES":
      return `port ${port} is not allowed for this user; set server.port (TORRX_SERVER_PORT) to 1024 or above`;
    default:
      return `port ${port} of ${host} cannot be opened (${code}); see server.host and server.port`;
  }
}
