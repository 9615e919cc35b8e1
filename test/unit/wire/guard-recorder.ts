// A FrameSink that writes down what a guard hands on, and a way to feed a guard in pieces of given sizes.

import { PeerFault } from "../../../src/base/peer-fault.ts";
import { FrameGuard, type FrameSink } from "../../../src/wire/frame-guard.ts";
import type { PieceTable } from "../../../src/wire/frame-rules.ts";
import { BytesTarget } from "../../support/bytes-target.ts";

export class GuardRecorder implements FrameSink {
  readonly lines: string[] = [];
  readonly guard = new FrameGuard(this);

  constructor(options: { pieces?: PieceTable; hasFast?: boolean } = {}) {
    if (options.pieces !== undefined) this.guard.setPieces(options.pieces);
    if (options.hasFast ?? true) this.guard.allowFast();
  }

  readonly #targets = new Map<string, Uint8Array>();

  onHandshakeFrame = (frame: Uint8Array) => this.#note("handshake", hex(frame));
  onControlFrame = (frame: Uint8Array) => this.#note("control", hex(frame));
  onExtendedFrame = (id: number, payload: Uint8Array) => this.#note("extended", id, hex(payload));
  onRequest = (...run: number[]) => this.#note("request", ...run);
  onCancel = (...run: number[]) => this.#note("cancel", ...run);
  onReject = (...run: number[]) => this.#note("reject", ...run);

  /** Blocks of even pieces have a target, the others are skipped. */
  blockTarget(piece: number, begin: number, length: number): BytesTarget | null {
    if (piece % 2 === 1) return null;
    const target = new BytesTarget(new Uint8Array(length), begin);
    this.#targets.set(`${piece}/${begin}`, target.bytes);
    return target;
  }

  onBlock = (piece: number, begin: number, length: number) => {
    const target = this.#targets.get(`${piece}/${begin}`);
    this.#note("block", piece, begin, length, target === undefined ? "skipped" : hex(target));
  };

  /** Feeds all of `bytes`; what it throws becomes the last line. Chunks are spoilt after use, as a socket's are. */
  feed(bytes: Uint8Array, sizes: readonly number[] = []): this {
    let at = 0;
    for (let i = 0; at < bytes.length; i++) {
      const chunk = Buffer.from(bytes.subarray(at, at + (sizes[i] ?? bytes.length)));
      at += chunk.length;
      try {
        for (let offset = 0; offset < chunk.length; ) offset = this.guard.feed(chunk, offset);
      } catch (error) {
        if (!(error instanceof PeerFault)) throw error;
        this.lines.push(`fault ${error.reason}`);
        return this;
      }
      chunk.fill(0xee);
    }
    return this;
  }

  #note(...values: (string | number)[]): void {
    this.lines.push(values.join(" "));
  }
}

function hex(bytes: Uint8Array): string {
  return bytes.length > 64
    ? `${bytes.length}:${Bun.hash(bytes).toString(16)}`
    : Buffer.from(bytes).toString("hex");
}
