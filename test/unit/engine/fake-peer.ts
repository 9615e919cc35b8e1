// A real Peer on a link that writes down what it is told.

import { RateMeter } from "../../../src/base/rate-meter.ts";
import { Peer, type PeerHost } from "../../../src/engine/peer.ts";
import type { PeerLink } from "../../../src/wire/index.ts";

export class FakeLink implements PeerLink {
  readonly lines: string[] = [];
  readonly blocks: Uint8Array[] = [];
  readonly remote;
  readonly isIncoming = false;
  readonly connectMs = 20;
  readonly traffic = { payloadIn: 0, payloadOut: 0, totalIn: 0, totalOut: 0 };
  hasFast = true;
  queuedBytes = 0;
  flushes = 0;

  constructor(host: string) {
    this.remote = { host, port: 6881 };
  }

  #note(...parts: unknown[]): void {
    this.lines.push(parts.join(" "));
  }

  setPieces = () => this.#note("pieces");
  sendHaves = (state: Uint8Array | "all" | "none") =>
    this.#note("haves", typeof state === "string" ? state : "bits");
  choke = () => this.#note("choke");
  unchoke = () => this.#note("unchoke");
  interested = () => this.#note("interested");
  notInterested = () => this.#note("not-interested");
  have = (piece: number) => this.#note("have", piece);
  allowedFast = (piece: number) => this.#note("allowed-fast", piece);
  request = (piece: number, begin: number, length: number) => this.#note("request", piece, begin, length);
  cancel = (piece: number, begin: number, length: number) => this.#note("cancel", piece, begin, length);
  reject = (piece: number, begin: number, length: number) => this.#note("reject", piece, begin, length);
  dhtPort = (port: number) => this.#note("port", port);
  extended = (name: string, payload: Uint8Array) => this.#note("extended", name, payload.length);
  giveUpTarget = () => this.#note("give-up-target");
  pauseReading = () => this.#note("pause-reading");
  resumeReading = () => this.#note("resume-reading");
  close = (reason: string) => this.#note("close", reason);

  piece(piece: number, begin: number, block: Uint8Array): void {
    this.blocks.push(block);
    this.#note("piece", piece, begin, block.length);
  }

  flush(): void {
    this.flushes++;
  }

  take(): string[] {
    return this.lines.splice(0);
  }
}

let lastKey = 0;

export function fakePeer(host = "198.51.100.7", peerHost = {} as PeerHost): { peer: Peer; link: FakeLink } {
  const link = new FakeLink(host);
  const meter = () => new RateMeter({ tauMs: 4_000, nowMs: 0 });
  const peer = new Peer({
    key: ++lastKey,
    link,
    address: link.remote,
    source: "tracker",
    host: peerHost,
    nowMs: 0,
    downMeter: meter(),
    upMeter: meter(),
  });
  return { peer, link };
}
