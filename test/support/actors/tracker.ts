// A small HTTP tracker (BEP 3, 23) inside the test's process: remembers who announced and hands out compact peers.

import type { BencodeInput } from "../../../src/metainfo/bencode.ts";
import { encodeBencode } from "../../../src/metainfo/bencode.ts";
import { PRIVATE_ADDRESS } from "../namespace.ts";

export interface Announce {
  /** 40 lower-case hex digits. */
  readonly infoHash: string;
  readonly host: string;
  readonly port: number;
  readonly event: string;
  readonly uploaded: number;
  readonly downloaded: number;
  readonly left: number;
  readonly numwant: number | null;
  readonly userAgent: string;
  /** Everything behind the "?" as it came. */
  readonly query: string;
}

export interface TrackerOptions {
  readonly host?: string;
  readonly intervalSec?: number;
  /** Answers in place of the tracker; undefined = answer as usual. */
  readonly reply?: (announce: Announce) => Response | BencodeInput | undefined;
}

export interface TestTracker {
  readonly url: string;
  readonly port: number;
  readonly announces: readonly Announce[];
  /** Hands this peer out as if it had announced. */
  addPeer(infoHash: string, host: string, port: number): void;
  /** The first announce, old or new, that `wants` accepts. */
  waitForAnnounce(wants: (announce: Announce) => boolean, withinMs?: number): Promise<Announce>;
  stop(): Promise<void>;
}

export function startTracker(options: TrackerOptions = {}): TestTracker {
  const announces: Announce[] = [];
  const peers = new Map<string, Map<string, { host: string; port: number }>>();
  const waiters = new Set<(announce: Announce) => void>();
  const addPeer = (infoHash: string, host: string, port: number) => {
    const known = peers.get(infoHash) ?? new Map<string, { host: string; port: number }>();
    peers.set(infoHash, known.set(`${host}:${port}`, { host, port }));
  };
  const take = (announce: Announce): Response => {
    announces.push(announce);
    for (const waiter of [...waiters]) waiter(announce);
    const custom = options.reply?.(announce);
    if (custom instanceof Response) return custom;
    const others = [...(peers.get(announce.infoHash)?.values() ?? [])].filter(
      (peer) => peer.host !== announce.host || peer.port !== announce.port,
    );
    if (announce.event === "stopped")
      peers.get(announce.infoHash)?.delete(`${announce.host}:${announce.port}`);
    else addPeer(announce.infoHash, announce.host, announce.port);
    const usual = {
      interval: options.intervalSec ?? 1800,
      complete: 1,
      incomplete: 1,
      peers: compact(others),
    };
    return new Response(Buffer.from(encodeBencode(custom ?? usual)), {
      headers: { "content-type": "text/plain" },
    });
  };
  const server = Bun.serve({
    hostname: options.host ?? PRIVATE_ADDRESS,
    port: 0,
    fetch(request, self) {
      const announce = parseAnnounce(request, self.requestIP(request)?.address ?? "");
      return announce === null ? new Response("not found", { status: 404 }) : take(announce);
    },
  });
  const port = server.port ?? 0;
  return {
    url: `http://${options.host ?? PRIVATE_ADDRESS}:${port}/announce`,
    port,
    announces,
    addPeer,
    async waitForAnnounce(wants, withinMs = 10_000) {
      const seen = announces.find(wants);
      if (seen !== undefined) return seen;
      const { promise, resolve, reject } = Promise.withResolvers<Announce>();
      const waiter = (announce: Announce) => (wants(announce) ? resolve(announce) : undefined);
      waiters.add(waiter);
      const timer = setTimeout(() => reject(new Error(`no such announce in ${withinMs} ms`)), withinMs);
      try {
        return await promise;
      } finally {
        clearTimeout(timer);
        waiters.delete(waiter);
      }
    },
    stop: () => server.stop(true),
  };
}

/** The query by hand: info_hash is raw bytes, which URLSearchParams would mangle. */
function parseAnnounce(request: Request, host: string): Announce | null {
  const [path, query = ""] = request.url.split("?");
  if (!path?.endsWith("/announce")) return null;
  const field = (name: string) => new RegExp(`(?:^|&)${name}=([^&]*)`).exec(query)?.[1] ?? "";
  const infoHash = percentDecoded(field("info_hash"));
  if (infoHash.length !== 20) return null;
  return {
    infoHash: infoHash.toString("hex"),
    host: host.replace(/^::ffff:/, ""),
    port: Number(field("port")),
    event: field("event"),
    uploaded: Number(field("uploaded")),
    downloaded: Number(field("downloaded")),
    left: Number(field("left")),
    numwant: field("numwant") === "" ? null : Number(field("numwant")),
    userAgent: request.headers.get("user-agent") ?? "",
    query,
  };
}

function percentDecoded(text: string): Buffer {
  const plain = text.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(plain, "latin1");
}

function compact(peers: readonly { host: string; port: number }[]): Uint8Array {
  return new Uint8Array(
    peers.flatMap(({ host, port }) => [...host.split(".").map(Number), port >> 8, port & 0xff]),
  );
}
