// The engine as the other threads have it: every method becomes a message. Messages arrive in the order of the calls.
// Once it is stopping (or has failed), every call is refused at once; what was asked before is still answered.

import type { InfoHash } from "../../base/brand.ts";
import { TorrxError } from "../../base/errors.ts";
import type { OpenReader, ReaderId } from "../../stream/ports.ts";
import type {
  EngineEvent,
  EnginePort,
  EngineSettings,
  FileChoice,
  TorrentChange,
  TorrentSpec,
} from "../port.ts";
import { unpackError } from "./error-message.ts";
import type { CallArguments, CallMessage, CallName, CallResult, FromEngine, ToEngine } from "./messages.ts";

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

export interface RemoteEngineOptions {
  readonly send: (message: ToEngine) => void;
  /** A listener of events threw; the others are still told. */
  readonly onListenerError: (event: EngineEvent["type"], error: unknown) => void;
}

export class RemoteEngine implements EnginePort {
  readonly #options: RemoteEngineOptions;
  readonly #pending = new Map<number, Pending>();
  readonly #listeners = new Set<(event: EngineEvent) => void>();
  /** Where readers are that moved in this turn: only the last place of each is told. */
  readonly #moved = new Map<ReaderId, number>();
  #lastId = 0;
  #refusal: Error | null = null;
  #stopped: Promise<void> | null = null;

  constructor(options: RemoteEngineOptions) {
    this.#options = options;
  }

  /** Takes what the engine's side sent. */
  receive(message: FromEngine): void {
    switch (message.type) {
      case "event":
        this.#tell(message.event);
        break;
      case "answer":
        this.#take(message.id)?.resolve(message.value);
        break;
      case "failure":
        this.#take(message.id)?.reject(unpackError(message.error));
        break;
    }
  }

  /** The other side is gone: whatever waits for it or asks from now on is rejected with `error`. */
  fail(error: Error): void {
    this.#refusal = error;
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
    this.#moved.clear();
  }

  add(spec: TorrentSpec) {
    return this.#call("add", spec);
  }

  change(id: InfoHash, change: TorrentChange) {
    return this.#call("change", id, change);
  }

  confirmMetadata(id: InfoHash, place: { diskName: string | null; files: readonly FileChoice[] }) {
    return this.#call("confirmMetadata", id, place);
  }

  remove(id: InfoHash, options: { deleteFiles: boolean }) {
    return this.#call("remove", id, options);
  }

  recheck(id: InfoHash) {
    return this.#call("recheck", id);
  }

  reannounce(id: InfoHash) {
    return this.#call("reannounce", id);
  }

  peers(id: InfoHash) {
    return this.#call("peers", id);
  }

  trackers(id: InfoHash) {
    return this.#call("trackers", id);
  }

  pieces(id: InfoHash) {
    return this.#call("pieces", id);
  }

  stats(id: InfoHash) {
    return this.#call("stats", id);
  }

  streams() {
    return this.#call("streams");
  }

  totals() {
    return this.#call("totals");
  }

  configure(settings: EngineSettings) {
    return this.#call("configure", settings);
  }

  openReader(request: OpenReader) {
    return this.#call("openReader", request);
  }

  advanceReader(reader: ReaderId, atBytes: number): void {
    if (this.#refusal !== null) return;
    if (this.#moved.size === 0) queueMicrotask(() => this.#sendMoved());
    this.#moved.set(reader, atBytes);
  }

  closeReader(reader: ReaderId): void {
    if (this.#refusal !== null) return;
    this.#moved.delete(reader);
    this.#send({ type: "close", reader });
  }

  subscribe(listener: (event: EngineEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Every event of the engine has been told before it resolves. */
  stop(): Promise<void> {
    this.#stopped ??= this.#call("stop").finally(() => this.fail(stopping()));
    this.#refusal ??= stopping();
    return this.#stopped;
  }

  #call<Name extends CallName>(name: Name, ...args: CallArguments[Name]): Promise<CallResult[Name]> {
    if (this.#refusal !== null) return Promise.reject(this.#refusal);
    const id = ++this.#lastId;
    const call: CallMessage<Name> = { type: "call", id, name, args };
    return new Promise<CallResult[Name]>((resolve, reject) => {
      this.#send(call as CallMessage);
      // The other side answers a call with what the method of that name resolved with.
      this.#pending.set(id, { resolve: resolve as Pending["resolve"], reject });
    });
  }

  #take(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    return pending;
  }

  #send(message: ToEngine): void {
    this.#sendMoved();
    this.#options.send(message);
  }

  #sendMoved(): void {
    for (const [reader, atBytes] of this.#moved) this.#options.send({ type: "advance", reader, atBytes });
    this.#moved.clear();
  }

  #tell(event: EngineEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        this.#options.onListenerError(event.type, error);
      }
    }
  }
}

function stopping(): TorrxError {
  return new TorrxError("busy", "TorrX is stopping");
}
