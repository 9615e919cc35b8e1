// The order of what one peer sends. Blocks and requests are dealt with at once, control frames by Wire a microtask
// later; whatever follows a control frame is held until Wire is done with it, so that the handler sees everything
// in the order of the wire. Also keeps a flood of small frames from holding up everyone else's turn.

import type { Clock, Timer } from "../base/clock.ts";
import { LIMITS } from "../base/limits.ts";
import { FrameGuard, type FrameSink } from "./frame-guard.ts";
import type { PieceTable } from "./frame-rules.ts";

/** Its functions are called without `this`. */
export interface InboundEvents extends Omit<FrameSink, "onHandshakeFrame" | "onControlFrame"> {
  /** Takes a frame for Wire; `digested` must be called when it has taken effect. */
  digest(frame: Uint8Array): void;
  /** Reading should stop (`isResting` is true) or may go on again. */
  onRest(): void;
  onError(error: unknown): void;
}

export class Inbound {
  readonly #clock: Clock;
  readonly #events: InboundEvents;
  readonly #guard: FrameGuard;
  #held: Uint8Array | null = null;
  #isDigesting = false;
  #isStopped = false;
  #controlFrames = 0;
  #restTimer: Timer | null = null;

  constructor(clock: Clock, events: InboundEvents) {
    this.#clock = clock;
    this.#events = events;
    const digest = (frame: Uint8Array) => this.#digest(frame);
    this.#guard = new FrameGuard({
      onHandshakeFrame: digest,
      onControlFrame: digest,
      onExtendedFrame: (id, payload) => {
        this.#countControlFrame();
        events.onExtendedFrame(id, payload);
      },
      onRequest: events.onRequest,
      onCancel: events.onCancel,
      onReject: events.onReject,
      blockTarget: events.blockTarget,
      onBlock: events.onBlock,
    });
  }

  /** Too much came at once; the rest waits for the loop's next turn. */
  get isResting(): boolean {
    return this.#restTimer !== null;
  }

  setPieces(pieces: PieceTable): void {
    this.#guard.setPieces(pieces);
  }

  allowFast(): void {
    this.#guard.allowFast();
  }

  giveUpTarget(): void {
    this.#guard.giveUpTarget();
  }

  /** Takes a chunk of the socket, which stays the socket's. */
  receive(chunk: Uint8Array): void {
    this.#controlFrames = 0;
    if (this.#held === null) this.#consume(chunk, false);
    else this.#held = new Uint8Array(Buffer.concat([this.#held, chunk]));
  }

  /** Wire is done with the frame that it was given last. */
  digested(): void {
    this.#isDigesting = false;
    this.#consumeHeld();
  }

  /** Nothing more is delivered; `onOpen` is told of a block that broke off. */
  stop(onOpen: (piece: number, beginBytes: number, lengthBytes: number) => void): void {
    this.#isStopped = true;
    this.#held = null;
    this.#restTimer?.cancel();
    this.#guard.abort(onOpen);
  }

  #consume(bytes: Uint8Array, isOwn: boolean): void {
    let at = 0;
    try {
      while (at < bytes.length && !this.#isStopped) {
        if (this.#isDigesting || this.#restTimer !== null) {
          // Not slice(): a Buffer's is a view, and the socket will write over it.
          this.#held = isOwn ? bytes.subarray(at) : new Uint8Array(bytes.subarray(at));
          return;
        }
        at = this.#guard.feed(bytes, at);
      }
    } catch (error) {
      this.#events.onError(error);
    }
  }

  #consumeHeld(): void {
    const held = this.#held;
    this.#held = null;
    if (held !== null) this.#consume(held, true);
  }

  #digest(frame: Uint8Array): void {
    this.#countControlFrame();
    this.#isDigesting = true;
    this.#events.digest(frame);
  }

  #countControlFrame(): void {
    if (++this.#controlFrames < LIMITS.peer.controlFramesPerTurn || this.#restTimer !== null) return;
    this.#restTimer = this.#clock.after(0, () => {
      this.#restTimer = null;
      this.#controlFrames = 0;
      this.#consumeHeld();
      if (!this.#isStopped) this.#events.onRest();
    });
    this.#events.onRest();
  }
}
